"""Which files of an observation are wanted: what its directory lacks, what an archive has of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from chandra_runner.archive.errors import ArchiveError
from chandra_runner.errors import DataError
from chandra_runner.observation.directory import MISSED_KINDS
from chandra_runner.observation.oif import read_oif
from chandra_runner.observation.raw_files import bare_name, kind_of, list_files

from .download_record import Record
from .listing import ListedFile

_VERSION = re.compile(r"N(\d{3})(?=[_.])")


@dataclass(frozen=True)
class FileSelection:
    """Which files are asked for.

    Parameters
    ----------
    kinds : frozenset of str
        Kinds as of `inventory.kind_of`; empty: all files.
    """

    kinds: frozenset[str] = frozenset()

    def __contains__(self, path: str) -> bool:
        return not self.kinds or kind_of(path) in self.kinds or kind_of(path) == "oif"


def lacking(directory: Path, wanted: FileSelection) -> list[str]:
    """Names, without ``.gz``, of the files that an ObsID directory says it has and that are not there.

    Only those that are wanted. Of a directory that was put together by its owner, only those without which
    something else would come out; one with events and without an oif.fits that can be read lacks nothing.
    """
    paths = list_files(directory)
    there = {_any_version(bare_name(path)) for path in paths}
    index = [path for path in paths if kind_of(path) == "oif"]
    if not index:
        return [] if any(kind_of(path) in ("evt1", "evt2") for path in paths) else ["oif.fits"]
    try:
        listed = [bare_name(member.location) for member in read_oif(directory / index[0]).members]
    except DataError:  # said, with its reasons, by the stage that needs it
        return []
    fetched = bool(Record.read(directory).sources)
    every = fetched or not wanted.kinds
    needed = [name for name in listed if name in wanted and (every or kind_of(name) in MISSED_KINDS)]
    return sorted(name for name in needed if _any_version(name) not in there)


def unfinished(directory: Path) -> list[str]:
    """Paths of the files that a download which was interrupted has yet to bring."""
    there = {bare_name(path) for path in list_files(directory)}
    return [path for path in Record.read(directory).pending if bare_name(path) not in there]


def choose(entries: Iterable[ListedFile], directory: Path, wanted: FileSelection) -> list[ListedFile]:
    """The files of an archive that a directory is to get: wanted, and not there in any folder or compression.

    Raises
    ------
    ArchiveError
        The archive has another processing version of what the directory lacks.
    """
    there = {bare_name(path) for path in list_files(directory)}
    missing = [entry for entry in entries if entry.path in wanted and bare_name(entry.path) not in there]
    other = newer_and_older(there, (bare_name(entry.path) for entry in missing))
    if other:
        here, elsewhere = next(iter(other.items()))
        raise ArchiveError(f"it has {elsewhere} where {here} is here", "--refresh data takes its version")
    return missing


def newer_and_older(here: Iterable[str], elsewhere: Iterable[str]) -> Mapping[str, str]:
    """Files that exist in two processing versions: name here -> name elsewhere."""
    by_stem = {_any_version(name): name for name in here if _VERSION.search(name)}
    found = {}
    for name in elsewhere:
        mine = by_stem.get(_any_version(name))
        if mine is not None and mine != name:
            found[mine] = name
    return found


def _any_version(name: str) -> str:
    return _VERSION.sub("N*", name)


def versions(names: Iterable[str]) -> str:
    """Processing versions in file names, as ``N003`` or ``N003, N004``."""
    return ", ".join(sorted({f"N{match[1]}" for name in names if (match := _VERSION.search(name))}))
