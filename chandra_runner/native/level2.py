"""What makes level 2 of level 1: which events are kept, and how long the detector was alive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import CHUNK, EventFile
from chandra_runner.fits.event_header import gti_extensions
from chandra_runner.fits.gti import GoodTimes, Gti, read_gtis
from chandra_runner.fits.reader import naming_file, read_hdus
from chandra_runner.fits.tables import number_column
from chandra_runner.fits.writer import add_provenance, event_writer, write_fits

from .event_selection import ANY_STATUS, Selection

GRADES = (0, 2, 3, 4, 6)
"""ASCA grades of good ACIS events."""
HRC_STATUS = MappingProxyType(
    {
        "HRC-I": "xxxxxx00xxxx0xxx00000000x0000000",
        "HRC-S": "xxxxxx00xxxx0xxx0000x000x00000xx",
    }
)
"""Status bits that have to be 0 in level 2, from the left bit 31 to 0; x: any. As chandra_repro has them."""
ISLAND = 25
"""Pixels around an event in VFAINT mode."""


def level2_selection(events: EventFile, good_times: GoodTimes, very_faint: bool) -> Selection:
    """The cuts that make level 2.

    Parameters
    ----------
    events : EventFile
        Level 1 or 2; a cut whose column is not there is left out for status (`EventFile.notes` tell).
    good_times : GoodTimes
        Good times.
    very_faint : bool
        Also drop events whose 5 x 5 pixels look like a particle's.

    Raises
    ------
    DataError
        The header names no instrument of Chandra's.
    """
    if events.instrument == "ACIS":
        return Selection(good_times, events.status_mask(ANY_STATUS), GRADES, very_faint=very_faint)
    detector = str(events.header.get("DETNAM", "")).strip()
    if detector not in HRC_STATUS:
        raise DataError(f"{events.path.name}: DETNAM is {detector!r}", "it should be ACIS-…, HRC-I or HRC-S")
    return Selection(good_times, events.status_mask(status_bits(HRC_STATUS[detector])))


def status_bits(mask: str) -> int:
    """Bits that have to be 0, of a mask like ``xx0…`` with bit 31 at the left."""
    return int("".join("1" if bit == "0" else "0" for bit in mask), 2)


def read_good_times(path: Path) -> GoodTimes:
    """Good times of a flt1 (or any other) file.

    Raises
    ------
    DataError
        The file is damaged or has no GTI extension.
    """
    hdus = read_hdus(path)
    with naming_file(path):
        good_times = read_gtis(hdus)
    if good_times is None:
        raise DataError(f"{path.name} has no GTI extension")
    return good_times


def mean_live_fraction(path: Path, good: Gti) -> float | None:
    """DTCOR of HRC: mean of a dead-time file's DTF over the good times.

    Parameters
    ----------
    path : Path
        dtf1 file.
    good : Gti
        Good times.

    Returns
    -------
    float
        None where the file has no number in the good times.

    Raises
    ------
    DataError
        The file is damaged or has not the columns TIME and DTF.
    """
    table = next((hdu for hdu in read_hdus(path)[1:] if _has_dead_times(hdu)), None)
    if table is None:
        raise DataError(f"{path.name} has no table with the columns TIME and DTF")
    with naming_file(path):
        time, fractions = number_column(table, "TIME"), number_column(table, "DTF")
    chosen = fractions[good.contains(time) & np.isfinite(fractions)]
    return float(chosen.mean()) if chosen.size else None


def sort_events(source: Path, target: Path) -> None:
    """Copy an uncompressed event list with its rows in order of time; equal times keep their order."""
    with EventFile.open(source) as events:
        time = np.concatenate([chunk["time"].astype(np.float64) for chunk in events.chunks()])
        order = np.argsort(time, kind="stable")
        with event_writer(target, events.primary, events.header, events.raw_extensions) as writer:
            for first in range(0, len(order), CHUNK):
                # A new map each time: the pages that it has read count as our memory while it lives.
                writer.write(events.map()[order[first : first + CHUNK]])


def write_level2_gti(
    path: Path, events: EventFile, good_times: GoodTimes, dtcor: float, history: Iterable[str]
) -> None:
    """Write good times as a file that CIAO takes for a filter, ``evt.fits[@flt.fits]``.

    An empty table, whose data subspace names the good times of each chip, stands before them.

    Parameters
    ----------
    path : Path
        Must not exist.
    events : EventFile
        The event list that they belong to.
    good_times : GoodTimes
        What is written.
    dtcor : float
        Live fraction of the good time.
    history : iterable of str
        What was done, a line each.
    """
    columns = [fits.Column("TIME", "1D", array=[]), fits.Column("CCD_ID", "1I", array=[])]
    table = fits.BinTableHDU.from_columns(columns[: 1 if good_times.shared else 2], name="FILTER")
    table.header["HDUNAME"] = ("FILTER", "ASCDM block name")
    table.header.update(_subspace(good_times))
    history = tuple(history)
    add_provenance(table.header, history)
    gtis = gti_extensions(events, good_times, dtcor, history)
    write_fits(path, [fits.PrimaryHDU(), table, *gtis])


def _subspace(good_times: GoodTimes) -> Iterator[tuple[str, str]]:
    yield from (("DSTYP1", "TIME"), ("DSVAL1", "TABLE"), ("DSFORM1", "D"), ("DSUNIT1", "s"))
    if good_times.shared:
        yield "DSREF1", ":GTI"
        return
    yield from (("DSTYP2", "CCD_ID"), ("DSFORM2", "I"))
    for component, chip in enumerate(good_times.by_chip, 1):
        prefix = "" if component == 1 else str(component)
        yield f"{prefix}DSREF1", f":GTI{chip}"
        yield f"{prefix}DSVAL2", f"{chip}:{chip}"


def _has_dead_times(hdu: Any) -> bool:
    names = {name.upper() for name in hdu.columns.names} if hasattr(hdu, "columns") else set()
    return {"TIME", "DTF"} <= names
