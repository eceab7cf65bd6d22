"""Limit the connections that all runs on this machine together open to one server."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock

MAX_CONNECTIONS = 4
"""Connections to one server at a time: no more than a browser opens."""
POLL_INTERVAL = 0.05
"""Seconds between two looks for a free connection."""


@contextmanager
def connection(directory: Path, host: str) -> Iterator[None]:
    """Hold one of the connections to a server; wait for one while all are in use.

    Each connection is a lock on a file. The operating system releases the locks of a process that
    ends, however it ends.

    Parameters
    ----------
    directory : Path
        Existing directory for the lock files; runs that share it share the limit.
    host : str
        Name of the server.
    """
    from filelock import FileLock  # takes a while to import, and most runs download nothing

    # The name comes from a URL: it must not lead out of the directory.
    name = "".join(c if c.isalnum() or c in ".-" else "_" for c in host)
    locks = [
        # Other users who share the data have to be able to open the files, too.
        FileLock(directory / f"{name}.{number}.connection", mode=0o666)
        for number in range(MAX_CONNECTIONS)
    ]
    lock = _acquire_any(locks)
    try:
        yield
    finally:
        lock.release()


def _acquire_any(locks: Sequence[BaseFileLock]) -> BaseFileLock:
    """Acquire the first lock that is free."""
    from filelock import Timeout

    while True:
        for lock in locks:
            try:
                lock.acquire(blocking=False)
            except Timeout:
                continue
            return lock
        time.sleep(POLL_INTERVAL)
