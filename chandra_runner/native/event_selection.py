"""Choosing events: energy, grade, status and good times, as one pass over the file."""

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
from chandra_runner.fits.reader import RawHdu
from chandra_runner.fits.subspace import restrict
from chandra_runner.fits.writer import add_provenance, event_writer, raw_hdu

ANY_STATUS = 0xFFFFFFFF
"""Status mask: all 32 bits have to be 0."""
SPLIT_THRESHOLD = 13
"""Pulse height from which a neighbour counts as part of an event, adu: that of all CCDs in flight."""
_OUTER = [i for i in range(25) if not (1 <= i % 5 <= 3 and 1 <= i // 5 <= 3)]


@dataclass(frozen=True)
class Selection:
    """Which events are kept.

    Parameters
    ----------
    good_times : GoodTimes
        Intervals ``start <= time < stop`` of the event's own chip.
    status : int
        Status bits that must be 0; bit 31 is the leftmost of the column.
    grades : tuple of int, optional
        ASCA grades.
    energy : tuple of 2 floats, optional
        eV, ``lo <= energy < hi``.
    very_faint : bool
        Drop events that `is_particle` takes for background; needs phas of 5 x 5 pixels.
    """

    good_times: GoodTimes
    status: int = 0
    grades: tuple[int, ...] | None = None
    energy: tuple[float, float] | None = None
    very_faint: bool = False

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
        return ", ".join(parts)

    def columns(self) -> Iterator[str]:
        """Names of the event columns that it looks at."""
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

    def cuts(self, chunk: NDArray[Any]) -> Iterator[tuple[str, Bools]]:
        """Name of each cut, and whether each event of the chunk passes it."""
        chips = None if self.good_times.shared else chunk["ccd_id"]
        yield "time", in_good_time(self.good_times, chunk["time"].astype(np.float64), chips)
        if self.status:
            yield "status", (status_words(chunk["status"]) & np.uint32(self.status)) == 0
        if self.grades is not None:
            yield "grade", np.isin(chunk["grade"].astype(np.int16), self.grades)
        if self.energy is not None:
            low, high = (np.float64(limit) for limit in self.energy)
            energy = chunk["energy"].astype(np.float64)
            yield "energy", (energy >= low) & (energy < high)
        if self.very_faint:
            yield "very_faint", ~is_particle(chunk["phas"])


@dataclass(frozen=True)
class HeaderUpdate:
    """What the header of a selection says about its making.

    Parameters
    ----------
    history : tuple of str
        What was done, a line each.
    dtcor : float
        Live fraction of the good time.
    keywords : Mapping
        Keywords of EVENTS that change, e.g. the names of companion files.
    """

    history: tuple[str, ...]
    dtcor: float
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What a selection did.

    Parameters
    ----------
    rows_in, rows_out : int
        Events read and written.
    taken : Mapping
        By cut (``time``, ``status``, ``grade``, ``energy``), how many of the events left by the cuts
        before it were dropped.
    in_order : bool
        Times in the output never go back.
    """

    rows_in: int
    rows_out: int
    taken: Mapping[str, int]
    in_order: bool

    def __str__(self) -> str:
        cuts = ", ".join(f"{name} took {count}" for name, count in self.taken.items())
        return f"{self.rows_out} of {self.rows_in} events kept; {cuts}"


def select_events(
    source: EventFile,
    target: Path,
    selection: Selection,
    imprint: HeaderUpdate,
    adjust: Callable[[NDArray[Any]], None] | None = None,
) -> Report:
    """Write those events of a file that a selection keeps, with true exposure keywords and GTIs.

    Parameters
    ----------
    source : EventFile
        Open event list.
    target : Path
        File to write; must not exist.
    selection : Selection
        Which events.
    imprint : HeaderUpdate
        What the header says.
    adjust : callable, optional
        Is given each chunk of kept rows, to change them in place.

    Raises
    ------
    DataError
        A column is missing, or the file is damaged.
    """
    source.require(*selection.columns())
    taken: Counter[str] = Counter()
    in_order, last = True, -np.inf
    header = selected_header(source.header, selection, imprint)
    extensions = _extensions(source, selection, imprint)
    primary = source.primary.copy()
    add_provenance(primary, ())
    with event_writer(target, primary, header, extensions) as writer:
        for chunk in source.chunks():
            rows = _take(chunk, _passing(selection.cuts(chunk), len(chunk), taken))
            if not len(rows):
                continue
            if adjust is not None:
                adjust(rows)
            time = rows["time"].astype(np.float64)
            in_order = in_order and time[0] >= last and bool(np.all(time[1:] >= time[:-1]))
            last = time[-1]
            writer.write(rows)
    return Report(source.nrows, writer.rows, taken, in_order)


def in_good_time(good_times: GoodTimes, time: Floats, chips: NDArray[Any] | None) -> Bools:
    """Whether events are in the good times of their chips.

    Parameters
    ----------
    good_times : GoodTimes
        Good times.
    time : ndarray, shape (n,)
        Event times, s.
    chips : ndarray, shape (n,), optional
        CCD of each event; not needed where the good times serve all chips.
    """
    if chips is None:
        return _contains(good_times.first, time)
    chips = chips.astype(np.int16)
    good = np.zeros(len(time), dtype=bool)
    for chip, gti in good_times.by_chip.items():
        good |= (chips == chip) & _contains(gti, time)
    return good


def status_words(status: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """A bit column (shape (n, bytes), bit 31 first) as numbers, shape (n,)."""
    size = status.shape[1]
    return status.view(f">u{size}").reshape(len(status)).astype(np.uint32)


def status_text(bits: int) -> str:
    """Bits that have to be 0 as CIAO writes them: 32 characters, bit 31 first; x: any."""
    return "".join("0" if bits >> bit & 1 else "x" for bit in range(31, -1, -1))


def is_particle(islands: NDArray[Any]) -> Bools:
    """Whether one of the 16 outer pixels of an event's island is above the split threshold.

    Parameters
    ----------
    islands : ndarray of int, shape (n, 25)
        Pulse heights of 5 x 5 pixels, adu (VFAINT mode).
    """
    bright: Bools = np.any(islands[:, _OUTER] > SPLIT_THRESHOLD, axis=1)
    return bright


def selected_header(header: fits.Header, selection: Selection, imprint: HeaderUpdate) -> fits.Header:
    """Header of EVENTS after a selection; WCS and all else as before."""
    new = header.copy()
    set_exposure(new, selection.good_times, imprint.dtcor)
    if selection.status:
        new["STATFILT"] = (status_text(selection.status), "Status bit filter applied")
    if selection.grades is not None:
        restrict(new, "grade", [(grade, grade) for grade in selection.grades], "I")
    if selection.energy is not None:
        restrict(new, "energy", [selection.energy], "E", "eV")
    new.update(imprint.keywords)
    add_provenance(new, imprint.history)
    return new


def _extensions(source: EventFile, selection: Selection, imprint: HeaderUpdate) -> list[RawHdu]:
    """What follows EVENTS: the good times, then whatever else the source has (REGION), untouched."""
    gtis = gti_extensions(source, selection.good_times, imprint.dtcor, imprint.history)
    both = zip(source.extensions, source.raw_extensions, strict=True)
    return [*map(raw_hdu, gtis), *(raw for hdu, raw in both if not is_gti(hdu))]


def _contains(gti: Gti, time: Floats) -> Bools:
    """`Gti.contains`, made fast for times that are all in one interval or all between two."""
    first, last = time.min(), time.max()
    low, high = np.searchsorted(gti.edges(), [first, last], side="right")
    if low == high and first <= last:  # not so where one is nan
        return np.full(len(time), low % 2 == 1)
    return gti.contains(time)


def _passing(cuts: Iterable[tuple[str, Bools]], rows: int, taken: Counter[str]) -> Bools:
    """Which events pass all cuts; adds to what each of them took."""
    keep = np.ones(rows, dtype=bool)
    left = rows
    for name, passes in cuts:
        keep &= passes
        before, left = left, int(np.count_nonzero(keep))
        taken[name] += before - left
    return keep


def _take(chunk: NDArray[Any], keep: Bools) -> NDArray[Any]:
    """Some rows, copied as they are: numpy copies records without fields ten times faster."""
    return chunk.view(f"V{chunk.dtype.itemsize}")[keep].view(chunk.dtype)
