"""The motion of the field over the detector, told by the events themselves."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from chandra_runner.errors import DataError

from .aspect import Aspect, focal_positions, make_aspect
from .geometry import (
    FOCAL_LENGTH,
    Array,
    Attitude,
    Pointing,
    attitude_towards,
    det_to_rays,
    rays,
    rays_to_det,
    rays_to_sky,
)

STEP = 1.0
"""Events this close in time, s, are averaged: the field moves by 0.16" (HRC), 0.07" (ACIS) at most in it."""

DRIFT_STEP = 1000.0
"""The focal plane drifts slowly: by 1.2 pixels in the 20 ks of ObsID 754. Averaged over this time, s."""

LONGEST = 2e6
"""No observation lasts longer, s: Chandra's orbit ends each after 190 ks."""

COLUMNS = ("time", "chipx", "chipy", "detx", "dety", "x", "y")
"""What events must have for this, besides their chip number."""


class _Means:
    """Means of positions in bins of time.

    Parameters
    ----------
    start, stop, step : float
        The bins, s.
    """

    def __init__(self, start: float, stop: float, step: float) -> None:
        self.start, self.stop, self.step = start, stop, step
        self.sums = np.zeros((4, int((stop - start) / step) + 1))

    def add(self, time: Array, x: Array, y: Array) -> None:
        """Take in some events; those with no position, or outside the bins, do not count."""
        good = np.isfinite(x) & np.isfinite(y) & (time >= self.start) & (time <= self.stop)
        since = time[good] - self.start
        which = (since / self.step).astype(np.intp)
        for total, values in zip(self.sums, (np.ones_like(since), since, x[good], y[good]), strict=True):
            total += np.bincount(which, values, len(total))

    def result(self) -> tuple[Array, Array, Array]:
        """Time, x and y of the bins that have events."""
        filled = self.sums[0] > 0
        since, x, y = self.sums[1:, filled] / self.sums[0, filled]
        return self.start + since, x, y


def rebuild_aspect(pointing: Pointing, chunks: Iterable[Array], start: float, stop: float) -> Aspect:
    """The aspect solution that an event list was made with, where its file is not at hand.

    Sky minus turned DET coordinates is one offset for all events of a moment: where the optical axis
    pointed. DET minus the DET of the geometry is where the focal plane was.

    Parameters
    ----------
    pointing : Pointing
        Instrument, tangent point and roll, from the event header.
    chunks : iterable of structured ndarray
        All events, with `COLUMNS` and the chip number.
    start, stop : float
        Times between which to look, s.

    Raises
    ------
    DataError
        No event has coordinates, or the times are nonsense.
    """
    if not 0 < stop - start < LONGEST:
        raise DataError(f"good time from {start} to {stop} s is no observation")
    axis, plane = _Means(start, stop, STEP), _Means(start, stop, DRIFT_STEP)
    nominal = Attitude(pointing.ra, pointing.dec, pointing.roll)
    for events in chunks:
        time = events["time"].astype(float)
        x, y = rays_to_sky(pointing, det_to_rays(pointing.detector, events["detx"], events["dety"]), nominal)
        axis.add(time, events["x"] - x, events["y"] - y)
        plane.add(time, *_det_residuals(pointing, events, None))
    time, x, y = axis.result()
    plane_time, right, up = plane.result()
    if not len(time) or not len(plane_time):
        raise DataError("no event has DET and sky coordinates, so the dither cannot be rebuilt")
    centre = pointing.detector.centre
    seen = attitude_towards(pointing, centre + x, centre + y)
    dy, dz = _millimetres(pointing, right, up)
    return make_aspect(
        time,
        np.asarray(seen.ra),
        np.asarray(seen.dec),
        np.asarray(seen.roll),
        np.interp(time, plane_time, dy),
        np.interp(time, plane_time, dz),
        np.zeros_like(time),
    )


def align_focal_plane(pointing: Pointing, aspect: Aspect, events: Array) -> Aspect:
    """Move the focal plane so that the geometry gives the DET coordinates that the events have.

    Old processings differ from the geometry by several pixels, recent ones by 0.03 or less.

    Parameters
    ----------
    pointing : Pointing
        Instrument.
    aspect : Aspect
        Aspect solution.
    events : structured ndarray
        Some thousand events, with `COLUMNS` and the chip number.
    """
    right, up = _det_residuals(pointing, events, aspect.at(events["time"].astype(float)))
    good = np.isfinite(right) & np.isfinite(up)
    if not good.any():
        return aspect
    dy, dz = _millimetres(pointing, np.median(right[good]), np.median(up[good]))
    return aspect.moved(float(dy), float(dz))


def _det_residuals(pointing: Pointing, events: Array, attitude: Attitude | None) -> tuple[Array, Array]:
    """DETX and DETY of events minus those that the geometry gives their chip coordinates, pixel."""
    chip = events[pointing.detector.chip_column]
    focal = focal_positions(pointing, chip, events["chipx"], events["chipy"])
    detx, dety = rays_to_det(pointing.detector, rays(focal, attitude))
    return events["detx"] - detx, events["dety"] - dety


def _millimetres(pointing: Pointing, right: Array, up: Array) -> tuple[Array, Array]:
    """dy and dz of a shift in DET pixels: DETX grows with +y, DETY with -z."""
    pixel = FOCAL_LENGTH * np.deg2rad(pointing.detector.pixel / 3600)
    return right * pixel, -up * pixel
