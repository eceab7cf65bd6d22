"""The files of an ObsID directory, their kinds and digests."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chandra_runner.errors import DataError

MAX_FILES = 10_000
"""Largest number of files in an ObsID directory; the archive's have about 50."""

_ARCHIVE_FOLDERS = ("primary", "secondary")
_KIND = re.compile(
    r"(?:^|_)(evt1|evt2|asol1|osol1|bpix1|flt1|msk1|fov1|dtf1|mtl1|stat1|pbk0|bias0|aqual1|eph1|img2|oif)"
    r"\.(?:fits|fit)(?:\.gz)?$"
)


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
        elif entry.name in _ARCHIVE_FOLDERS:
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
