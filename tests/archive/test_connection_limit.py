"""No server gets more connections than the limit, however many threads and runs there are."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from chandra_runner.archive.connection_limit import MAX_CONNECTIONS, connection

HOLD_ALL = """
import sys, time
from contextlib import ExitStack
from pathlib import Path
from chandra_runner.archive.connection_limit import MAX_CONNECTIONS, connection
with ExitStack() as held:
    for _ in range(MAX_CONNECTIONS):
        held.enter_context(connection(Path(sys.argv[1]), "archive.example"))
    print("held", flush=True)
    time.sleep(60)
"""


def test_threads_share_the_limit(tmp_path: Path) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def use(_: int) -> None:
        nonlocal now, most
        with connection(tmp_path, "archive.example"):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.02)
            with lock:
                now -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(use, range(24)))
    assert most == MAX_CONNECTIONS


def test_processes_share_the_limit_and_a_killed_one_frees_its_connections(tmp_path: Path) -> None:
    free = threading.Event()

    def wait_for_connection() -> None:
        with connection(tmp_path, "archive.example"):
            free.set()

    command = [sys.executable, "-c", HOLD_ALL, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        try:
            assert other.stdout.readline() == "held\n"
            waiting = threading.Thread(target=wait_for_connection)
            waiting.start()
            assert not free.wait(0.3)
        finally:
            other.kill()
        assert free.wait(30)
        waiting.join()


def test_servers_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with ExitStack() as held:
        for host in ["a"] * MAX_CONNECTIONS + ["b", "../c"]:
            held.enter_context(connection(tmp_path, host))
    assert not list(tmp_path.parent.glob("*.connection"))
