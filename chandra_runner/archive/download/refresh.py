"""Replacing raw data by a newer processing version: all new files are complete before an old one is removed.

The new files are collected in a hidden directory of the ObsID directory. A note that lists the old files then
starts the switch: from there on the switch is completed by the next run, whatever interrupts it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from loguru import logger

from chandra_runner.observation.raw_files import bare_name, kind_of, list_files
from chandra_runner.storage.atomic_write import write_atomically

from .archives import Archive
from .download_record import DownloadRecord
from .fetch import fetch_files
from .file_selection import FileSelection, other_versions, versions
from .listing import ListedFile

STAGING = ".refresh"
_NOTE = "switch.json"


def newer(entries: Sequence[ListedFile], directory: Path, wanted: FileSelection) -> dict[str, str]:
    """Return needed files of which an archive has a newer processing version: name here -> name there."""
    here = [bare_name(path) for path in list_files(directory) if path in wanted]
    there = [bare_name(entry.path) for entry in entries if entry.path in wanted]
    return {old: new for old, new in other_versions(here, there).items() if versions([new]) > versions([old])}


def refresh(
    archive: Archive,
    obsid: int,
    directory: Path,
    wanted: FileSelection,
    report_progress: Callable[[float, float, str], None],
) -> bool:
    """Download the archive's processing version if it is newer.

    Returns
    -------
    bool
        Whether there was a newer one.

    Raises
    ------
    ArchiveError
        It could not be downloaded; the old files are unchanged.
    """
    entries = archive.files(obsid)
    replaced = newer(entries, directory, wanted)
    if not replaced:
        return False
    logger.info(
        f"ObsID {obsid}: {versions(replaced)} is here, {archive.name} has {versions(replaced.values())}"
    )
    there = {bare_name(path): path for path in list_files(directory)}
    chosen = [
        entry
        for entry in entries
        if entry.path in wanted and (bare_name(entry.path) not in there or kind_of(entry.path) == "oif")
    ]
    staging = directory / STAGING
    done = set(list_files(staging))
    if done - {entry.path for entry in chosen}:  # from a version that the archive no longer has
        shutil.rmtree(staging)
        done = set()
    record = DownloadRecord.read(staging)
    fetch_files(archive, obsid, [e for e in chosen if e.path not in done], staging, record, report_progress)
    _begin_switch(directory, [there[name] for name in replaced])
    finish_switch(directory)
    return True


def is_switching(directory: Path) -> bool:
    """Return whether a switch was started and not completed."""
    return (directory / STAGING / _NOTE).is_file()


def finish_switch(directory: Path) -> None:
    """Complete a switch that was started."""
    if not is_switching(directory):
        return
    staging = directory / STAGING
    old: list[str] = json.loads((staging / _NOTE).read_text(encoding="utf-8"))["old"]
    record, fetched = DownloadRecord.read(directory), DownloadRecord.read(staging)
    for path in list_files(staging):
        if path != _NOTE:
            _place(staging / path, directory / path)
    for path in old:
        (directory / path).unlink(missing_ok=True)
        record.sources.pop(path, None)
    record.sources |= fetched.sources
    record.write(directory)
    shutil.rmtree(staging)


def _begin_switch(directory: Path, old: Sequence[str]) -> None:
    write_atomically(directory / STAGING / _NOTE, json.dumps({"old": list(old)}))


def _place(new: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    for twin in (target.with_name(f"{target.name}.gz"), target.with_name(target.name.removesuffix(".gz"))):
        if twin != target:
            twin.unlink(missing_ok=True)
    new.replace(target)
