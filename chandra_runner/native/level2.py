"""The rules that make level 2 from level 1: which events are kept, and the live fraction of the time."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import MappingProxyType

import numpy as np
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import CHUNK, EventFile, live_fraction
from chandra_runner.fits.event_header import filter_hdu, gti_extensions
from chandra_runner.fits.gti import GoodTimes, Gti, read_gtis
from chandra_runner.fits.reader import naming_file, read_hdus
from chandra_runner.fits.tables import number_column, table_with
from chandra_runner.fits.writer import event_writer, write_fits

from .event_selection import ANY_STATUS, Selection

GOOD_GRADES = (0, 2, 3, 4, 6)
"""ASCA grades of ACIS events in level 2."""
HRC_STATUS = MappingProxyType(
    {
        "HRC-I": "xxxxxx00xxxx0xxx00000000x0000000",
        "HRC-S": "xxxxxx00xxxx0xxx0000x000x00000xx",
    }
)
"""Status bits that must be 0 in level 2, bit 31 first, x for any value: the masks of CIAO's chandra_repro."""


def level2_selection(events: EventFile, good_times: GoodTimes, very_faint: bool) -> Selection:
    """Return the cuts that make level 2, which are those of CIAO's chandra_repro.

    An event without sky coordinates has no aspect solution, and is dropped.

    Parameters
    ----------
    events : EventFile
        Event list of level 1 or 2. Without a column status there is no cut on it (see `EventFile.notes`).
    good_times : GoodTimes
        Good times.
    very_faint : bool
        Whether events whose 5 x 5 pixels look like those of a particle are dropped, too.

    Raises
    ------
    DataError
        The header does not name one of Chandra's instruments.
    """
    sky = tuple(name for name in ("x", "y") if name in (events.dtype.names or ()))
    if events.instrument == "ACIS":
        mask = events.status_mask(ANY_STATUS)
        return Selection(good_times, mask, GOOD_GRADES, very_faint=very_faint, finite=sky)
    detector = str(events.header.get("DETNAM", "")).strip()
    if detector not in HRC_STATUS:
        raise DataError(f"{events.path.name}: DETNAM is {detector!r}", "it should be ACIS-…, HRC-I or HRC-S")
    return Selection(good_times, events.status_mask(status_bits(HRC_STATUS[detector])), finite=sky)


def status_bits(mask: str) -> int:
    """Return the bits that must be 0 in a mask like ``xx0…`` with bit 31 first.

    Examples
    --------
    >>> status_bits("x00x")
    6
    """
    return int("".join("1" if bit == "0" else "0" for bit in mask), 2)


def read_good_times(path: Path) -> GoodTimes:
    """Read the good times of a flt1 file, or of any other file with GTI extensions.

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
    """Return DTCOR of HRC: the mean of a dead-time file's DTF over the good times.

    Parameters
    ----------
    path : Path
        Dead-time file (dtf1).
    good : Gti
        Good times.

    Returns
    -------
    float
        Live fraction; None if the file has no numbers in the good times.

    Raises
    ------
    DataError
        The file is damaged, has no table with the columns TIME and DTF, or a mean that is not above 0 and
        at most 1.
    """
    table = table_with(path, "TIME", "DTF")
    with naming_file(path):
        time, fractions = number_column(table, "TIME"), number_column(table, "DTF")
    # Rows are nearly equally spaced in time, so the plain mean is the mean over time.
    chosen = fractions[good.contains(time) & np.isfinite(fractions)]
    return live_fraction(float(chosen.mean()), path) if chosen.size else None


def sort_events(source: Path, target: Path) -> None:
    """Copy an uncompressed event list with its rows sorted by time; equal times keep their order."""
    with EventFile.open(source) as events:
        time = np.concatenate([chunk["time"].astype(np.float64) for chunk in events.chunks()])
        # Only the times are in memory; rows are copied from the file in their new order, chunk by chunk.
        order = np.argsort(time, kind="stable")
        with event_writer(target, events.primary, events.header, events.extension_bytes) as writer:
            for first in range(0, len(order), CHUNK):
                # A new map each time: while a map exists, the pages it has read count as our memory.
                writer.write(events.map()[order[first : first + CHUNK]])


def write_level2_gti(
    path: Path, events: EventFile, good_times: GoodTimes, dtcor: float, history: Iterable[str]
) -> None:
    """Write good times as a file that CIAO accepts as a filter, ``evt.fits[@flt.fits]``.

    Parameters
    ----------
    path : Path
        The file, which must not exist.
    events : EventFile
        The event list to which the good times belong.
    good_times : GoodTimes
        Good times to write.
    dtcor : float
        Live fraction of the good time.
    history : iterable of str
        What was done, one line each.
    """
    history = tuple(history)
    gtis = gti_extensions(events, good_times, dtcor, history)
    write_fits(path, [fits.PrimaryHDU(), filter_hdu(good_times, history), *gtis])
