"""Sees to it that an ObsID directory has what is wanted: archive after archive, one run at a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from loguru import logger

from chandra_runner import synthetic as sample
from chandra_runner.archive.errors import AbsentError, ArchiveError
from chandra_runner.errors import DataError, SiteError, from_os
from chandra_runner.observation.raw_files import list_files
from chandra_runner.storage.locks import Locks
from chandra_runner.storage.state_directory import state_directory

from .archives import Archive, open_archive
from .download_record import Record
from .fetch import fetch_files
from .file_selection import FileSelection, choose, lacking, unfinished
from .locations import SAMPLE
from .refresh import finish_switch, is_switching, refresh

POLL = 0.5


@dataclass(frozen=True)
class DownloadRequest:
    """What is to be in an ObsID directory, and how it gets there.

    Parameters
    ----------
    obsid : int
        Which.
    directory : Path
        The ObsID directory; need not exist.
    archives : tuple of str
        Names and URLs, in the order in which they are asked.
    wanted : FileSelection
        Which files.
    newer : bool
        Whether to ask for a newer processing version though nothing is missing.
    idle_timeout : float
        Seconds without a byte after which a connection is given up.
    scratch : Path
        An existing directory for temporary files.
    tell : callable
        Is told ``(done, total, "B")``.
    """

    obsid: int
    directory: Path
    archives: tuple[str, ...]
    wanted: FileSelection
    newer: bool
    idle_timeout: float
    scratch: Path
    tell: Callable[[float, float, str], None] = field(repr=False)

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"ObsID {self.obsid}"

    def reason(self) -> str:
        """Why an archive has to be asked; empty where the directory has what is wanted."""
        missing = unfinished(self.directory)
        if missing:
            return f"a download that was interrupted left out {', '.join(missing)}"
        if not list_files(self.directory):
            return f"it is not under {self.directory.parent}"
        if not self.archives:
            return ""
        missing = lacking(self.directory, self.wanted)
        if missing:
            return f"{', '.join(missing)} {'are' if missing[1:] else 'is'} missing"
        return "newer data are wanted" if self.newer else ""


def bring(errand: DownloadRequest) -> None:
    """Fetch what is missing; ask no archive where nothing is.

    Raises
    ------
    DataError
        It cannot be had.
    SiteError
        The disk is full, or the directory cannot be written.
    """
    try:
        if is_switching(errand.directory):
            with _alone(errand):
                finish_switch(errand.directory)
        reason = errand.reason()
        if reason and not errand.archives:
            raise DataError(f"{errand.name}: {reason}; archive: none fetches nothing", _hint(errand))
        if reason:
            with _alone(errand) as state:
                _ask_all(errand, state)
    except OSError as error:
        raise SiteError(
            f"{errand.name} cannot be written to {errand.directory.parent}: {from_os(error).message}",
            "make room or give permission there, or name another directory with data: or --data",
        ) from error


def _ask_all(errand: DownloadRequest, state: Path) -> None:
    """Ask one archive after the other, until nothing is missing."""
    failed: list[ArchiveError] = []
    for name in errand.archives:
        reason = errand.reason()  # another run, or the archive before, may have brought it
        if not reason:
            return
        logger.info(f"{errand.name}: {reason}: asking {name}")
        try:
            complete = _ask(open_archive(name, errand.idle_timeout, state, errand.scratch), errand)
        except ArchiveError as error:
            failed.append(_named(error, name, errand))
            logger.warning(str(failed[-1]))
        else:
            if complete:
                return
    if failed and errand.reason():
        _judge(errand, failed)


def _ask(archive: Archive, errand: DownloadRequest) -> bool:
    """Bring what an archive has of what is missing; whether that was all."""
    directory = errand.directory
    if list_files(directory) and not unfinished(directory) and not lacking(directory, errand.wanted):
        if not refresh(archive, errand.obsid, directory, errand.wanted, errand.tell):
            logger.info(f"{errand.name}: {archive.name} has nothing newer")
        return True
    entries = choose(archive.files(errand.obsid), directory, errand.wanted)
    fetch_files(archive, errand.obsid, entries, directory, Record.read(directory), errand.tell)
    return not lacking(directory, errand.wanted)


def _judge(errand: DownloadRequest, failed: list[ArchiveError]) -> None:
    """All archives were asked: can the observation do without?

    A directory of which no archive has more is as complete as it gets. One whose files did not come today is
    not: the same recipe would make something else tomorrow.

    Raises
    ------
    DataError
        It cannot.
    """
    some = list_files(errand.directory) and not unfinished(errand.directory)
    if some and all(isinstance(error, AbsentError) for error in failed):
        logger.info(f"{errand.name}: no archive has more of it")
        return
    hint = next((error.hint for error in failed if error.hint), "")
    without = "with archive: none the run takes what there is" if some else _hint(errand)
    raise DataError("; ".join(error.message for error in failed), hint or without)


def _named(error: ArchiveError, name: str, errand: DownloadRequest) -> ArchiveError:
    """The error with ObsID and archive in its message, where it has them not yet."""
    start = f"{errand.name}:"
    if error.message.startswith((start, f"{errand.name},")):
        return error
    return type(error)(f"{start} {name}: {error.message}", error.hint)


def _hint(errand: DownloadRequest) -> str:
    if unfinished(errand.directory):
        return "run again, and the download goes on where it stopped"
    if errand.obsid in sample.OBSIDS and SAMPLE not in errand.archives:
        return f"it is a synthetic one: with archive: [{SAMPLE}] in the recipe it is made"
    return f"put its directory under {errand.directory.parent}, or name an archive that has it"


@contextmanager
def _alone(errand: DownloadRequest) -> Iterator[Path]:
    """Be the only run that fills this directory; wait for another one that does."""
    place = errand.directory.resolve()
    state = state_directory(place.parent)
    state.mkdir(parents=True, exist_ok=True)
    with Locks(state) as locks:
        told = False
        while (holder := locks.acquire(errand.obsid)) is not None:
            if not told:
                logger.info(f"{errand.name}: is being fetched by {holder}; waiting for it")
                told = True
            time.sleep(POLL)
        try:
            yield state
        finally:
            locks.release(errand.obsid)
