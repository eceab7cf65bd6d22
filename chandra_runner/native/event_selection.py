"""Selecting events by good time, status, grade and energy, in one pass over the file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.event_header import gti_extensions, set_exposure
from chandra_runner.fits.gti import Bools, Floats, GoodTimes, Gti, is_gti
from chandra_runner.fits.reader import HduBytes
from chandra_runner.fits.subspace import restrict
from chandra_runner.fits.writer import add_provenance, event_writer, hdu_bytes

from .energy_range import upper_limit

ANY_STATUS = 0xFFFFFFFF
"""Status mask that requires all 32 bits to be 0."""
SPLIT_THRESHOLD = 13
"""Pulse height above which a neighboring pixel is part of an event, adu; all CCDs use it in flight."""
UNDEFINED_TIME = "undefined time"
"""The cut on events whose time is not a number."""
_OUTER = [i for i in range(25) if not (1 <= i % 5 <= 3 and 1 <= i // 5 <= 3)]
"""Indices of the 16 pixels on the border of a flattened 5 x 5 island."""


@dataclass(frozen=True)
class Selection:
    """The conditions that an event must meet to be kept.

    Parameters
    ----------
    good_times : GoodTimes
        Good times; an event must be in those of its own chip, ``start <= time < stop``.
    status : int
        Status bits that must be 0; bit 31 is the leftmost in the column.
    grades : tuple of int, optional
        ASCA grades that are kept; None to keep all.
    energy : tuple of 2 floats, optional
        Energies that are kept, eV, ``lo <= energy < hi``, with the upper end if the column is of integers;
        None to keep all.
    very_faint : bool
        Whether events that `is_particle` identifies as background are dropped; requires phas of
        5 x 5 pixels.
    finite : tuple of str
        Columns in which an event must have a finite number.
    """

    good_times: GoodTimes
    status: int = 0
    grades: tuple[int, ...] | None = None
    energy: tuple[float, float] | None = None
    very_faint: bool = False
    finite: tuple[str, ...] = ()

    def __str__(self) -> str:
        parts = ["good times"]
        if self.status:
            parts.append(f"status {status_text(self.status)}")
        if self.grades is not None:
            parts.append(f"grade {','.join(map(str, self.grades))}")
        if self.energy is not None:
            parts.append("energy {:g}:{:g} eV".format(*self.energy))
        if self.very_faint:
            parts.append("VFAINT background")
        if self.finite:
            parts.append(f"finite {','.join(self.finite)}")
        return ", ".join(parts)

    def columns(self) -> Iterator[str]:
        """Yield the names of the event columns that are used."""
        yield "time"
        if not self.good_times.shared:
            yield "ccd_id"
        if self.status:
            yield "status"
        if self.grades is not None:
            yield "grade"
        if self.energy is not None:
            yield "energy"
        if self.very_faint:
            yield "phas"
        yield from self.finite

    def cuts(self, chunk: NDArray[Any]) -> Iterator[tuple[str, Bools]]:
        """Yield the name of each cut, and whether each event of the chunk passes it."""
        chips = None if self.good_times.shared else chunk["ccd_id"]
        time = chunk["time"].astype(np.float64)
        yield UNDEFINED_TIME, ~np.isnan(time)
        yield "time", in_good_time(self.good_times, time, chips)
        if self.status:
            yield "status", (status_words(chunk["status"]) & np.uint32(self.status)) == 0
        if self.grades is not None:
            yield "grade", np.isin(chunk["grade"].astype(np.int16), self.grades)
        if self.energy is not None:
            # In 8 bytes: limits rounded to the 4-byte floats of the column would move events across them.
            low, high = self.energy
            energy = chunk["energy"].astype(np.float64)
            yield "energy", (energy >= low) & (energy < upper_limit(chunk.dtype["energy"], high))
        if self.very_faint:
            yield "very_faint", ~is_particle(chunk["phas"])
        for name in self.finite:
            yield f"finite {name}", np.isfinite(chunk[name])


@dataclass(frozen=True)
class HeaderUpdate:
    """Changes to the header of an event list.

    Parameters
    ----------
    history : tuple of str
        What was done, one line each.
    dtcor : float
        Live fraction of the good time.
    keywords : Mapping
        New values of keywords of EVENTS, e.g. the names of companion files.
    """

    history: tuple[str, ...]
    dtcor: float
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SelectionReport:
    """What a selection did.

    Parameters
    ----------
    rows_in, rows_out : int
        Number of events read and written.
    dropped : Mapping
        Number of events dropped by each cut (``time``, ``status``, ``grade``, ``energy``) that had
        passed the cuts before it; cuts that dropped none are left out.
    in_order : bool
        Whether the times in the output never decrease.
    """

    rows_in: int
    rows_out: int
    dropped: Mapping[str, int]
    in_order: bool

    def __str__(self) -> str:
        cuts = ", ".join(f"{name} dropped {count}" for name, count in self.dropped.items())
        return "; ".join(filter(None, (f"{self.rows_out} of {self.rows_in} events kept", cuts)))


def select_events(
    source: EventFile,
    target: Path,
    selection: Selection,
    header_update: HeaderUpdate,
    adjust: Callable[[NDArray[Any]], None] | None = None,
) -> SelectionReport:
    """Write the events of a file that a selection keeps, with matching exposure keywords and GTIs.

    The file is read and written in chunks, so that memory does not grow with it.

    Parameters
    ----------
    source : EventFile
        Open event list.
    target : Path
        File to write, which must not exist.
    selection : Selection
        Conditions for the events.
    header_update : HeaderUpdate
        Changes to the header.
    adjust : callable, optional
        Function that changes each chunk of kept rows in place.

    Raises
    ------
    DataError
        A column is missing, or the file is damaged.
    """
    source.require(*selection.columns())
    dropped: Counter[str] = Counter()
    in_order, last = True, -np.inf
    # The header is complete before the first row, apart from the number of rows and the checksums.
    header = selected_header(source.header, selection, header_update)
    extensions = _extensions(source, selection, header_update)
    primary = source.primary.copy()
    add_provenance(primary, ())
    with event_writer(target, primary, header, extensions) as writer:
        for chunk in source.chunks():
            rows = _copy_rows(chunk, _passes_all(selection.cuts(chunk), len(chunk), dropped))
            if not len(rows):
                continue
            if adjust is not None:
                adjust(rows)
            # Level-1 events are not always in order of time; the caller sorts the file if they are not.
            time = rows["time"].astype(np.float64)
            in_order = in_order and time[0] >= last and bool(np.all(time[1:] >= time[:-1]))
            last = time[-1]
            writer.write(rows)
    return SelectionReport(source.nrows, writer.rows, dropped, in_order)


def in_good_time(good_times: GoodTimes, time: Floats, chips: NDArray[Any] | None) -> Bools:
    """Return whether events are in the good times of their chips.

    Parameters
    ----------
    good_times : GoodTimes
        Good times.
    time : ndarray, shape (n,)
        Event times, s.
    chips : ndarray, shape (n,), optional
        CCD of each event; None if the good times are those of all chips.
    """
    if chips is None:
        return _contains(good_times.first, time)
    chips = chips.astype(np.int16)
    # Events of a chip without good times are dropped.
    good = np.zeros(len(time), dtype=bool)
    for chip, gti in good_times.by_chip.items():
        good |= (chips == chip) & _contains(gti, time)
    return good


def status_words(status: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Return a bit column of shape (n, bytes), bit 31 first, as numbers of shape (n,)."""
    size = status.shape[1]
    return status.view(f">u{size}").reshape(len(status)).astype(np.uint32)


def status_text(bits: int) -> str:
    """Return the bits that must be 0 as CIAO writes them: 32 characters, bit 31 first, x for any value.

    Examples
    --------
    >>> status_text(0b110)
    'xxxxxxxxxxxxxxxxxxxxxxxxxxxxx00x'
    """
    return "".join("0" if bits >> bit & 1 else "x" for bit in range(31, -1, -1))


def is_particle(islands: NDArray[Any]) -> Bools:
    """Return whether an event looks like a particle's in VFAINT mode.

    Nearly all X-rays leave their charge within 3 x 3 pixels. Charge above the split threshold in
    one of the 16 pixels around these means a particle track (the test of CIAO's check_vf_pha).

    Parameters
    ----------
    islands : ndarray of int, shape (n, 25)
        Pulse heights of 5 x 5 pixels, adu.
    """
    bright: Bools = np.any(islands[:, _OUTER] > SPLIT_THRESHOLD, axis=1)
    return bright


def selected_header(header: fits.Header, selection: Selection, header_update: HeaderUpdate) -> fits.Header:
    """Return the header of EVENTS after a selection; WCS and all other keywords are unchanged."""
    new = header.copy()
    set_exposure(new, selection.good_times, header_update.dtcor)
    if selection.status:
        new["STATFILT"] = (status_text(selection.status), "Status bit filter applied")
    if selection.grades is not None:
        restrict(new, "grade", [(grade, grade) for grade in selection.grades], "I")
    if selection.energy is not None:
        restrict(new, "energy", [selection.energy], "E", "eV")
    new.update(header_update.keywords)
    add_provenance(new, header_update.history)
    return new


def _extensions(source: EventFile, selection: Selection, header_update: HeaderUpdate) -> list[HduBytes]:
    """Return the HDUs after EVENTS: the new good times, then others of the source (REGION), unchanged."""
    gtis = gti_extensions(source, selection.good_times, header_update.dtcor, header_update.history)
    both = zip(source.extensions, source.extension_bytes, strict=True)
    others = [unchanged for hdu, unchanged in both if not is_gti(hdu)]
    return [*map(hdu_bytes, gtis), *others]


def _contains(gti: Gti, time: Floats) -> Bools:
    """Return `Gti.contains`, fast if all times are in one interval or all between two.

    Chunks of events are short and intervals are long, so this holds for nearly all chunks.
    """
    first, last = time.min(), time.max()
    low, high = np.searchsorted(gti.edges(), [first, last], side="right")
    if low == high and first <= last:  # false if a time is nan
        return np.full(len(time), low % 2 == 1)
    return gti.contains(time)


def _passes_all(cuts: Iterable[tuple[str, Bools]], rows: int, dropped: Counter[str]) -> Bools:
    """Return whether events pass all cuts; add the numbers that each cut dropped to `dropped`."""
    keep = np.ones(rows, dtype=bool)
    left = rows
    for name, passes in cuts:
        keep &= passes
        before, left = left, int(np.count_nonzero(keep))
        if left < before:
            dropped[name] += before - left
    return keep


def _copy_rows(chunk: NDArray[Any], keep: Bools) -> NDArray[Any]:
    """Return a copy of some rows; numpy copies records without fields ten times faster."""
    return chunk.view(f"V{chunk.dtype.itemsize}")[keep].view(chunk.dtype)
