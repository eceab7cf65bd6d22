"""One run at a time works on an ObsID; the lock of a run that died is taken over."""

from __future__ import annotations

import errno
import getpass
import json
import os
import socket
import stat
import threading
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, Self

import psutil
from filelock import FileLock

HEARTBEAT = 60.0
"""Time between heartbeats of a held lock, s."""
DEAD_AFTER = 600.0
"""A holder on another machine without a heartbeat for this long counts as dead, s."""
_NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.ENOSYS)
"""How file systems without hard links refuse to make one."""


@dataclass(frozen=True)
class Holder:
    """The process that holds a lock.

    Parameters
    ----------
    host : str
        Name of the machine.
    boot : str
        Identifies the boot of the machine: a process number means nothing after a reboot.
    pid : int
        Process number.
    started : str
        Identifies the start of the process: process numbers are used again.
    since : float
        When the process started, s since 1970; for people.
    user : str
        User name.
    """

    host: str
    boot: str
    pid: int
    started: str
    since: float
    user: str

    @classmethod
    def me(cls) -> Self:
        """Return this process."""
        pid = os.getpid()
        since = psutil.Process(pid).create_time()
        return cls(socket.gethostname(), _boot(), pid, _process_start(pid), since, _user())

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the holder that a lock file names.

        Raises
        ------
        ValueError
            The text is not that of a lock file.
        """
        document: Any = json.loads(text)
        fields = cls.__dataclass_fields__
        if not isinstance(document, dict) or document.keys() != fields.keys():
            raise ValueError("not a lock file")
        if not all(isinstance(document[name], type(getattr(_EXAMPLE, name))) for name in fields):
            raise ValueError("not a lock file")
        return cls(**document)

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.since).strftime("%Y-%m-%d %H:%M:%S")
        return f"process {self.pid} of {self.user} on {self.host}, running since {since}"

    def is_alive(self, heartbeat: float) -> bool:
        """Return whether the holder still runs.

        Parameters
        ----------
        heartbeat : float
            When it last showed that it is alive, s since 1970.
        """
        if self.host == socket.gethostname():
            return self.boot == _boot() and self.started == _process_start(self.pid)
        # Clocks of machines differ: a heartbeat far in the future is as wrong as one far in the past.
        return abs(time.time() - heartbeat) < DEAD_AFTER


_EXAMPLE = Holder("", "", 0, "", 0.0, "")
_UNKNOWN = Holder("an unknown machine", "", 0, "", 0.0, "an unknown user")
"""Stands for the holder of a lock file that cannot be read: it counts as alive while the file is young."""


class Locks:
    """The locks that this run holds: one file for each ObsID, kept alive by a thread.

    Parameters
    ----------
    directory : Path
        The directory of the lock files, which all runs share.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._me = json.dumps(asdict(Holder.me()))
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
        """Take the lock of an ObsID.

        Returns
        -------
        Holder or None
            The process that holds it; None when it is ours.
        """
        path = self._directory / f"{obsid}.lock"
        # The file is written aside, so that a lock file is never seen half written.
        own = path.with_name(f".{obsid}.{socket.gethostname()}.{os.getpid()}.{threading.get_ident()}")
        own.write_text(self._me, encoding="utf-8")
        try:
            while True:
                if self._create(own, path):
                    return None
                holder = self._live_holder(own, path)
                if holder is not None or path in self._held:
                    return holder
        finally:
            own.unlink(missing_ok=True)

    def release(self, obsid: int) -> None:
        """Give the lock of an ObsID back."""
        self._release(self._directory / f"{obsid}.lock")

    def _create(self, own: Path, path: Path) -> bool:
        """Put our lock file into place, unless there is one; return whether it is there."""
        try:
            os.link(own, path)
        except FileExistsError:
            return False
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            try:
                with path.open("x", encoding="utf-8") as stream:
                    stream.write(self._me)
            except FileExistsError:
                return False
        self._held.add(path)
        return True

    def _live_holder(self, own: Path, path: Path) -> Holder | None:
        """Return who holds a lock, or None where nobody does: the lock of a dead holder is taken over."""
        seen = _read(path)
        if seen is None:
            return None
        holder = _holder_of(seen.text)
        if holder.is_alive(seen.heartbeat):
            return holder
        # Several runs may find the same dead holder. One at a time replaces its file, and only if
        # it is still the file that was judged.
        with FileLock(self._directory / ".takeover"):
            if _read(path) == seen:
                own.replace(path)
                self._held.add(path)
        return None

    def _release(self, path: Path) -> None:
        self._held.discard(path)
        current = _read(path)
        if current is not None and current.text == self._me:
            path.unlink(missing_ok=True)

    def _beat(self) -> None:
        while not self._closed.wait(HEARTBEAT):
            for path in tuple(self._held):
                with suppress(OSError):
                    os.utime(path)


@dataclass(frozen=True)
class _LockFile:
    """What a lock file looks like now."""

    heartbeat: float
    inode: int
    text: str


def _read(path: Path) -> _LockFile | None:
    """Return a lock file, or None where there is none. Only regular files are opened."""
    try:
        status = path.lstat()
        text = ""
        if stat.S_ISREG(status.st_mode):
            with path.open(encoding="utf-8", errors="replace") as stream:
                text = stream.read(4096)
    except FileNotFoundError:
        return None
    except OSError:
        text = ""
    return _LockFile(status.st_mtime, status.st_ino, text)


def _holder_of(text: str) -> Holder:
    try:
        return Holder.from_json(text)
    except ValueError:
        return _UNKNOWN


@cache
def _boot() -> str:
    """Return what identifies the boot of this machine, whatever happens to its clock."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        return str(int(psutil.boot_time()))


def _process_start(pid: int) -> str:
    """Return what identifies the start of a process, whatever happens to the clock; empty if it has ended."""
    if Path("/proc/self/stat").exists():
        with suppress(OSError):
            # Field 3: the state; field 22: clock ticks from the boot to the start. Field 2, the name, may
            # hold blanks.
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            # A zombie has ended; where a container has no init process, it stays for ever.
            return "" if fields[0] == "Z" else fields[19]
        return ""
    try:
        return str(int(psutil.Process(pid).create_time()))
    except psutil.Error:
        return ""


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):  # a container's user without a passwd entry
        return f"uid {os.getuid()}"
