"""Completing an ObsID directory from archives, tried in order; one run at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from chandra_runner import synthetic as sample
from chandra_runner.archive.errors import ArchiveError, NotAvailableError
from chandra_runner.errors import DataError, SiteError, from_os
from chandra_runner.observation.raw_files import list_files
from chandra_runner.storage.locks import Locks
from chandra_runner.storage.state_directory import state_directory

from .archives import Archive, open_archive
from .download_record import DownloadRecord
from .fetch import fetch_files
from .file_selection import FileSelection, interrupted_files, missing_files, select_files
from .locations import SAMPLE
from .refresh import finish_switch, is_switching, refresh_files
from .transfer import ReportProgress

POLL_INTERVAL = 0.5
"""Time between two attempts to get the lock of an ObsID directory, s."""


@dataclass(frozen=True, kw_only=True)
class DownloadRequest:
    """The files that an ObsID directory must have, and the archives to download them from.

    Parameters
    ----------
    obsid : int
        The ObsID.
    directory : Path
        The ObsID directory; need not exist.
    archives : tuple of str
        Names and URLs, in the order in which they are tried.
    selection : FileSelection
        The files that the directory must have.
    refresh : bool
        Whether to look for a newer processing version even if nothing is missing.
    idle_timeout : float
        Time without a byte after which a connection is given up, s.
    scratch : Path
        An existing directory for temporary files.
    report_progress : callable
        Called with ``(done, total, "B")``.
    """

    obsid: int
    directory: Path
    archives: tuple[str, ...]
    selection: FileSelection
    refresh: bool
    idle_timeout: float
    scratch: Path
    report_progress: ReportProgress = field(repr=False)

    @property
    def name(self) -> str:
        """Name of the ObsID in messages."""
        return f"ObsID {self.obsid}"

    def reason(self) -> str:
        """Return why an archive must be asked; empty if the directory is complete."""
        missing = interrupted_files(self.directory)
        if missing:
            return f"an interrupted download did not get {', '.join(missing)}"
        if not list_files(self.directory):
            return f"it was not found under {self.directory.parent}"
        if not self.archives:
            return ""
        missing = missing_files(self.directory, self.selection)
        if missing:
            return f"{', '.join(missing)} {'are' if missing[1:] else 'is'} missing"
        return "newer data are requested" if self.refresh else ""


def download_missing_files(request: DownloadRequest) -> None:
    """Download what is missing; contact no archive if nothing is.

    Raises
    ------
    DataError
        A file is missing, and no archive has it.
    SiteError
        The disk is full, or the directory cannot be written.
    """
    try:
        # Old and new files may lie side by side now, so that nothing can be said about what is missing.
        if is_switching(request.directory):
            with _exclusive_access(request):
                finish_switch(request.directory)
        reason = request.reason()
        if reason and not request.archives:
            raise DataError(
                f"{request.name}: {reason}; with archive: none nothing is downloaded", _hint(request)
            )
        if reason:
            with _exclusive_access(request) as state:
                _try_archives(request, state)
    except OSError as error:
        raise SiteError(
            f"{request.name} cannot be written to {request.directory.parent}: {from_os(error).message}",
            "make room or give permission there, or choose another directory with data: or --data",
        ) from error


def _try_archives(request: DownloadRequest, state: Path) -> None:
    """Try one archive after the other until nothing is missing."""
    failed: list[ArchiveError] = []
    for name in request.archives:
        reason = request.reason()  # another run, or the archive before, may have completed it
        if not reason:
            return
        logger.info(f"{request.name}: {reason}; trying {name}")
        try:
            archive = open_archive(
                name, idle_timeout=request.idle_timeout, state=state, scratch=request.scratch
            )
            complete = _download_from(archive, request)
        except ArchiveError as error:
            failed.append(_named(error, name, request))
            logger.warning(str(failed[-1]))
        else:
            if complete:
                return
    if failed and request.reason():
        _check_outcome(request, failed)


def _download_from(archive: Archive, request: DownloadRequest) -> bool:
    """Download what an archive has of the missing files; return whether that was all."""
    directory = request.directory
    incomplete = interrupted_files(directory) or missing_files(directory, request.selection)
    if list_files(directory) and not incomplete:
        if not refresh_files(
            archive,
            directory,
            obsid=request.obsid,
            selection=request.selection,
            report_progress=request.report_progress,
        ):
            logger.info(f"{request.name}: {archive.name} has nothing newer")
        return True
    entries = select_files(archive.files(request.obsid), directory, request.selection)
    fetch_files(
        archive,
        entries,
        directory,
        obsid=request.obsid,
        record=DownloadRecord.read(directory),
        report_progress=request.report_progress,
    )
    return not missing_files(directory, request.selection)


def _check_outcome(request: DownloadRequest, failed: list[ArchiveError]) -> None:
    """Decide, after all archives were tried, whether the missing files are a failure.

    If all archives answered and none has more, the directory is as complete as it can be. If an archive did
    not answer, the files may come tomorrow, and then the same recipe would have other products.

    Raises
    ------
    DataError
        They are.
    """
    some = list_files(request.directory) and not interrupted_files(request.directory)
    if some and all(isinstance(error, NotAvailableError) for error in failed):
        logger.info(f"{request.name}: no archive has more files")
        return
    hint = next((error.hint for error in failed if error.hint), "")
    without = "use archive: none to run with the files that are there" if some else _hint(request)
    raise DataError("; ".join(error.message for error in failed), hint or without)


def _named(error: ArchiveError, name: str, request: DownloadRequest) -> ArchiveError:
    """Return the error with ObsID and archive in its message; errors about a file have them already."""
    if error.names_file:
        return error
    return type(error)(f"{request.name}: {name}: {error.message}", error.hint)


def _hint(request: DownloadRequest) -> str:
    if interrupted_files(request.directory):
        return "run again: the download continues where it stopped"
    if request.obsid in sample.OBSIDS and SAMPLE not in request.archives:
        return f"it is a synthetic observation: write archive: [{SAMPLE}] in the recipe"
    return f"put its directory under {request.directory.parent}, or add an archive that has it"


@contextmanager
def _exclusive_access(request: DownloadRequest) -> Iterator[Path]:
    """Be the only run that writes to this directory; wait for another one that does."""
    # Runs that reach the data over different links must find the same lock.
    state = state_directory(request.directory.resolve().parent)
    state.mkdir(parents=True, exist_ok=True)
    with Locks(state) as locks:
        reported = False
        while (holder := locks.acquire(request.obsid)) is not None:
            if not reported:
                logger.info(f"{request.name}: is being downloaded by {holder}; waiting for it")
                reported = True
            time.sleep(POLL_INTERVAL)
        try:
            yield state
        finally:
            locks.release(request.obsid)
