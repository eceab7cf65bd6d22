"""One run at a time works on an ObsID, and a dead one does not stand in the way."""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from chandra_runner.storage.locks import DEAD_AFTER, Holder, Locks

NOBODY = 2**22 - 3  # no process has this number: beyond what kernels give by default


def leave_lock(directory: Path, holder: Holder, age: float = 0.0) -> None:
    """A lock file as another run leaves it."""
    path = directory / "11.lock"
    path.write_text(json.dumps(asdict(holder)))
    os.utime(path, (time.time() - age,) * 2)


def test_a_lock_is_ours_until_it_is_given_back(tmp_path: Path) -> None:
    with Locks(tmp_path) as ours, Locks(tmp_path) as theirs:
        assert ours.acquire(11) is None
        assert theirs.acquire(11) == Holder.me()
        assert theirs.acquire(12) is None
        ours.release(11)
        assert theirs.acquire(11) is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "holder",
    [
        replace(Holder.me(), pid=NOBODY),
        replace(Holder.me(), started=Holder.me().started - 1000),
        replace(Holder.me(), boot=Holder.me().boot - 1000),
    ],
    ids=["no such process", "number used again", "before a reboot"],
)
def test_a_dead_holder_on_this_machine_is_taken_over_at_once(tmp_path: Path, holder: Holder) -> None:
    leave_lock(tmp_path, holder)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is None


@pytest.mark.parametrize("age", [0.0, DEAD_AFTER - 30])
def test_a_holder_elsewhere_lives_as_long_as_its_heart_beats(tmp_path: Path, age: float) -> None:
    holder = replace(Holder.me(), host="elsewhere", user="kim")
    leave_lock(tmp_path, holder, age)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) == holder
    assert "of kim on elsewhere" in str(holder)


def test_a_holder_elsewhere_without_heartbeat_is_taken_over(tmp_path: Path) -> None:
    leave_lock(tmp_path, replace(Holder.me(), host="elsewhere"), DEAD_AFTER + 30)
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is None


def test_a_damaged_lock_counts_as_held_until_it_is_old(tmp_path: Path) -> None:
    path = tmp_path / "11.lock"
    path.touch()
    with Locks(tmp_path) as locks:
        assert locks.acquire(11) is not None
        os.utime(path, (time.time() - DEAD_AFTER - 30,) * 2)
        assert locks.acquire(11) is None


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
