"""One run at a time works on an ObsID, and a dead one does not stand in the way."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path

import psutil
import pytest

from chandra_runner.storage.locks import DEAD_AFTER, Holder, Locks

NOBODY = 2**22 - 3  # no process has this number: beyond what kernels give by default
OTHER = replace(Holder.me(), host="elsewhere", user="kim")


def leave_lock(directory: Path, holder: Holder, age: float = 0.0) -> Path:
    """A lock file as another run leaves it."""
    path = directory / "11.lock"
    path.write_text(json.dumps(asdict(holder)))
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_a_lock_is_ours_until_it_is_given_back(tmp_path: Path) -> None:
    with Locks(tmp_path) as ours, Locks(tmp_path) as theirs:
        assert ours.acquire(11) is None
        assert theirs.acquire(11) == Holder.me()
        assert theirs.acquire(12) is None
        ours.release(11)
        assert theirs.acquire(11) is None
    assert not list(tmp_path.glob("*.lock"))


@pytest.mark.parametrize(
    "holder",
    [
        replace(Holder.me(), pid=NOBODY),
        replace(Holder.me(), started="1"),
        replace(Holder.me(), boot="before"),
    ],
    ids=["no such process", "number used again", "before a reboot"],
)
def test_a_dead_holder_on_this_machine_is_taken_over_at_once(tmp_path: Path, holder: Holder) -> None:
    path = leave_lock(tmp_path, holder)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is None
        assert Holder.from_json(path.read_text()) == Holder.me()
    assert not path.exists()


def test_a_dead_holder_that_its_parent_does_not_wait_for_is_taken_over(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        leave_lock(tmp_path, Holder.me())
        os._exit(0)
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is None
    os.waitpid(child, 0)


@pytest.mark.parametrize("age", [0.0, DEAD_AFTER - 30, 30 - DEAD_AFTER])
def test_a_holder_elsewhere_lives_as_long_as_its_heart_beats(tmp_path: Path, age: float) -> None:
    leave_lock(tmp_path, OTHER, age)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) == OTHER
    assert "of kim on elsewhere" in str(OTHER)


@pytest.mark.parametrize("age", [DEAD_AFTER + 30, -DEAD_AFTER - 30], ids=["long ago", "in the future"])
def test_a_holder_elsewhere_without_heartbeat_is_taken_over(tmp_path: Path, age: float) -> None:
    leave_lock(tmp_path, OTHER, age)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is None


def test_a_clock_that_is_set_does_not_make_a_live_holder_dead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Locks(tmp_path) as ours, Locks(tmp_path) as theirs:
        assert ours.acquire(11) is None
        boot_time, create_time = psutil.boot_time(), psutil.Process().create_time()
        monkeypatch.setattr(psutil, "boot_time", lambda: boot_time + 2)
        monkeypatch.setattr(psutil.Process, "create_time", lambda _: create_time + 2)
        holder = theirs.acquire(11)
    assert holder is not None
    assert holder.pid == os.getpid()


def _truncate(path: Path) -> None:
    path.write_text("")


def _forge(path: Path) -> None:
    path.write_text(json.dumps({**asdict(Holder.me()), "since": "yesterday"}))


def _link(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.parent / "nothing")


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("damage", [_truncate, _forge, _link, _fifo])
def test_a_damaged_lock_counts_as_held_until_it_is_old(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    path = leave_lock(tmp_path, Holder.me())
    damage(path)
    with Locks(tmp_path) as locks:
        assert "an unknown user" in str(locks.acquire(11))
        os.utime(path, (time.time() - DEAD_AFTER - 30,) * 2, follow_symlinks=False)
        assert locks.acquire(11) is None
        assert Holder.from_json(path.read_text()) == Holder.me()


def test_a_lock_that_another_run_took_over_in_the_meantime_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = replace(Holder.me(), pid=NOBODY)
    path = leave_lock(tmp_path, dead)
    is_alive = Holder.is_alive

    def is_alive_while_another_takes_over(self: Holder, heartbeat: float) -> bool:
        alive = is_alive(self, heartbeat)
        if self == dead:
            leave_lock(tmp_path, OTHER)
        return alive

    monkeypatch.setattr(Holder, "is_alive", is_alive_while_another_takes_over)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) == OTHER
    assert Holder.from_json(path.read_text()) == OTHER


def test_of_many_runs_that_find_a_dead_holder_one_takes_its_lock(tmp_path: Path) -> None:
    for _ in range(50):
        leave_lock(tmp_path, replace(Holder.me(), pid=NOBODY))
        runs = [Locks(tmp_path) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            holders = list(pool.map(lambda run: run.acquire(11), runs))
        assert holders.count(None) == 1
        runs[holders.index(None)].release(11)


def test_a_lock_that_was_taken_from_us_is_not_removed(tmp_path: Path) -> None:
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is None
        path = leave_lock(tmp_path, OTHER)
    assert Holder.from_json(path.read_text()) == OTHER


def test_locks_work_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    with Locks(tmp_path) as ours, Locks(tmp_path) as theirs:
        assert ours.acquire(11) is None
        assert theirs.acquire(11) == Holder.me()


def test_a_user_without_a_name_has_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("getpwuid(): uid not found: 12345")

    monkeypatch.setattr("getpass.getuser", nobody)
    assert Holder.me().user == f"uid {os.getuid()}"


def test_held_locks_show_signs_of_life(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chandra_runner.storage.locks.HEARTBEAT", 0.01)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is None
        path = tmp_path / "11.lock"
        os.utime(path, (0, 0))
        for _ in range(1000):
            if path.stat().st_mtime > 0:
                break
            time.sleep(0.01)
        assert path.stat().st_mtime > 0
