"""Exposure frames of the CCDs, and good times that begin and end with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.gti import GoodTimes, Gti, make_gti
from chandra_runner.fits.reader import naming_file
from chandra_runner.fits.tables import number_column, table_with

from .geometry import Array

_TOLERANCE = 0.001
"""Time by which an interval must reach into a frame to take it, s, as in CIAO's gti_align.

The ends of good times are edges of frames, but for rounding and the jitter of the clock.
"""


@dataclass(frozen=True, eq=False)
class Frames:
    """The frames of one CCD; arrays of shape (n,), increasing, in mission time, s.

    Parameters
    ----------
    time : ndarray
        Middle of each frame, which is the time of its events.
    start, stop : ndarray
        Begin and end of each frame.
    """

    time: Array
    start: Array
    stop: Array


def make_frames(time: Array, number: Array, length: float, flush: float = 0.0) -> Frames:
    """Return the frames of a CCD, with edges as CIAO's gti_align determines them.

    Consecutive frames meet halfway between their middles. A frame that was dropped leaves a gap.

    Parameters
    ----------
    time : ndarray, shape (n,)
        Middle of each frame, s, increasing.
    number : ndarray, shape (n,)
        Number of each frame (EXPNO).
    length : float
        Time between frames (TIMEDEL), s.
    flush : float
        Time by which the CCD is flushed before the first frame, and after a gap (FLSHTIME), s.

    Examples
    --------
    >>> frames = make_frames(np.array([10.0, 13.0, 19.0]), np.array([1, 2, 4]), 3.0)
    >>> frames.start.tolist(), frames.stop.tolist()
    ([8.5, 11.5, 17.5], [11.5, 14.5, 20.5])
    """
    start, stop = time - length / 2 - flush, time + length / 2
    consecutive = np.flatnonzero(np.diff(number) == 1)
    middle = (time[consecutive] + time[consecutive + 1]) / 2
    start[consecutive + 1] = stop[consecutive] = middle
    return Frames(time, start, stop)


def read_frames(path: Path, during: Gti | None = None) -> dict[int, Frames]:
    """Read the frames of each CCD from a file of exposure statistics (stat1).

    Parameters
    ----------
    path : Path
        The file.
    during : Gti, optional
        Times in which frames are used; None for all frames.

    Raises
    ------
    DataError
        The file is damaged or is not one of exposure statistics.
    """
    table = table_with(path, "TIME", "CCD_ID", "EXPNO")
    with naming_file(path):
        time, ccd, number = (number_column(table, name) for name in ("TIME", "CCD_ID", "EXPNO"))
        length, flush = table.header.get("TIMEDEL"), table.header.get("FLSHTIME", 0.0)
        if not isinstance(length, int | float) or not isinstance(flush, int | float):
            raise DataError(f"extension {table.name} has no number TIMEDEL or FLSHTIME")
    used = np.isfinite(time) if during is None else during.contains(time)
    order = np.flatnonzero(used)[np.argsort(time[used], kind="stable")]
    ccd = ccd[order]
    return {
        int(chip): make_frames(time[order][ccd == chip], number[order][ccd == chip], length, flush)
        for chip in np.unique(ccd)
    }


def align_to_frames(good_times: GoodTimes, frames: Mapping[int, Frames], *, partial: bool) -> GoodTimes:
    """Return good times whose intervals begin and end with frames, chip by chip.

    CIAO's chandra_repro does so with gti_align (ciao-contrib, ``bin/gti_align``). Frames that were dropped
    within an interval remain good time, as there.

    Parameters
    ----------
    good_times : GoodTimes
        Good times. A chip without frames loses them.
    frames : Mapping
        Frames by CCD.
    partial : bool
        Whether frames that are good only in part are taken whole, as gti_align does. Otherwise only frames
        whose middle is good are taken: these are the frames whose events are left in an event list that has
        been filtered by the good times.
    """
    chips = frames if good_times.shared else good_times.by_chip
    aligned = {
        chip: _align(good_times.of(chip), frames[chip], partial) if chip in frames else make_gti([], [])
        for chip in chips
    }
    return GoodTimes(aligned, shared=False)


def _align(gti: Gti, frames: Frames, partial: bool) -> Gti:
    """Return the intervals from the first to the last frame of each interval."""
    if partial:
        first = np.searchsorted(frames.stop, gti.start + _TOLERANCE, side="left")
        last = np.searchsorted(frames.start, gti.stop - _TOLERANCE, side="right") - 1
    else:
        first = np.searchsorted(frames.time, gti.start, side="left")
        last = np.searchsorted(frames.time, gti.stop, side="left") - 1
    some = first <= last
    return make_gti(frames.start[first[some]], frames.stop[last[some]])
