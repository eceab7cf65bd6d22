"""Which files of an observation are needed, which of them are missing, and which an archive has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from chandra_runner.archive.errors import ArchiveError
from chandra_runner.errors import DataError
from chandra_runner.observation.oif import read_oif
from chandra_runner.observation.raw_files import KINDS_REPORTED_MISSING, bare_name, kind_of, list_files

from .download_record import DownloadRecord
from .listing import ListedFile

_VERSION = re.compile(r"N(\d{3})(?=[_.])")


@dataclass(frozen=True)
class FileSelection:
    """The files that are needed.

    Parameters
    ----------
    kinds : frozenset of str
        Kinds (`raw_files.kind_of`); empty for all files.
    """

    kinds: frozenset[str] = frozenset()

    def __contains__(self, path: str) -> bool:
        return not self.kinds or kind_of(path) in self.kinds or kind_of(path) == "oif"


def missing_files(directory: Path, selection: FileSelection) -> list[str]:
    """Return the names, without ``.gz``, of needed files that the index lists and that are missing.

    In a directory that its owner put together, only files without which the products would differ count; a
    directory with events and without a readable oif.fits is complete.
    """
    paths = list_files(directory)
    present = {_any_version(bare_name(path)) for path in paths}
    index = [path for path in paths if kind_of(path) == "oif"]
    if not index:
        # Without events, the index is the first file to download: it says what else is missing.
        return [] if any(kind_of(path) in ("evt1", "evt2") for path in paths) else ["oif.fits"]
    try:
        listed = [bare_name(member.location) for member in read_oif(directory / index[0]).members]
    except DataError:  # the stage that needs it reports the reason
        return []
    # A download leaves a record: then the directory is as the archive has it, and whatever the index lists
    # should be there. An owner may have left out what is not needed.
    fetched = bool(DownloadRecord.read(directory).sources)
    every = fetched or not selection.kinds
    needed = [
        name for name in listed if name in selection and (every or kind_of(name) in KINDS_REPORTED_MISSING)
    ]
    return sorted(name for name in needed if _any_version(name) not in present)


def interrupted_files(directory: Path) -> list[str]:
    """Return the paths of files that an interrupted download has not received."""
    present = {bare_name(path) for path in list_files(directory)}
    return [path for path in DownloadRecord.read(directory).pending if bare_name(path) not in present]


def select_files(
    entries: Iterable[ListedFile], directory: Path, selection: FileSelection
) -> list[ListedFile]:
    """Return the files of an archive that a directory needs and does not have in any folder or compression.

    Raises
    ------
    ArchiveError
        The archive has another processing version of missing files.
    """
    present = {bare_name(path) for path in list_files(directory)}
    missing = [entry for entry in entries if entry.path in selection and bare_name(entry.path) not in present]
    # Products of two processing versions differ in gain, aspect and bad pixels: they must not be mixed.
    other = other_versions(present, (bare_name(entry.path) for entry in missing))
    if other:
        here, elsewhere = next(iter(other.items()))
        raise ArchiveError(
            f"it has {elsewhere}, but this directory has {here}", "use --refresh data to take its version"
        )
    return missing


def other_versions(here: Iterable[str], elsewhere: Iterable[str]) -> Mapping[str, str]:
    """Return files that exist in two processing versions: name here -> name elsewhere."""
    by_stem = {_any_version(name): name for name in here if _VERSION.search(name)}
    found = {}
    for name in elsewhere:
        mine = by_stem.get(_any_version(name))
        if mine is not None and mine != name:
            found[mine] = name
    return found


def _any_version(name: str) -> str:
    return _VERSION.sub("N*", name)


def processing_versions(names: Iterable[str]) -> str:
    """Return the processing versions in file names, as ``N003`` or ``N003, N004``."""
    return ", ".join(sorted({f"N{match[1]}" for name in names if (match := _VERSION.search(name))}))
