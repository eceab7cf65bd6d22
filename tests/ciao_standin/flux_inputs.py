"""What fluximage is given: bands, and the files that go with the events."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from astropy.io import fits

from chandra_runner.native.field_of_view import Companions

from .files import stack
from .messages import Failure, not_opened

_CSC = {
    "ultrasoft": (0.2, 0.5, 0.4),
    "soft": (0.5, 1.2, 0.92),
    "medium": (1.2, 2.0, 1.56),
    "hard": (2.0, 7.0, 3.8),
    "broad": (0.5, 7.0, 2.3),
}
_GROUPS = {"CSC": ("soft", "medium", "hard"), "default": ("broad",)}
_LOWEST, _HIGHEST = 0.1, 10.0
_HRC_ENERGY = 1.5


@dataclass(frozen=True)
class Band:
    """An energy band, keV; HRC's has no edges."""

    name: str
    effective: float
    edges: tuple[float, float] | None


def bands(text: str, instrument: str) -> list[Band]:
    """Read the parameter `bands`.

    Raises
    ------
    Failure
        It is no list of bands that this instrument can have.
    """
    items = [item.strip() for item in text.split(",")]
    if instrument == "HRC":
        if items not in (["default"], ["wide"]):
            raise Failure(f"HRC data has the energy band 'wide' only, sent bands='{text}'")
        return [Band("wide", _HRC_ENERGY, None)]
    found = [band for item in items for band in _acis_bands(item)]
    names = [band.name for band in found]
    if len(set(names)) < len(names):
        raise Failure(f"bands='{text}' has a band twice")
    return found


def _acis_bands(item: str) -> Iterator[Band]:
    for name in _GROUPS.get(item, (item,)):
        if name in _CSC:
            low, high, effective = _CSC[name]
            yield Band(name, effective, (low, high))
            continue
        if not re.fullmatch(r"\d+(\.\d*)?:\d+(\.\d*)?:\d+(\.\d*)?", name):
            raise Failure(f"unknown energy band '{name}': expected a name of the CSC or lo:hi:effective")
        low, high, effective = map(float, name.split(":"))
        if not _LOWEST <= low < high <= _HIGHEST or not low <= effective <= high:
            raise Failure(f"energy band '{name}' is not within {_LOWEST} and {_HIGHEST} keV, or upside down")
        yield Band("-".join(name.split(":")[:2]), effective, (low, high))


def companions(events: Path, header: fits.Header, values: dict[str, Any]) -> Companions:
    """The files that go with the events: those given, else those that the header names, beside the events.

    Raises
    ------
    Failure
        One that is needed is not there, or is of another observation.
    """
    aspect = _files(events, header, "ASOLFILE", values["asolfile"])
    if not aspect:
        raise Failure(f"ASOLFILE={header.get('ASOLFILE', '')} from {events} not found")
    badpix = _files(events, header, "BPIXFILE", values["badpixfile"])
    mask = _files(events, header, "MASKFILE", values["maskfile"])
    dead: tuple[Path, ...] = ()
    if header["INSTRUME"].strip() == "HRC":
        dead = _files(events, header, "DTFFILE", values["dtffile"])
        if not dead:
            raise Failure(f"DTFFILE={header.get('DTFFILE', '')} from {events} not found")
    for path in (*badpix, *mask):
        _check_obsid(path, header)
    return Companions(tuple(aspect), _only(badpix), _only(mask), None, _only(dead))


def _files(events: Path, header: fits.Header, keyword: str, given: str) -> tuple[Path, ...]:
    if given.upper() == "NONE":
        return ()
    if given:
        paths = tuple(Path(name) for name in stack(given))
        for path in paths:
            if not path.is_file():
                raise not_opened(path)
        return paths
    names = [name for name in str(header.get(keyword, "NONE")).split(",") if name.upper() != "NONE"]
    found = tuple(events.parent / name for name in names if (events.parent / name).is_file())
    if names and not found:
        print(f"WARNING - {keyword}={','.join(names)} not found for {events}.", file=sys.stderr)
    return found


def _check_obsid(path: Path, header: fits.Header) -> None:
    other = str(fits.getval(path, "OBS_ID", 1)).strip()
    if int(other) != int(header["OBS_ID"]):
        raise Failure(f"OBS_ID of {path} is {other}, that of the events {header['OBS_ID']}")


def _only(paths: tuple[Path, ...]) -> Path | None:
    return paths[0] if paths else None
