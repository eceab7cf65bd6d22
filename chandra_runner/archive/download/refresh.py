"""Replacing raw data by a newer processing version: all new files are complete before an old one is removed.

The new files are collected in a hidden directory of the ObsID directory. A note that lists the old files then
starts the switch: from there on the switch is completed by the next run, whatever interrupts it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from loguru import logger

from chandra_runner.observation.raw_files import bare_name, kind_of, list_files
from chandra_runner.storage.atomic_write import write_atomically

from .archives import Archive
from .download_record import DownloadRecord
from .fetch import fetch_files
from .file_selection import FileSelection, other_versions, processing_versions
from .listing import ListedFile
from .transfer import ReportProgress

STAGING = ".refresh"
"""Name of the directory in which the new files are collected."""
_NOTE = "switch.json"


def newer_versions(
    entries: Sequence[ListedFile], directory: Path, selection: FileSelection
) -> dict[str, str]:
    """Map names of needed files to their names in a newer processing version that an archive has."""
    here = [bare_name(path) for path in list_files(directory) if path in selection]
    there = [bare_name(entry.path) for entry in entries if entry.path in selection]
    return {
        old: new
        for old, new in other_versions(here, there).items()
        if processing_versions([new]) > processing_versions([old])
    }


def refresh_files(
    archive: Archive,
    directory: Path,
    *,
    obsid: int,
    selection: FileSelection,
    report_progress: ReportProgress,
) -> bool:
    """Replace the files of an ObsID directory by those of an archive, if their processing version is newer.

    Parameters
    ----------
    archive : Archive
        The archive.
    directory : Path
        The ObsID directory.
    obsid : int
        The ObsID.
    selection : FileSelection
        The files that the directory must have.
    report_progress : callable
        Called with ``(done, total, "B")`` during the download.

    Returns
    -------
    bool
        Whether there was a newer version.

    Raises
    ------
    ArchiveError
        It could not be downloaded; the old files are unchanged.
    """
    entries = archive.files(obsid)
    replaced = newer_versions(entries, directory, selection)
    if not replaced:
        return False
    old, new = processing_versions(replaced), processing_versions(replaced.values())
    logger.info(f"ObsID {obsid}: {old} is here, {archive.name} has {new}")
    present = {bare_name(path): path for path in list_files(directory)}
    # Files without a version in their names stay, but the index, which lists the names of all others.
    chosen = [
        entry
        for entry in entries
        if entry.path in selection and (bare_name(entry.path) not in present or kind_of(entry.path) == "oif")
    ]
    staging = directory / STAGING
    fetch_files(
        archive,
        _not_collected(chosen, staging),
        staging,
        obsid=obsid,
        record=DownloadRecord.read(staging),
        report_progress=report_progress,
    )
    # From here on all new files are complete on the disk.
    _begin_switch(directory, [present[name] for name in replaced])
    finish_switch(directory)
    return True


def _not_collected(chosen: Sequence[ListedFile], staging: Path) -> list[ListedFile]:
    """Return the files that an earlier attempt has not collected; discard files of yet another version."""
    collected = set(list_files(staging))
    if collected - {entry.path for entry in chosen}:
        # The archive has reprocessed the observation again since then: two versions must not be mixed.
        shutil.rmtree(staging)
        collected = set()
    return [entry for entry in chosen if entry.path not in collected]


def is_switching(directory: Path) -> bool:
    """Return whether a switch was started and not completed."""
    return (directory / STAGING / _NOTE).is_file()


def finish_switch(directory: Path) -> None:
    """Complete a switch that was started; do nothing if there is none.

    Each step may have been done before the last run was interrupted: all of them can be repeated.
    """
    if not is_switching(directory):
        return
    staging = directory / STAGING
    old: list[str] = json.loads((staging / _NOTE).read_text(encoding="utf-8"))["old"]
    record, fetched = DownloadRecord.read(directory), DownloadRecord.read(staging)
    for path in list_files(staging):
        if path != _NOTE:
            _move_into_place(staging / path, directory / path)
    # New files first: an interrupted switch leaves two versions, which the next run completes, never none.
    for path in old:
        (directory / path).unlink(missing_ok=True)
        record.sources.pop(path, None)
    record.sources |= fetched.sources
    record.write(directory)
    shutil.rmtree(staging)  # with the note, so that the switch is over


def _begin_switch(directory: Path, old: Sequence[str]) -> None:
    """Write the note that starts the switch, with the paths of the files to remove."""
    write_atomically(directory / STAGING / _NOTE, json.dumps({"old": list(old)}))


def _move_into_place(new: Path, target: Path) -> None:
    """Move a new file to its path; remove the old one, compressed or not."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for twin in (target.with_name(f"{target.name}.gz"), target.with_name(target.name.removesuffix(".gz"))):
        if twin != target:
            twin.unlink(missing_ok=True)
    new.replace(target)
