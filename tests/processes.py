"""Whether processes that a test did not start itself have ended."""

from __future__ import annotations

import time
from collections.abc import Iterable

import psutil


def has_ended(pid: int) -> bool:
    """Whether a process is gone, or has ended without its parent having asked for its exit code."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def wait_until_ended(pids: Iterable[int]) -> None:
    """Wait until all have ended, at most 60 s."""
    running = list(pids)
    for _ in range(6000):
        running = [pid for pid in running if not has_ended(pid)]
        if not running:
            return
        time.sleep(0.01)
    raise AssertionError(f"processes that still run: {running}")
