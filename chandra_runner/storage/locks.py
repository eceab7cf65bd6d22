"""One run at a time works on an ObsID; the lock of a dead run is taken over."""

from __future__ import annotations

import getpass
import json
import os
import socket
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import psutil

HEARTBEAT = 60.0
"""Seconds between signs of life; 10 minutes without one and a holder elsewhere counts as dead."""
DEAD_AFTER = 600.0


@dataclass(frozen=True)
class Holder:
    """Who holds a lock.

    Parameters
    ----------
    host : str
        Name of the machine.
    boot : int
        When it was started, s since 1970: a process number means nothing after a reboot.
    pid : int
        Process number.
    started : int
        When that process was started, s since 1970: numbers are used again.
    user : str
        Whose process.
    """

    host: str
    boot: int
    pid: int
    started: int
    user: str

    @classmethod
    def me(cls) -> Self:
        """This process."""
        process = psutil.Process()
        return cls(
            socket.gethostname(),
            int(psutil.boot_time()),
            process.pid,
            int(process.create_time()),
            getpass.getuser(),
        )

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.started).strftime("%Y-%m-%d %H:%M:%S")
        return f"process {self.pid} of {self.user} on {self.host}, running since {since}"

    def is_alive(self, heartbeat: float) -> bool:
        """Whether the holder still runs; `heartbeat` is its last sign of life, s since 1970."""
        me = Holder.me()
        if self.host != me.host or abs(self.boot - me.boot) > 1:
            same_host = self.host == me.host
            return not same_host and time.time() - heartbeat < DEAD_AFTER
        with suppress(psutil.Error):
            return abs(int(psutil.Process(self.pid).create_time()) - self.started) <= 1
        return False


class Locks:
    """The locks that this run holds, one file an ObsID, kept alive by a thread.

    Parameters
    ----------
    directory : Path
        Where the lock files are.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._me = Holder.me()
        self._held: set[Path] = set()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        self._directory.mkdir(parents=True, exist_ok=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closed.set()
        self._thread.join()
        for path in tuple(self._held):
            self._release(path)

    def acquire(self, obsid: int) -> Holder | None:
        """Take an ObsID's lock.

        Returns
        -------
        Holder or None
            Who has it, where it cannot be had; None when it is ours.
        """
        path = self._directory / f"{obsid}.lock"
        while True:
            with suppress(FileExistsError):
                self._create(path)
                return None
            holder = self._live_holder(path)
            if holder is not None:
                return holder

    def release(self, obsid: int) -> None:
        """Give an ObsID's lock back."""
        self._release(self._directory / f"{obsid}.lock")

    def _create(self, path: Path) -> None:
        with path.open("x", encoding="utf-8") as stream:
            self._held.add(path)
            json.dump(asdict(self._me), stream)

    def _live_holder(self, path: Path) -> Holder | None:
        """Who holds a lock; a dead holder's is removed."""
        try:
            heartbeat = path.stat().st_mtime
            holder = Holder(**json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError):
            holder = Holder("an unknown machine", 0, 0, 0, "an unknown user")
        if holder.is_alive(heartbeat):
            return holder
        # Of two runs that find the same dead holder one moves the file away; a lock that was
        # taken over in between is put back.
        grave = path.with_suffix(f".{self._me.host}.{self._me.pid}.{threading.get_ident()}.dead")
        with suppress(FileNotFoundError):
            path.rename(grave)
            if grave.stat().st_mtime != heartbeat:
                os.link(grave, path)
            grave.unlink()
        return None

    def _release(self, path: Path) -> None:
        self._held.discard(path)
        path.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT):
            for path in tuple(self._held):
                with suppress(OSError):
                    os.utime(path)
