"""Replaces raw data by a newer processing version: all of the new files are whole before an old one goes.

The new files gather in a hidden directory of the ObsID directory. A note that lists what is to change turns
the gathering into a switch: from then on the switch is finished, whatever interrupts it.
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
from .download_record import Record
from .fetch import fetch_files
from .file_selection import FileSelection, newer_and_older, versions
from .listing import ListedFile

STAGING = ".refresh"
_NOTE = "switch.json"


def newer(entries: Sequence[ListedFile], directory: Path, wanted: FileSelection) -> dict[str, str]:
    """Wanted files of an archive whose processing version is higher than the one here: name here -> there."""
    here = [bare_name(path) for path in list_files(directory) if path in wanted]
    there = [bare_name(entry.path) for entry in entries if entry.path in wanted]
    return {
        old: new for old, new in newer_and_older(here, there).items() if versions([new]) > versions([old])
    }


def refresh(
    archive: Archive,
    obsid: int,
    directory: Path,
    wanted: FileSelection,
    tell: Callable[[float, float, str], None],
) -> bool:
    """Take the archive's processing version, where it is a newer one.

    Returns
    -------
    bool
        Whether there was a newer one.

    Raises
    ------
    ArchiveError
        It did not come; the old files are untouched.
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
    if done - {entry.path for entry in chosen}:  # gathered of a version that the archive has no more
        shutil.rmtree(staging)
        done = set()
    record = Record.read(staging)
    fetch_files(archive, obsid, [e for e in chosen if e.path not in done], staging, record, tell)
    _begin_switch(directory, [there[name] for name in replaced])
    finish_switch(directory)
    return True


def is_switching(directory: Path) -> bool:
    """Whether a switch was begun and not finished."""
    return (directory / STAGING / _NOTE).is_file()


def finish_switch(directory: Path) -> None:
    """Do what a switch that was begun has left to do."""
    if not is_switching(directory):
        return
    staging = directory / STAGING
    old: list[str] = json.loads((staging / _NOTE).read_text(encoding="utf-8"))["old"]
    record, fetched = Record.read(directory), Record.read(staging)
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
