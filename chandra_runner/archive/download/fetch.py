"""Downloading files of one observation from one archive, several at a time, each verified."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from loguru import logger

from chandra_runner.archive.connection_limit import MAX_CONNECTIONS
from chandra_runner.archive.errors import ArchiveError
from chandra_runner.errors import DataError, SiteError, from_os
from chandra_runner.observation.raw_files import kind_of
from chandra_runner.storage.atomic_write import sync

from .archives import Archive
from .download_record import DownloadRecord, FileOrigin
from .integrity import check_integrity
from .listing import ListedFile
from .partial_file import PartialFile
from .transfer import LARGEST_FILE, ReportProgress

LARGEST_OBSERVATION = 128 << 30
"""Largest size of an observation, bytes."""
SPARE = 64 << 20
"""Space that is left free on the disk, bytes."""
DAMAGED_TRIES = 2
"""How often a file that arrives damaged is downloaded from the start."""


class ProgressMeter:
    """Counts received bytes, from several threads."""

    def __init__(self, done: int, total: int, report_progress: ReportProgress) -> None:
        self._done, self._total, self._report_progress = done, total, report_progress
        self._lock = threading.Lock()
        self.advance(0)

    def advance(self, count: int) -> None:
        """Add received bytes; a negative number if they must be received again."""
        with self._lock:
            self._done += count
            self._report_progress(self._done, max(self._total, self._done), "B")


def fetch_files(
    archive: Archive,
    entries: Sequence[ListedFile],
    directory: Path,
    *,
    obsid: int,
    record: DownloadRecord,
    report_progress: ReportProgress,
) -> None:
    """Download files into a directory; each appears when it is complete.

    Parameters
    ----------
    archive : Archive
        The archive.
    entries : sequence of ListedFile
        The files.
    directory : Path
        The directory in which they are put at their paths.
    obsid : int
        The ObsID, for messages.
    record : DownloadRecord
        Record of the directory, kept current: files that are pending, and the origin of each file.
    report_progress : callable
        Called with ``(done, total, "B")`` during the download.

    Raises
    ------
    ArchiveError
        Some files could not be downloaded; all others were.
    SiteError
        The disk has no room.
    """
    with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
        sized = list(pool.map(lambda entry: _with_size(archive, obsid, entry), entries))
    parts = [PartialFile(directory / entry.path) for entry in sized]
    received, total = sum(part.size for part in parts), sum(entry.size or 0 for entry in sized)
    _log_sizes(archive.name, obsid, sized, received, total)
    _check_room(obsid, directory, total, total - received)
    record.pending = [entry.path for entry in entries]
    record.write(directory)
    # The index first, because the next run needs it to know what is missing; then the largest files.
    order = sorted(range(len(sized)), key=lambda i: (kind_of(sized[i].path) != "oif", -(sized[i].size or 0)))
    downloads = _FileDownloads(
        archive=archive,
        directory=directory,
        obsid=obsid,
        record=record,
        meter=ProgressMeter(received, total, report_progress),
    )
    downloads.download_all([(sized[i], parts[i]) for i in order])
    record.write(directory)
    for changed in {part.target.parent for part in parts} | {directory}:
        sync(changed)  # so that the new names survive a crash of the machine


class _FileDownloads:
    """Downloads files, several at a time."""

    def __init__(
        self, *, archive: Archive, directory: Path, obsid: int, record: DownloadRecord, meter: ProgressMeter
    ) -> None:
        self._archive, self._obsid, self._meter = archive, obsid, meter
        self._record, self._directory = record, directory
        self._lock = threading.Lock()

    def download_all(self, files: Sequence[tuple[ListedFile, PartialFile]]) -> None:
        """Download all files, or as many as possible; raise the first error."""
        with ThreadPoolExecutor(MAX_CONNECTIONS) as pool:
            futures = [pool.submit(self._download, entry, part) for entry, part in files]
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, return_when=FIRST_EXCEPTION)
                if any(isinstance(future.exception(), SiteError) for future in done):
                    pool.shutdown(wait=False, cancel_futures=True)  # a full disk is full for all
                    waiting = {future for future in waiting if not future.cancelled()}
        # All files that can be had are downloaded before an error ends it: the next run has less to do.
        errors = [e for future in futures if not future.cancelled() and (e := future.exception())]
        for error in sorted(errors, key=lambda e: not isinstance(e, SiteError)):
            raise error

    def _download(self, entry: ListedFile, part: PartialFile) -> None:
        """Download one file, verify it, give it its name and record its origin."""
        where = f"ObsID {self._obsid}, {entry.path}"
        try:
            part.path.parent.mkdir(parents=True, exist_ok=True)
            self._fetch_verified(entry, part)
            part.finish()
            self._record_origin(entry)
        except DataError as error:
            message = f"{where}: {self._archive.name}: {error.message}"
            raise ArchiveError(message, error.hint, names_file=True) from error
        except OSError as error:
            explained = from_os(error)
            raise SiteError(f"{where} cannot be written: {explained.message}", explained.hint) from error
        logger.info(f"{where}: {part.target.stat().st_size / 1e6:.2f} MB from {self._archive.name}")

    def _fetch_verified(self, entry: ListedFile, part: PartialFile) -> None:
        """Download and verify; a damaged file is downloaded again, a limited number of times."""
        for attempt in range(1, DAMAGED_TRIES + 1):
            self._archive.fetch(entry, part, self._meter.advance)
            try:
                check_integrity(part.path, part.target.name)
                return
            except DataError as error:
                self._meter.advance(-part.size)
                part.discard()
                if attempt == DAMAGED_TRIES:
                    raise ArchiveError(f"the file arrives damaged: {error.message}") from error
                logger.warning(
                    f"ObsID {self._obsid}, {entry.path}: damaged ({error.message}); downloading it again"
                )

    def _record_origin(self, entry: ListedFile) -> None:
        with self._lock:
            now = datetime.now(UTC).isoformat(timespec="seconds")
            url = entry.url if "://" in entry.url else self._archive.name
            self._record.sources[entry.path] = FileOrigin(url, now)
            self._record.pending.remove(entry.path)
            self._record.write(self._directory)


def _with_size(archive: Archive, obsid: int, entry: ListedFile) -> ListedFile:
    """Return a listed file with its size.

    An archive that lists a file but does not deliver it has failed. That is never a `NotAvailableError`,
    which would mean that the observation is complete without the file.
    """
    try:
        size = archive.size(entry)
    except ArchiveError as error:
        text = f"ObsID {obsid}, {entry.path}: {archive.name}: {error.message}"
        raise ArchiveError(text, error.hint, names_file=True) from error
    if size is not None and size > LARGEST_FILE:
        message = f"ObsID {obsid}, {entry.path}: {archive.name}: {size} bytes, more than any file has"
        raise ArchiveError(message, names_file=True)
    return replace(entry, size=size)


def _log_sizes(name: str, obsid: int, entries: Sequence[ListedFile], received: int, total: int) -> None:
    unsized = sum(entry.size is None for entry in entries)
    begun = f", {received / 1e6:.1f} MB of them already received" if received else ""
    more = f" and {unsized} of unknown size" if unsized else ""
    logger.info(
        f"ObsID {obsid}: {len(entries)} files to download from {name}, {total / 1e6:.1f} MB{more}{begun}"
    )


def _check_room(obsid: int, directory: Path, total: int, to_come: int) -> None:
    """Refuse files that do not fit on the disk.

    Raises
    ------
    ArchiveError
        They are too large for an observation.
    SiteError
        There is no room on the disk.
    """
    if total > LARGEST_OBSERVATION:
        raise ArchiveError(f"its files have {total >> 30} GB together, more than any observation")
    existing = next(path for path in (directory, *directory.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if to_come + SPARE > free:
        raise SiteError(
            f"ObsID {obsid}: {to_come / 1e6:.0f} MB to download, but {existing} has {free / 1e6:.0f} MB free",
            "make room there, or choose another directory with data: or --data",
        )
