"""File names as CIAO's data model reads them, and the marks that it leaves in what it writes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from astropy.io import fits

from .messages import CIAO_VERSION, Failure, not_opened


@dataclass(frozen=True)
class VirtualFile:
    """A name like ``evt2.fits[EVENTS][energy=500:7000][bin time=::200]``.

    Parameters
    ----------
    path : Path
        What stands before the first bracket.
    block : str
        Extension, in capitals; empty: the most interesting one.
    filters : tuple of str
        What is in the other brackets.
    binning : str
        What follows ``bin``; empty where there is none.
    """

    path: Path
    block: str
    filters: tuple[str, ...]
    binning: str


def parse(name: str) -> VirtualFile:
    """Read the name of an input file, which must exist.

    Raises
    ------
    Failure
        It does not, or the brackets make no sense.
    """
    plain, bracket, rest = name.partition("[")
    if not plain or not Path(plain).is_file():
        raise not_opened(plain)
    text = bracket + rest
    if not re.fullmatch(r"(\[[^\[\]]+\])*", text):
        raise Failure(f"syntax error in the filter of '{name}'", "dsVFSYNTAXERR")
    parts = re.findall(r"\[([^\[\]]+)\]", text)
    block = parts.pop(0).upper() if parts and re.fullmatch(r"[A-Za-z_]\w*", parts[0]) else ""
    bins = [part for part in parts if part.startswith("bin ")]
    if len(bins) > 1 or (bins and parts[-1] != bins[0]):
        raise Failure(f"'{name}': [bin] must come last, and once", "dsVFSYNTAXERR")
    filters = tuple(part for part in parts if part not in bins)
    return VirtualFile(Path(plain), block, filters, bins[0].removeprefix("bin ") if bins else "")


def stack(text: str) -> list[str]:
    """The names in a list of them: separated by commas, or the lines of ``@file``.

    Raises
    ------
    Failure
        There is no such file.
    """
    if not text.startswith("@"):
        return [item.strip() for item in text.split(",") if item.strip()]
    path = Path(text.removeprefix("@").removeprefix("-"))
    if not path.is_file():
        raise not_opened(path)
    names = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    # Without the minus, names are relative to where the list is.
    return names if text.startswith("@-") else [str(path.parent / name) for name in names]


def output(name: str, clobber: bool) -> Path:
    """The file to write: not there any more, in a directory that is.

    Raises
    ------
    Failure
        It cannot be made, or exists and must not be replaced.
    """
    if "[" in name:
        raise Failure(f"could not create '{name.partition('[')[0]}': syntax error after '['", "dsVFSYNTAXERR")
    path = Path(name)
    if not name or not path.parent.is_dir():
        raise Failure(f"could not create file '{name}'.", "dsCREATEFILEERR")
    if path.exists() or path.is_symlink():
        if not clobber:
            raise Failure(f"file '{name}' exists and clobber is set to no.", "dsCLOBBERFILE")
        path.unlink()
    return path


def whole_path(name: str) -> Path:
    """Absolute path of a directory or root of names, for scripts that put it into commands of their own.

    Raises
    ------
    Failure
        It has a space or a bracket.
    """
    path = Path(name).absolute()
    if " " in str(path):
        raise Failure(f"The absolute path for the directory, '{path}', cannot contain any spaces")
    if "[" in str(path):
        raise not_opened(str(path).partition("[")[0])
    return path


def mark(path: Path, tool: str) -> Path:
    """Say in a file who made it and when, as all of CIAO's tools do."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    with fits.open(path, mode="update", memmap=False) as hdus:
        for hdu in hdus:
            hdu.header["CREATOR"] = (f"{tool} - Version CIAO {CIAO_VERSION}", "")
            hdu.header["DATE"] = (now, "Date and time of file creation")
            hdu.header.add_history(f"TOOL  :{tool}  {now}")
            hdu.add_checksum()
    return path
