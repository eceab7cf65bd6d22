"""A file on its way: grows beside its place, can be taken up again, and gets its name when it is whole."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import BinaryIO

from chandra_runner.storage.atomic_write import sync

SUFFIX = ".part"


@dataclass(frozen=True)
class Origin:
    """What a half file is half of.

    Parameters
    ----------
    url : str
        Where it comes from.
    total : int or None
        Bytes of the whole file.
    validator : str
        ETag or Last-Modified of the version that was begun; empty: it cannot be taken up again.
    modified : str
        Last-Modified as sent; may be empty.
    """

    url: str
    total: int | None
    validator: str
    modified: str = ""


class PartialFile:
    """The half file of a target.

    Parameters
    ----------
    target : Path
        The file's place.
    """

    def __init__(self, target: Path) -> None:
        self.target = target
        self.path = target.with_name(f"{target.name}{SUFFIX}")
        self._note = target.with_name(f".{target.name}{SUFFIX}.json")

    @property
    def size(self) -> int:
        """Bytes that are here."""
        try:
            return self.path.stat().st_size
        except FileNotFoundError:
            return 0

    def origin(self) -> Origin | None:
        """What the half file is half of; None where nobody knows."""
        try:
            return Origin(**json.loads(self._note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def begin(self, origin: Origin) -> None:
        """Forget what is here, and note what comes now: the note never tells of other bytes than these."""
        self.discard()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._note.write_text(json.dumps(asdict(origin)), encoding="utf-8")

    def append(self) -> BinaryIO:
        """Open for writing at its end, unbuffered: what came is kept when the process is killed."""
        return self.path.open("ab", buffering=0)

    def discard(self) -> None:
        """Remove the half file and its note; the file first, as no note may tell of other bytes."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def finish(self) -> None:
        """Give the file its name, with all of it on the disk, and the time that it has in the archive."""
        sync(self.path)
        origin = self.origin()
        if origin is not None and origin.modified:
            _set_time(self.path, origin.modified)
        self.path.replace(self.target)
        self._note.unlink(missing_ok=True)


def _set_time(path: Path, modified: str) -> None:
    try:
        seconds = parsedate_to_datetime(modified).timestamp()
        os.utime(path, (seconds, min(seconds, path.stat().st_mtime)))
    except (ValueError, OverflowError):
        pass  # no date that this machine knows
