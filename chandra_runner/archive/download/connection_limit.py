"""How many connections an archive gets from this machine's runs together."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PER_ARCHIVE = 4
"""Connections at a time: what a browser opens to one server, or less."""
POLL = 0.05


@contextmanager
def slot(directory: Path, host: str) -> Iterator[None]:
    """Hold one of the connections to a server; wait for it where all are taken.

    Parameters
    ----------
    directory : Path
        Where the slots of all runs that share it are; the system gives back those of dead processes.
    host : str
        Name of the server.
    """
    number = _take(directory, "".join(c if c.isalnum() or c in ".-" else "_" for c in host))
    try:
        yield
    finally:
        os.close(number)


def _take(directory: Path, name: str) -> int:
    while True:
        for place in range(PER_ARCHIVE):
            number = os.open(directory / f"{name}.{place}.slot", os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(number)
            except BaseException:
                os.close(number)
                raise
            else:
                return number
        time.sleep(POLL)
