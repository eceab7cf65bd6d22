"""The good times of level 2: those of the flt1 file, with aspect solution, in whole exposure frames."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes

from .aspect import Aspect
from .exposure_frames import align_to_frames, read_frames
from .level2 import read_good_times

_NEGLIGIBLE = 4.0
"""Good time whose loss is not worth a warning, s: an ACIS frame (3.2 s) and some more."""


@dataclass(frozen=True)
class GoodTimeInputs:
    """What decides about the good times of an exposure, besides its event list; None for what is missing.

    Parameters
    ----------
    filters : Path, optional
        Good times of the archive's processing (flt1).
    statistics : Path, optional
        Exposure statistics (stat1), if good times are to be aligned with frames.
    aspect : Aspect, optional
        Aspect solution.
    """

    filters: Path | None = None
    statistics: Path | None = None
    aspect: Aspect | None = None


@dataclass(frozen=True)
class Level2GoodTimes:
    """Good times of level 2, and what the user should know of them.

    Parameters
    ----------
    good_times : GoodTimes
        Good times by chip.
    history : tuple of str
        What was done.
    warnings : tuple of str
        What was lost.
    """

    good_times: GoodTimes
    history: tuple[str, ...]
    warnings: tuple[str, ...]


def level2_good_times(events: EventFile, inputs: GoodTimeInputs, *, level_1: bool) -> Level2GoodTimes:
    """Determine the good times of level 2 as CIAO's chandra_repro does (``get_asol_times`` there).

    The good times of flt1 are limited to the time from the first to the last row of the aspect solution,
    and extended to whole exposure frames. Time in a gap of the aspect solution remains good time.

    Parameters
    ----------
    events : EventFile
        Event list.
    inputs : GoodTimeInputs
        The files that decide.
    level_1 : bool
        Whether the event list is of level 1, and has all events of each frame. Level 2 has lost the events
        of frames whose middle is not in good time: these frames are left out.

    Raises
    ------
    DataError
        A file is damaged.
    """
    own = events.good_times
    wanted = own if inputs.filters is None else read_good_times(inputs.filters)
    if not level_1:
        wanted = own.intersect(wanted)
    history: list[str] = []
    warnings: list[str] = []
    covered = wanted
    if inputs.aspect is not None:
        covered = wanted.intersect(GoodTimes({0: inputs.aspect.span}, shared=True))
        warnings += _losses(wanted, covered, inputs.aspect)
        history.append("good times are limited to those of the aspect solution")
    aligned = covered
    if inputs.statistics is not None:
        frames = read_frames(inputs.statistics, None if inputs.aspect is None else inputs.aspect.span)
        aligned = align_to_frames(covered, frames, partial=level_1)
        lost = [str(chip) for chip in covered.by_chip if chip not in frames and not covered.shared]
        if lost:
            warnings.append(f"{inputs.statistics.name} has no frames of chip {', '.join(lost)}: no good time")
        history.append(f"good times are aligned with the exposure frames in {inputs.statistics.name}")
    return Level2GoodTimes(own.intersect(aligned) if level_1 else aligned, tuple(history), tuple(warnings))


def _losses(wanted: GoodTimes, covered: GoodTimes, aspect: Aspect) -> Iterator[str]:
    """Yield how much of the good time has no aspect solution."""
    total, left = wanted.first.total(), covered.first.total()
    if total - left > _NEGLIGIBLE:
        yield (f"{total - left:.1f} of {total:.1f} s of good time have no aspect solution and are not used")
    gaps = covered.first.intersect(aspect.gaps).total()
    if gaps > 0:
        yield f"the aspect solution has gaps of {gaps:.1f} s, which count as good time, as in CIAO"
