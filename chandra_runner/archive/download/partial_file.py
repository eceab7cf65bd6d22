"""Partly downloaded files, which can be continued, and get their name when they are complete."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

from chandra_runner.storage.atomic_write import sync

SUFFIX = ".part"


@dataclass(frozen=True, kw_only=True)
class RemoteVersion:
    """The version of a file on a server that was begun.

    Parameters
    ----------
    url : str
        Address of the file.
    total : int or None
        Size of the whole file, bytes.
    validator : str
        ETag or Last-Modified of that version; empty if it cannot be continued.
    modified : str
        Last-Modified as sent; may be empty.
    """

    url: str
    total: int | None
    validator: str
    modified: str = ""


class PartialFile:
    """The partial file of a target.

    Parameters
    ----------
    target : Path
        Path of the complete file.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}{SUFFIX}")
        self._note = target.with_name(f".{target.name}{SUFFIX}.json")

    @property
    def size(self) -> int:
        """Number of bytes received so far."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def version(self) -> RemoteVersion | None:
        """Return the version that was begun; None if that is not known."""
        try:
            return RemoteVersion(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def begin(self, version: RemoteVersion) -> None:
        """Start a version: discard what was received, then note the version.

        In this order a note never stands for bytes of another version, whenever the process is killed.
        """
        self.discard()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._note.write_text(json.dumps(asdict(version)), encoding="utf-8")

    def append(self) -> BinaryIO:
        """Open for appending, unbuffered: received bytes are kept if the process is killed."""
        return self.path.open("ab", buffering=0)

    def discard(self) -> None:
        """Remove the partial file, then its note: a note must not stand for other bytes."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self) -> None:
        """Flush the file to disk, give it its name, and the time that it has in the archive."""
        # Before the new name: after a crash of the machine a file with its final name must be complete.
        sync(self.path)
        version = self.version()
        if version is not None and version.modified:
            _set_time(self.path, version.modified)
        self.path.replace(self.target)
        self._note.unlink(missing_ok=True)


def _set_time(path: Path, modified: str) -> None:
    try:
        seconds = parsedate_to_datetime(modified).timestamp()
        os.utime(path, (seconds, min(seconds, path.stat().st_mtime)))
    except (ValueError, OverflowError):
        pass  # not a date that this machine can represent
