"""EVENTS and GTI tables: columns, formats, units and limits, in the order of the archive's files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from astropy.io import fits

from .catalog import Sample
from .headers import Card, EventList, event_cards, sky_cards, subspace_cards, table_cards
from .readout import EventColumns
from .sky import pointing_of

_PIXEL = "pixel"
_FORMATS: dict[str, tuple[str, str]] = {
    "time": ("1D", "s"),
    "expno": ("1J", ""),
    "crsv": ("1I", ""),
    "crsu": ("1I", ""),
    "amp_sf": ("1I", ""),
    "ccd_id": ("1I", ""),
    "node_id": ("1I", ""),
    "chipx": ("1I", _PIXEL),
    "chipy": ("1I", _PIXEL),
    "tdetx": ("1I", _PIXEL),
    "tdety": ("1I", _PIXEL),
    "detx": ("1E", _PIXEL),
    "dety": ("1E", _PIXEL),
    "x": ("1E", _PIXEL),
    "y": ("1E", _PIXEL),
    "phas": ("I", "adu"),
    "pha": ("1J", "adu"),
    "pha_ro": ("1J", "adu"),
    "energy": ("1E", "eV"),
    "pi": ("1J", "chan"),
    "sumamps": ("1I", ""),
    "fltgrade": ("1I", ""),
    "grade": ("1I", ""),
    "chip_id": ("1I", ""),
    "status": ("32X", ""),
}
"""Format and unit by column name."""
_HRC_FORMATS = {"tdetx": ("1J", _PIXEL), "tdety": ("1J", _PIXEL), "pha": ("1I", "chan"), "pi": ("1I", "chan")}
_ACIS_LIMITS: dict[str, tuple[float, float]] = {
    "expno": (0, 2147483647),
    "ccd_id": (0, 9),
    "node_id": (0, 3),
    "tdetx": (1, 8192),
    "tdety": (1, 8192),
    "phas": (-4096, 4095),
    "pha": (0, 36855),
    "pha_ro": (0, 36855),
    "energy": (0.0, 1e6),
    "pi": (1, 1024),
    "fltgrade": (0, 255),
    "grade": (0, 7),
}
_HRC_LIMITS: dict[str, tuple[float, float]] = {
    "tdetx": (1, 16384),
    "tdety": (1, 16384),
    "pha": (0, 255),
    "pi": (0, 1023),
    "chip_id": (0, 3),
}
_ACIS_NULLS = {"tdetx": 9999, "tdety": 9999, "pha": 0, "pha_ro": 0, "pi": 0}
CHIP_STEP = {"ACIS": 0.023987, "HRC": 0.006429}
"""Side of a chip pixel, mm, by instrument."""


def event_table(events: EventList, columns: EventColumns, level: int) -> fits.BinTableHDU:
    """Return the EVENTS table of a level-1 or level-2 file."""
    sample = events.sample
    hdu = fits.BinTableHDU.from_columns(
        [_column(sample, name, array) for name, array in columns.items()], name="EVENTS"
    )
    numbers = {name: number for number, name in enumerate(columns, 1)}
    hdu.header["HDUNAME"] = ("EVENTS", "ASCDM block name")
    classes = ("EVENTS", "ALL" if level == 1 else "ACCEPTED")
    for cards in (
        _limit_cards(sample, numbers),
        table_cards(events, f"EVT{level}", classes),
        event_cards(events),
        subspace_cards(events, level),
        _system_cards(sample, numbers),
    ):
        hdu.header.extend(cards)
    return hdu


def _column(sample: Sample, name: str, array: Any) -> fits.Column:
    hrc = sample.instrument == "HRC"
    formats = _FORMATS | _HRC_FORMATS if hrc else _FORMATS
    kind, unit = formats[name]
    width = array.shape[-1]
    return fits.Column(
        name,
        f"{width * width}{kind}" if name == "phas" else kind,
        unit or None,
        null=None if hrc else _ACIS_NULLS.get(name),
        dim=f"({width},{width})" if name == "phas" else None,
        array=array,
    )


def _limit_cards(sample: Sample, numbers: dict[str, int]) -> Iterator[Card]:
    detector = pointing_of(sample).detector
    chip = detector.chip(next(iter(sample.background)))
    limits: dict[str, tuple[float, float]] = {"chipx": (1, chip.nx), "chipy": (1, chip.ny)}
    limits |= dict.fromkeys(("detx", "dety", "x", "y"), (0.5, detector.size + 0.5))
    limits |= _HRC_LIMITS if sample.instrument == "HRC" else _ACIS_LIMITS
    for name, number in numbers.items():
        if name in limits:
            yield f"TLMIN{number}", limits[name][0], ""
            yield f"TLMAX{number}", limits[name][1], ""


def _system_cards(sample: Sample, numbers: dict[str, int]) -> Iterator[Card]:
    """Yield the cards of coordinate systems: pairs of columns, and their coordinates in mm and degrees."""
    pairs = (("chip", "chipx,chipy"), ("tdet", "tdetx,tdety"), ("det", "detx,dety"), ("sky", "x,y"))
    worlds = (("CPC", "CPCX,CPCY"), ("MSC", "PHI,THETA"), ("EQPOS", "RA,DEC"))
    for number, (name, columns) in enumerate(pairs + worlds, 1):
        yield f"MTYPE{number}", name, ""
        yield f"MFORM{number}", columns, ""
    for name, kind in (("chipx", "CPCX"), ("chipy", "CPCY")):
        yield from _axis(numbers[name], kind, 0.5, CHIP_STEP[sample.instrument], "mm")
    detector = pointing_of(sample).detector
    for name, kind, world in (("detx", "LONG-TAN", "PHI"), ("dety", "NPOL-TAN", "THETA")):
        yield from _axis(numbers[name], kind, detector.center, detector.pixel / 3600, "deg")
        yield f"TCNA{numbers[name]}", world, ""
    yield f"LONP{numbers['detx']}", 270.0, ""
    yield f"LATP{numbers['detx']}", 90.0, ""
    yield from sky_cards(sample, (numbers["x"], numbers["y"]))


def _axis(number: int, kind: str, reference: float, step: float, unit: str) -> Iterator[Card]:
    yield f"TCTYP{number}", kind, ""
    yield f"TCRVL{number}", 0.0, ""
    yield f"TCRPX{number}", reference, ""
    yield f"TCDLT{number}", step, ""
    yield f"TCUNI{number}", unit, ""


def gti_tables(events: EventList) -> list[fits.BinTableHDU]:
    """Return a GTI table for each chip, the aimpoint chip first; HRC has one for all chips."""
    tables = []
    for chip, gti in events.gtis.by_chip.items():
        arrays = {"START": gti.start, "STOP": gti.stop}
        columns = [fits.Column(name, "1D", "s", array=array) for name, array in arrays.items()]
        hdu = fits.BinTableHDU.from_columns(columns)
        hdu.header.extend(chip_cards(events, "GTI", chip))
        hdu.header.extend(table_cards(events, "GTI", ("GTI", "STANDARD")))
        tables.append(hdu)
    return tables


def chip_cards(events: EventList, name: str, chip: int) -> Iterator[Card]:
    """Yield the cards with the name and chip number of a table; tables of HRC are for all chips."""
    yield "EXTNAME", name, ""
    if events.gtis.shared:
        yield "HDUNAME", name, "ASCDM block name"
        yield "CHIP_ID", 0, ""
    else:
        yield "EXTVER", chip, ""
        yield "HDUNAME", f"{name}{chip}", "ASCDM block name"
        yield "CCD_ID", chip, ""
