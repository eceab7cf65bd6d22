"""The field of view of an observation: chips, their good pixels and times, and the telescope's motion."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import Gti, make_gti
from chandra_runner.regions.event_region import is_cut, region_of_chip
from chandra_runner.regions.extent import Extent
from chandra_runner.regions.region import Region, RegionError

from .aspect import Aspect, read_aspect
from .detectors import ACIS
from .dither import COLUMNS, align_focal_plane, rebuild_aspect
from .exposure_map import ChipExposure, fine_pixel, mean_attitude, sample_times
from .field_extent import field_extent
from .geometry import Array, Attitude, Pointing
from .good_pixels import (
    Window,
    dead_columns,
    default_windows,
    good_fraction,
    read_bad_pixels,
    read_mask,
    rectangles,
)
from .level2 import mean_live_fraction

_SLACK = 4.0
"""Time by which good time may extend beyond the aspect solution, s: an ACIS frame (3.2 s) and some more."""


@dataclass(frozen=True)
class Companions:
    """The companion files of an event list; missing ones are None, or empty.

    Parameters
    ----------
    asol : tuple of Path
        Files of the aspect solution.
    badpix, mask, fov, dtf : Path or None
        Bad-pixel file, mask file, field-of-view file and dead-time file (HRC).
    """

    asol: tuple[Path, ...] = ()
    badpix: Path | None = None
    mask: Path | None = None
    fov: Path | None = None
    dtf: Path | None = None


@dataclass(frozen=True)
class FieldOfView:
    """What an observation could see.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point.
    chips : tuple of ChipExposure
        The chips that had good time.
    mean : Attitude
        The attitude around which the telescope dithered.
    dtcor : float
        Live fraction of the good time.
    extent : Extent
        Rectangle around the field of view, or around the part of it to which the events were cut.
    notes : tuple of str
        Limitations that the user should know.
    """

    pointing: Pointing
    chips: tuple[ChipExposure, ...]
    mean: Attitude
    dtcor: float
    extent: Extent
    notes: tuple[str, ...]

    @property
    def is_cut(self) -> bool:
        """Whether there is only exposure in the region to which the events were cut."""
        return any(chip.region is not None for chip in self.chips)


def load_field_of_view(events: EventFile, companions: Companions) -> FieldOfView:
    """Determine the field of view of an observation from its event list and companion files.

    Parameters
    ----------
    events : EventFile
        Open event list with good time.
    companions : Companions
        Companion files. Without an aspect solution the dither is reconstructed from the events; without a
        bad-pixel file (ACIS) columns without events count as bad, unless events were cut to a region.

    Raises
    ------
    DataError
        A file is damaged, a column or keyword is missing, or the events were cut to a region outside the
        field of view.
    """
    pointing = Pointing.of(events.header)
    notes: list[str] = []
    aspect = _aspect(events, companions.asol, pointing, notes)
    # A dead-time file is more precise than the header of events that were filtered by time since.
    dtcor = events.dtcor
    if companions.dtf is not None:
        dtcor = mean_live_fraction(companions.dtf, events.good_times.first) or dtcor
    good = _good_maps(events, companions, pointing, notes)
    regions = _regions(events, pointing, tuple(good), notes)
    chips = tuple(
        _chip_exposure(events, aspect, dtcor, number, pixels, regions[number])
        for number, pixels in good.items()
    )
    # A chip can lose all of its good time to the flare filter, while others keep theirs.
    exposed = tuple(chip for chip in chips if len(chip.seconds))
    if not exposed:
        raise DataError(f"{events.path.name} has no good time on any chip")
    if companions.fov is None:
        notes.append("no field-of-view file: the image covers the chips and their dither")
    extent = field_extent(pointing, exposed, companions.fov)
    return FieldOfView(
        pointing, exposed, mean_attitude(exposed[0].attitude, exposed[0].seconds), dtcor, extent, tuple(notes)
    )


def chip_numbers(events: EventFile, pointing: Pointing) -> tuple[int, ...]:
    """Return the numbers of the chips with events in a file."""
    detector = pointing.detector
    if not events.good_times.shared:
        return tuple(number for number in events.good_times.by_chip if number in detector.chips)
    if detector is not ACIS:
        return tuple(detector.chips)
    name = str(events.header.get("DETNAM", ""))
    return tuple(int(digit) for digit in name.partition("-")[2] if digit.isdigit())


def _aspect(events: EventFile, asol: tuple[Path, ...], pointing: Pointing, notes: list[str]) -> Aspect:
    """Return the aspect solution, read or reconstructed, aligned with the positions of the events."""
    events.require(*COLUMNS, pointing.detector.chip_column)
    good = [gti for gti in events.good_times.by_chip.values() if len(gti)]
    if not good:
        raise DataError(f"{events.path.name} has no good time")
    if asol:
        aspect = read_aspect(asol)
        _check_cover(aspect, asol, good[0])
        first = next(events.chunks(), None)
        return aspect if first is None else align_focal_plane(pointing, aspect, first)
    notes.append("no aspect solution: the dither is rebuilt from the positions of the events")
    start, stop = min(gti.start[0] for gti in good), max(gti.stop[-1] for gti in good)
    return rebuild_aspect(pointing, events.chunks(), float(start), float(stop))


def _check_cover(aspect: Aspect, asol: tuple[Path, ...], good: Gti) -> None:
    """Refuse an aspect solution that lacks good time: good times of level 2 are limited to it."""
    # Beyond its ends the attitude is held, which is harmless for a frame or two, not for hours.
    covered = good.intersect(make_gti(aspect.time[0] - _SLACK, aspect.time[-1] + _SLACK)).total()
    if covered < good.total():
        names = ", ".join(path.name for path in asol)
        raise DataError(f"{names} covers only {covered:.0f} of {good.total():.0f} s of good time")


def _good_maps(
    events: EventFile, companions: Companions, pointing: Pointing, notes: list[str]
) -> dict[int, Array]:
    """Return the maps of good pixels by chip."""
    detector = pointing.detector
    numbers = chip_numbers(events, pointing)
    masks: Mapping[int, tuple[Window, ...]] = {}
    if companions.mask is not None:
        masks = read_mask(companions.mask, detector)
    else:
        notes.append("no mask file: the window is that of the header")
    bad: Mapping[int, Array] = {}
    if companions.badpix is not None:
        bad = read_bad_pixels(companions.badpix, detector)
    elif detector is ACIS and not is_cut(events.header):
        bad = dict(_empty_columns(events, pointing, numbers))
        columns = sum(len(empty) for empty in bad.values())
        notes.append(f"no bad-pixel file: the {columns} columns that lack their share of events count as bad")
    else:
        notes.append("no bad-pixel file: all pixels count as good")
    maps = {}
    for number in numbers:
        chip = detector.chip(number)
        windows = masks.get(number) or default_windows(chip, detector, events.header)
        bad_here = bad.get(number, rectangles([], [], [], []))
        maps[number] = good_fraction(chip, windows, bad_here, fine_pixel(detector))
    return maps


def _regions(
    events: EventFile, pointing: Pointing, chips: Sequence[int], notes: list[str]
) -> Mapping[int, Region | None]:
    """Return the regions to which the events of each chip were cut, None where they were not."""
    column = pointing.detector.chip_column
    try:
        return {number: region_of_chip(events.header, column, number) for number in chips}
    except RegionError as error:
        notes.append(
            f"the events were cut to a region that cannot be read ({error.message}): the exposure map covers "
            "the whole chips, so rates are too low where events were cut away"
        )
        return dict.fromkeys(chips)


def _empty_columns(
    events: EventFile, pointing: Pointing, numbers: tuple[int, ...]
) -> Iterator[tuple[int, Array]]:
    """Yield, for each chip, the columns that are bad because they have no events."""
    size = pointing.detector.chip(numbers[0]).nx + 1 if numbers else 0
    # One histogram for the columns of all chips, filled in one pass over the events.
    counts = np.zeros((max(numbers, default=0) + 1) * size, dtype=np.int64)
    for chunk in events.chunks():
        chip, chipx = chunk["ccd_id"].astype(np.intp), chunk["chipx"].astype(np.intp)
        known = np.isin(chip, numbers) & (chipx > 0) & (chipx < size)
        counts += np.bincount((chip * size + chipx)[known], minlength=len(counts))
    for number in numbers:
        columns = counts[number * size + 1 : (number + 1) * size]
        yield number, dead_columns(pointing.detector.chip(number), columns)


def _chip_exposure(
    events: EventFile, aspect: Aspect, dtcor: float, number: int, good: Array, region: Region | None
) -> ChipExposure:
    """Return where a chip pointed in its good time."""
    middle, length = sample_times(events.good_times.of(number))
    return ChipExposure(number, aspect.at(middle), length * dtcor, good, region)
