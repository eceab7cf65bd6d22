"""No archive gets more connections than it should, however many runs there are."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from chandra_runner.archive.download.connection_limit import PER_ARCHIVE, slot


def test_only_so_many_hold_a_slot_at_a_time(tmp_path: Path) -> None:
    now, most, lock = 0, 0, threading.Lock()

    def use(_: int) -> None:
        nonlocal now, most
        with slot(tmp_path, "archive.example"):
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.02)
            with lock:
                now -= 1

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(use, range(24)))
    assert most == PER_ARCHIVE


def test_archives_do_not_wait_for_each_other(tmp_path: Path) -> None:
    with ExitStack() as held:
        for name in ["a"] * PER_ARCHIVE + ["b", "../c"]:
            held.enter_context(slot(tmp_path, name))
    assert not list(tmp_path.parent.glob("*.slot"))
