"""The files of an ObsID directory, their kinds and digests."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from chandra_runner.errors import DataError

MAX_FILES = 10_000
"""Largest number of files in an ObsID directory; the archive's have about 50."""

ARCHIVE_FOLDERS = ("primary", "secondary")
"""Directories of an ObsID directory in which the archive has its files."""


@dataclass(frozen=True, kw_only=True)
class RawFileKind:
    """One kind of files in an ObsID directory.

    Parameters
    ----------
    description : str
        What the files are.
    of_exposure : bool
        Whether the files belong to exposures.
    several : bool
        Whether an exposure may have several of them; early processing split some by time.
    report_missing : bool
        Whether products change without the files, so that missing ones are reported.
    """

    description: str
    of_exposure: bool = False
    several: bool = False
    report_missing: bool = False


def _of_exposure(description: str, *, several: bool = False, report_missing: bool = False) -> RawFileKind:
    return RawFileKind(
        description=description, of_exposure=True, several=several, report_missing=report_missing
    )


KINDS: Mapping[str, RawFileKind] = MappingProxyType(
    {
        "oif": RawFileKind(description="observation index file: lists the files of the ObsID"),
        "evt1": _of_exposure("level-1 event list: all events", report_missing=True),
        "evt2": _of_exposure("level-2 event list: good events in good times", report_missing=True),
        "flt1": _of_exposure("good time intervals", report_missing=True),
        "asol1": _of_exposure("aspect solution", several=True, report_missing=True),
        "osol1": _of_exposure("aspect solution made on board", several=True),
        "bpix1": _of_exposure("bad pixels", report_missing=True),
        "msk1": _of_exposure("mask: the windows of the chips that are read out", report_missing=True),
        "fov1": _of_exposure("field of view: an outline on the sky for each chip", report_missing=True),
        "dtf1": _of_exposure("dead-time factors of HRC", report_missing=True),
        "mtl1": _of_exposure("mission timeline: states of the telescope and the instrument"),
        "stat1": _of_exposure("statistics of ACIS exposure frames", report_missing=True),
        "pbk0": _of_exposure("parameter block of ACIS", several=True),
        "bias0": RawFileKind(description="bias map of an ACIS chip"),
        "aqual1": RawFileKind(description="quality of the aspect solution"),
        "eph1": RawFileKind(description="ephemerides of the orbit, the Sun, the Moon or a planet"),
        "img2": RawFileKind(description="images made by the archive's processing"),
    }
)
"""The kinds of files that are known, by the type at the end of their names."""
EXPOSURE_KINDS = frozenset(name for name, kind in KINDS.items() if kind.of_exposure)
"""Kinds of files that belong to exposures."""
KINDS_REPORTED_MISSING = frozenset(name for name, kind in KINDS.items() if kind.report_missing)
"""Kinds of files without which products change."""

_KIND = re.compile(rf"(?:^|_)({'|'.join(KINDS)})\.(?:fits|fit)(?:\.gz)?$")


@dataclass(frozen=True)
class RawFile:
    """A file of an ObsID directory.

    Parameters
    ----------
    path : str
        Relative to the directory, with ``/``.
    kind : str
        The kind, from `kind_of`.
    size : int
        Size, bytes.
    sha256 : str
        Digest of the bytes, hexadecimal.
    """

    path: str
    kind: str
    size: int
    sha256: str


def kind_of(name: str) -> str:
    """Return the kind of a raw file from its name.

    Parameters
    ----------
    name : str
        File name or path; compressed or not.

    Returns
    -------
    str
        The file type at the end of the name; empty if it is not one of the archive's.

    Examples
    --------
    >>> kind_of("primary/acisf00754N005_evt2.fits.gz")
    'evt2'
    """
    match = _KIND.search(name.rpartition("/")[2])
    return match[1] if match else ""


def bare_name(path: str) -> str:
    """Return a file name without folder and .gz: files move between folders, and oif.fits omits .gz."""
    return path.rpartition("/")[2].removesuffix(".gz")


def find_directory(data: Path, obsid: int) -> Path | None:
    """Find the ObsID directory under `data`: ``493``, ``3/493`` or ``byobsid/3/493``.

    Directories without files are skipped: ``3`` may be ObsID 3, or the parent of ``3/493``.
    """
    # A directory of its own, or the layout of the archive by last digit, with or without its top directory.
    name = str(obsid)
    for directory in (data / name, data / name[-1] / name, data / "byobsid" / name[-1] / name):
        if any(True for _ in _walk(directory)):
            return directory
    return None


def list_files(directory: Path) -> tuple[str, ...]:
    """Return the paths of an ObsID directory's files, relative to it, sorted.

    They are the files directly in it and all below ``primary`` and ``secondary``; other directories (CIAO's
    ``repro``, a user's own work) are not raw data. Hidden and partly downloaded files are left out.

    Raises
    ------
    DataError
        A directory cannot be read, or there are more than `MAX_FILES` files.
    """
    paths: list[str] = []
    for path in _walk(directory):
        paths.append(path)
        if len(paths) > MAX_FILES:
            raise DataError(
                f"{directory} has more than {MAX_FILES} files: it is not an ObsID directory",
                "data: must be the directory that contains the ObsID directories",
            )
    return tuple(sorted(paths))


def inventory(directory: Path) -> tuple[RawFile, ...]:
    """Read all files of an ObsID directory; return them with kinds and digests, sorted by path.

    Raises
    ------
    DataError
        A file cannot be read.
    """
    return tuple(_raw_file(directory, path) for path in list_files(directory))


def _raw_file(directory: Path, path: str) -> RawFile:
    try:
        with (directory / path).open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            size = stream.tell()
    except OSError as error:
        raise _unreadable(directory / path, error) from error
    return RawFile(path, kind_of(path), size, digest)


def _walk(directory: Path) -> Iterator[str]:
    """Yield the relative paths of an ObsID directory's files, in no particular order."""
    seen: set[tuple[int, int]] = set()
    for entry in _entries(directory, seen):
        if not entry.is_dir():
            yield entry.name
        elif entry.name in ARCHIVE_FOLDERS:
            yield from _walk_all(entry, entry.name, seen)


def _walk_all(directory: os.DirEntry[str], name: str, seen: set[tuple[int, int]]) -> Iterator[str]:
    for entry in _entries(directory, seen):
        path = f"{name}/{entry.name}"
        if entry.is_dir():
            yield from _walk_all(entry, path, seen)
        else:
            yield path


def _entries(directory: os.PathLike[str], seen: set[tuple[int, int]]) -> list[os.DirEntry[str]]:
    """Return the entries of a directory; none if it was seen before, as links can lead in circles."""
    try:
        status = os.stat(directory)
        identity = (status.st_dev, status.st_ino)
        if identity in seen:
            return []
        seen.add(identity)
        with os.scandir(directory) as entries:
            return [entry for entry in entries if not _is_temporary(entry.name)]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise _unreadable(Path(directory), error) from error


def _is_temporary(name: str) -> bool:
    return name.startswith(".") or name.endswith((".part", "~"))


def _unreadable(path: Path, error: OSError) -> DataError:
    if path.is_symlink():
        return DataError(
            f"{path} is a link to {path.readlink()}: {error.strerror}", "repair or remove the link"
        )
    return DataError(f"{path} cannot be read: {error.strerror}", "check its permissions and the disk")
