"""From photons to event lists: frames, good times, bad pixels, and the columns of level 1 and 2."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.native.aspect import Aspect, event_positions
from chandra_runner.native.geometry import Array
from chandra_runner.native.level2 import GOOD_GRADES

from .catalog import FrameCycle, Interval, Sample
from .event_islands import draw_grades, draw_islands
from .photons import Photons
from .sky import pointing_of

EventColumns = dict[str, Array]
"""Columns of an event list by name, all of the same length."""

BACK_ILLUMINATED = (5, 7)
"""Back-illuminated CCDs."""
FRONT_GAIN, BACK_GAIN = 3.9, 4.7
"""Energy of a channel of front- and back-illuminated CCDs, eV."""
PI_CHANNEL = 14.6
"""Width of a channel of PI, eV."""
STATUS_BAD_PIXEL = 4
"""Status bit of events on bad pixels."""
STATUS_AFTERGLOW = (16, 17, 18, 19)
"""Status bits of possible cosmic-ray afterglows."""
HRC_STATUS_FATAL, HRC_STATUS_HARMLESS = (8, 12), 20
"""Status bits that exclude an HRC event from level 2, and one that does not."""
BAD_POINT, BAD_COLUMN, BAD_EDGE_COLUMN, BAD_EDGE_ROW = 0, 8, 14, 17
"""Status bits of the bad-pixel file."""


@dataclass(frozen=True)
class BadRegion:
    """A rectangle of bad pixels on a chip, both ends included, and the status bit of the reason."""

    chipx: tuple[int, int]
    chipy: tuple[int, int]
    bit: int


def good_times(sample: Sample, interval: Interval) -> GoodTimes:
    """Return the good times by chip, the aimpoint chip first; those of HRC are the same for all chips.

    ACIS good times begin and end with whole frames, but not with the same frame on every chip.
    """
    edges = [0.0, *np.ravel(interval.gaps).tolist(), interval.span]
    pairs = np.add(np.reshape(edges, (-1, 2)), [8.0, -6.0])
    if sample.instrument == "HRC":
        return GoodTimes({1: make_gti(*(interval.start + pairs.T))}, shared=True)
    frames = np.rint(pairs / sample.frame)
    chips = enumerate(sample.background)
    shifts = {chip: np.array([number % 2, -(number // 2 % 2)]) for number, chip in chips}
    return GoodTimes(
        {
            chip: make_gti(*(interval.start + sample.frame * (frames + shift).T))
            for chip, shift in shifts.items()
        },
        shared=False,
    )


def bad_regions(sample: Sample, chip: int) -> list[BadRegion]:
    """Return the bad pixels of a chip: its edges, some hot pixels and, for ACIS, a hot column."""
    size = pointing_of(sample).detector.chip(chip).nx
    rng = np.random.default_rng([sample.obsid, chip])
    spots = rng.integers(20, size - 20, (8, 2)).tolist()
    if sample.instrument == "HRC":
        edges = [BadRegion((1, size), rows, BAD_POINT) for rows in ((1, 16), (size - 15, size))]
        return edges + [BadRegion((x, x + 2), (y, y + 2), BAD_POINT) for x, y in spots]
    edges = [BadRegion((1, size), (row, row), BAD_EDGE_ROW) for row in (1, size)]
    edges += [BadRegion((column, column), (2, size - 1), BAD_EDGE_COLUMN) for column in (1, size)]
    column = int(rng.integers(20, size - 20))
    hot = BadRegion((column, column), (2, size - 1), BAD_COLUMN)
    return [*edges, hot, *(BadRegion((x, x), (y, y), BAD_POINT) for x, y in spots)]


def level_1(
    sample: Sample,
    interval: Interval,
    cycle: FrameCycle,
    photons: Photons,
    aspect: Aspect,
    rng: np.random.Generator,
) -> EventColumns:
    """Return the columns of the level-1 event list, sorted by time."""
    if sample.instrument == "HRC":
        live = rng.random(len(photons.time)) < cycle.dtcor
        return _hrc_events(sample, photons[live], aspect, rng)
    frame = ((photons.time - interval.start) // sample.frame).astype(int)
    # A photon is lost in frames of another cycle, in an unfinished last frame, and during the transfer.
    live = np.isin(frame % cycle.period, cycle.slots)
    live &= frame < int(interval.span / sample.frame)
    live &= rng.random(len(live)) * sample.frame < cycle.exposure
    time = interval.start + (frame[live] + 0.5) * sample.frame
    return _acis_events(sample, photons[live], frame[live], time, aspect, rng)


def level_2(sample: Sample, events: EventColumns, gtis: GoodTimes) -> EventColumns:
    """Return good events in good times, without the columns that only level 1 has."""
    time, chip = events["time"], events[pointing_of(sample).detector.chip_column]
    keep = np.any([(chip == c) & gtis.of(c).contains(time) for c in sample.background], axis=0)
    if sample.instrument == "HRC":
        keep &= ~events["status"][:, [31 - bit for bit in HRC_STATUS_FATAL]].any(axis=1)
    else:
        keep &= np.isin(events["grade"], GOOD_GRADES) & ~events["status"].any(axis=1)
    dropped = ("phas", "pha_ro", "crsv", "crsu", "amp_sf")
    return {name: column[keep] for name, column in events.items() if name not in dropped}


def _acis_events(
    sample: Sample, photons: Photons, frame: Array, time: Array, aspect: Aspect, rng: np.random.Generator
) -> EventColumns:
    width = 5 if sample.datamode == "VFAINT" else 3
    gain = np.where(np.isin(photons.chip, BACK_ILLUMINATED), BACK_GAIN, FRONT_GAIN)
    grade, fltgrade = draw_grades(photons.background, rng)
    energy = 1000 * photons.energy
    # Noise of charge creation (Fano factor 0.115, 3.65 eV for an electron), and of the readout (40 eV).
    energy += rng.standard_normal(len(time)) * np.sqrt(40.0**2 + 0.115 * 3.65 * energy)
    pha = np.maximum(np.rint(energy / gain), 40).astype(int)
    energy = (pha + rng.uniform(-0.5, 0.5, len(pha))) * gain
    tdetx, tdety = _tiled(photons)
    return {
        "time": time,
        "expno": frame + 1,
        "ccd_id": photons.chip,
        "node_id": (photons.chipx - 1) // 256,
        "chipx": photons.chipx,
        "chipy": photons.chipy,
        "tdetx": tdetx,
        "tdety": tdety,
        **_positions(sample, aspect, photons, time),
        "phas": draw_islands(pha, fltgrade, photons.background, width, rng),
        "pha": pha,
        "pha_ro": pha,
        "energy": energy,
        "pi": np.clip(energy // PI_CHANNEL + 1, 1, 1024).astype(int),
        "fltgrade": fltgrade,
        "grade": grade,
        "status": _acis_status(sample, photons, rng),
    }


def _hrc_events(sample: Sample, photons: Photons, aspect: Aspect, rng: np.random.Generator) -> EventColumns:
    count = len(photons.time)
    pha = np.clip(np.rint(110 + 28 * rng.standard_normal(count)), 0, 255).astype(int)
    status = np.zeros((count, 32), dtype=bool)
    for bit, fraction in (
        (HRC_STATUS_FATAL[0], 0.015),
        (HRC_STATUS_FATAL[1], 0.01),
        (HRC_STATUS_HARMLESS, 0.01),
    ):
        status[:, 31 - bit] = rng.random(count) < fraction
    return {
        "time": photons.time,
        "crsv": (photons.chipy - 1) // 256,
        "crsu": (photons.chipx - 1) // 256,
        "amp_sf": np.full(count, 2),
        "chipx": photons.chipx,
        "chipy": photons.chipy,
        "tdetx": photons.chipx - 1,
        "tdety": photons.chipy,
        **_positions(sample, aspect, photons, photons.time),
        "pha": pha,
        "pi": pha,
        "sumamps": 20 * pha,
        "chip_id": photons.chip,
        "status": status,
    }


def _positions(sample: Sample, aspect: Aspect, photons: Photons, time: Array) -> EventColumns:
    """Return DET and sky coordinates of the centers of the pixels."""
    found = event_positions(pointing_of(sample), aspect, photons.chip, photons.chipx, photons.chipy, time)
    return {"detx": found.detx, "dety": found.dety, "x": found.x, "y": found.y}


def _tiled(photons: Photons) -> tuple[Array, Array]:
    """Return ACIS tiled detector coordinates: chips side by side, whole pixels."""
    chip, x, y = photons.chip, photons.chipx, photons.chipy
    left = np.choose(chip, [3061, 5131, 3061, 5131, 791, 1833, 2875, 3917, 4959, 6001])
    low = np.choose(chip, [5131, 4107, 4085, 3061, *[1702] * 6])
    imaging = chip < 4
    tdetx = np.where(imaging, left + np.where(chip % 2 == 0, y, -y), left + x)
    tdety = np.where(imaging, low + np.where(chip % 2 == 0, -x, x), low + y)
    return tdetx, tdety


def _acis_status(sample: Sample, photons: Photons, rng: np.random.Generator) -> Array:
    """Return status bits, shape (n, 32), bit 31 first: some afterglows, and events on bad pixels."""
    status = np.zeros((len(photons.time), 32), dtype=bool)
    for chip in sample.background:
        for bad in bad_regions(sample, chip):
            hit = (
                (photons.chip == chip) & _within(photons.chipx, bad.chipx) & _within(photons.chipy, bad.chipy)
            )
            status[hit, 31 - STATUS_BAD_PIXEL] = True
    bit = rng.choice(STATUS_AFTERGLOW, len(status))
    glows = rng.random(len(status)) < 0.03
    status[glows, 31 - bit[glows]] = True
    return status


def _within(coordinate: Array, ends: tuple[int, int]) -> Array:
    return (coordinate >= ends[0]) & (coordinate <= ends[1])
