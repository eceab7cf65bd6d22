"""Comparing the data of a file with the checksums in its headers."""

from __future__ import annotations

from io import BufferedIOBase
from pathlib import Path

from .blocks import CHUNK
from .reader import HduLocation, iterate_hdus, open_stream
from .writer import DataSum


def damaged_hdus(path: Path) -> tuple[str, ...]:
    """Return the names of the HDUs whose data do not match their DATASUM.

    Raises
    ------
    DataError
        The file is not a FITS file or is truncated.
    """
    with open_stream(path) as stream:
        hdus = iterate_hdus(stream, path)
        return tuple(location.name for location in hdus if not matches_datasum(stream, location))


def damage_note(path: Path, *names: str) -> str:
    """Return a warning that data of a file do not match their DATASUM, by the names of the HDUs."""
    return f"{path.name}: {', '.join(names)} does not match its DATASUM: the file may be damaged"


def matches_datasum(stream: BufferedIOBase, location: HduLocation) -> bool:
    """Read the data at which `iterate_hdus` is; return whether they match their DATASUM, if there is one."""
    stated = str(location.header.get("DATASUM", "")).strip()
    if not stated.isdecimal():
        return True
    total, left = DataSum(), location.blocks.data_size
    # A file that ends too early is found by `iterate_hdus`.
    while left > 0 and (piece := stream.read(min(left, CHUNK))):
        total.add(piece)
        left -= len(piece)
    return total.value == int(stated)
