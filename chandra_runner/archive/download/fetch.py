"""Brings files of one observation from one archive: says how much is to come, several at a time, verified."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from loguru import logger

from chandra_runner.archive.errors import ArchiveError
from chandra_runner.errors import DataError, SiteError, from_os
from chandra_runner.observation.raw_files import kind_of
from chandra_runner.storage.atomic_write import sync

from .archives import LARGEST_FILE, Archive
from .connection_limit import MAX_CONNECTIONS
from .download_record import Record, Source
from .integrity import check_intact
from .listing import ListedFile
from .partial_file import PartialFile

LARGEST_OBSERVATION = 128 << 30
"""Bytes; more is no observation."""
SPARE = 64 << 20
"""Bytes that are left free on the disk."""
DAMAGED_TRIES = 2
"""How often a file that arrives damaged is fetched from its start."""


class Meter:
    """Counts the bytes that come, from several threads."""

    def __init__(self, done: int, total: int, tell: Callable[[float, float, str], None]) -> None:
        self._done, self._total, self._tell = done, total, tell
        self._lock = threading.Lock()
        self.advance(0)

    def advance(self, count: int) -> None:
        """So many bytes more; less, where some have to come again."""
        with self._lock:
            self._done += count
            self._tell(self._done, max(self._total, self._done), "B")


def fetch_files(
    archive: Archive,
    obsid: int,
    entries: Sequence[ListedFile],
    directory: Path,
    record: Record,
    tell: Callable[[float, float, str], None],
) -> None:
    """Bring files into a directory; each appears when it is whole.

    Parameters
    ----------
    archive : Archive
        Where they come from.
    obsid : int
        Whose they are.
    entries : sequence of ListedFile
        Which.
    directory : Path
        Where they go, by their paths.
    record : Record
        Kept up to date in the directory: which files are to come, and where each came from.
    tell : callable
        Is told ``(done, total, "B")`` while they come.

    Raises
    ------
    ArchiveError
        Some did not come; all others did, as far as they could be had.
    SiteError
        The disk has no room for them.
    """
    with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
        sized = list(pool.map(lambda entry: _with_size(archive, obsid, entry), entries))
    parts = [PartialFile(directory / entry.path) for entry in sized]
    here, total = sum(part.size for part in parts), sum(entry.size or 0 for entry in sized)
    _announce(archive.name, obsid, sized, here, total)
    _check_room(obsid, directory, total, total - here)
    record.pending = [entry.path for entry in entries]
    record.write(directory)
    order = sorted(range(len(sized)), key=lambda i: (kind_of(sized[i].path) != "oif", -(sized[i].size or 0)))
    worker = _Worker(archive, obsid, record, directory, Meter(here, total, tell))
    worker.bring([(sized[i], parts[i]) for i in order])
    record.write(directory)
    for changed in {part.target.parent for part in parts} | {directory}:
        sync(changed)  # makes the new names last


class _Worker:
    """Brings files, several at a time."""

    def __init__(self, archive: Archive, obsid: int, record: Record, directory: Path, meter: Meter) -> None:
        self._archive, self._obsid, self._meter = archive, obsid, meter
        self._record, self._directory = record, directory
        self._lock = threading.Lock()

    def bring(self, files: Sequence[tuple[ListedFile, PartialFile]]) -> None:
        """All of them, or as many as can be had; raises the first of what went wrong."""
        with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
            futures = [pool.submit(self._one, entry, part) for entry, part in files]
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_EXCEPTION)
                if any(isinstance(future.exception(), SiteError) for future in done):
                    pool.shutdown(wait=False, cancel_futures=True)  # a full disk is full for all
                    waiting = {future for future in waiting if not future.cancelled()}
        errors = [e for future in futures if not future.cancelled() and (e := future.exception())]
        for error in sorted(errors, key=lambda e: not isinstance(e, SiteError)):
            raise error

    def _one(self, entry: ListedFile, part: PartialFile) -> None:
        where = f"ObsID {self._obsid}, {entry.path}"
        try:
            part.path.parent.mkdir(parents=True, exist_ok=True)
            self._fetch_intact(entry, part)
            part.finish()
            self._note(entry)
        except DataError as error:
            raise ArchiveError(f"{where}: {self._archive.name}: {error.message}", error.hint) from error
        except OSError as error:
            told = from_os(error)
            raise SiteError(f"{where} cannot be written: {told.message}", told.hint) from error
        logger.info(f"{where}: {part.target.stat().st_size / 1e6:.2f} MB from {self._archive.name}")

    def _fetch_intact(self, entry: ListedFile, part: PartialFile) -> None:
        """Fetch, verify; a damaged file is thrown away and fetched anew, but not for ever."""
        for attempt in range(1, DAMAGED_TRIES + 1):
            self._archive.fetch(entry, part, self._meter.advance)
            try:
                check_intact(part.path, part.target.name)
                return
            except DataError as error:
                self._meter.advance(-part.size)
                part.discard()
                if attempt == DAMAGED_TRIES:
                    raise ArchiveError(f"what arrives is damaged: {error.message}") from error
                logger.warning(f"ObsID {self._obsid}, {entry.path}: damaged ({error.message}); once more")

    def _note(self, entry: ListedFile) -> None:
        with self._lock:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            url = entry.url if "://" in entry.url else self._archive.name
            self._record.sources[entry.path] = Source(url, now)
            self._record.pending.remove(entry.path)
            self._record.write(self._directory)


def _with_size(archive: Archive, obsid: int, entry: ListedFile) -> ListedFile:
    try:
        size = archive.size(entry)
    except ArchiveError as error:
        text = f"ObsID {obsid}, {entry.path}: {archive.name}: {error.message}"
        raise ArchiveError(text, error.hint) from error
    if size is not None and size > LARGEST_FILE:
        raise ArchiveError(f"ObsID {obsid}, {entry.path}: {archive.name}: {size} bytes: no file is so large")
    return replace(entry, size=size)


def _announce(name: str, obsid: int, entries: Sequence[ListedFile], here: int, total: int) -> None:
    unsized = sum(entry.size is None for entry in entries)
    begun = f", {here / 1e6:.1f} MB of them are here" if here else ""
    more = f" and {unsized} of unknown size" if unsized else ""
    logger.info(f"ObsID {obsid}: {len(entries)} files to come from {name}, {total / 1e6:.1f} MB{more}{begun}")


def _check_room(obsid: int, directory: Path, total: int, to_come: int) -> None:
    """Refuse what does not fit.

    Raises
    ------
    ArchiveError
        It is too large for any observation.
    SiteError
        There is no room on the disk.
    """
    if total > LARGEST_OBSERVATION:
        raise ArchiveError(f"ObsID {obsid}: its files have {total >> 30} GB together, as no observation")
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if to_come + SPARE > free:
        raise SiteError(
            f"ObsID {obsid}: {to_come / 1e6:.0f} MB are to come, and {existing} has {free / 1e6:.0f} MB free",
            "make room there, or name another directory with data: or --data",
        )
