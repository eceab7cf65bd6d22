"""Reconstructing the aspect solution from the positions of the events themselves."""

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
"""Length of the bins in which positions are averaged, s.

The field moves by at most 0.16" (HRC) or 0.07" (ACIS) in it.
"""

DRIFT_STEP = 1000.0
"""Length of the bins for the focal plane, s, which drifts slowly: 1.2 pixels in the 20 ks of ObsID 754."""

LONGEST = 2e6
"""Longest time between start and stop, s; Chandra's orbit limits observations to 190 ks."""

COLUMNS = ("time", "chipx", "chipy", "detx", "dety", "x", "y")
"""Columns of the events that are required, besides the chip number."""


class _BinnedPositions:
    """Mean positions in time bins, added up chunk by chunk.

    Parameters
    ----------
    start, stop, step : float
        Start, end and length of the bins, s.
    """

    def __init__(self, start: float, stop: float, step: float) -> None:
        self.start, self.stop, self.step = start, stop, step
        self.sums = np.zeros((4, int((stop - start) / step) + 1))

    def add(self, time: Array, x: Array, y: Array) -> None:
        """Add some events; those without a position, or outside the bins, are ignored."""
        good = np.isfinite(x) & np.isfinite(y) & (time >= self.start) & (time <= self.stop)
        since = time[good] - self.start
        which = (since / self.step).astype(np.intp)
        for total, values in zip(self.sums, (np.ones_like(since), since, x[good], y[good]), strict=True):
            total += np.bincount(which, values, len(total))

    def result(self) -> tuple[Array, Array, Array]:
        """Return mean time, x and y of the bins that have events."""
        # The mean time of the events, not the middle of the bin: bins at the ends of good time are partly
        # empty.
        filled = self.sums[0] > 0
        since, x, y = self.sums[1:, filled] / self.sums[0, filled]
        return self.start + since, x, y


def rebuild_aspect(pointing: Pointing, chunks: Iterable[Array], start: float, stop: float) -> Aspect:
    """Reconstruct the aspect solution with which an event list was made.

    At one time, the difference between sky and rotated DET coordinates is the same for all events: it is
    where the optical axis pointed. The difference between DET coordinates and those that the geometry
    gives is the offset of the focal plane. The roll is that of the header, without its dither.

    Parameters
    ----------
    pointing : Pointing
        Instrument, tangent point and roll, from the header of the events.
    chunks : iterable of structured ndarray
        All events, with `COLUMNS` and the chip number.
    start, stop : float
        First and last time of the solution, s.

    Raises
    ------
    DataError
        No event has coordinates, or the times are not those of an observation.
    """
    if not 0 < stop - start < LONGEST:
        raise DataError(f"good time from {start} to {stop} s is not that of an observation")
    # The axis dithers with periods around 1000 s, so its bins are short. Offsets of the focal plane are small
    # and slow, but single positions scatter by up to a pixel, so its bins are long.
    axis, plane = _BinnedPositions(start, stop, STEP), _BinnedPositions(start, stop, DRIFT_STEP)
    nominal = Attitude(pointing.ra, pointing.dec, pointing.roll)
    for events in chunks:
        time = events["time"].astype(float)
        x, y = rays_to_sky(pointing, det_to_rays(pointing.detector, events["detx"], events["dety"]), nominal)
        axis.add(time, events["x"] - x, events["y"] - y)
        plane.add(time, *_det_residuals(pointing, events, None))
    time, x, y = axis.result()
    plane_time, right, up = plane.result()
    if not len(time) or not len(plane_time):
        raise DataError("no event has DET and sky coordinates, so the dither cannot be reconstructed")
    center = pointing.detector.center
    attitude = attitude_towards(pointing, center + x, center + y)
    dy, dz = _to_millimeters(pointing, right, up)
    return make_aspect(
        time=time,
        ra=np.asarray(attitude.ra),
        dec=np.asarray(attitude.dec),
        roll=np.asarray(attitude.roll),
        dy=np.interp(time, plane_time, dy),
        dz=np.interp(time, plane_time, dz),
        dtheta=np.zeros_like(time),
    )


def align_focal_plane(pointing: Pointing, aspect: Aspect, events: Array) -> Aspect:
    """Shift the focal plane so that the geometry gives the DET coordinates of the events.

    Events of early processing differ from the geometry by several pixels, recent ones by 0.03 or less.

    Parameters
    ----------
    pointing : Pointing
        Instrument.
    aspect : Aspect
        Aspect solution.
    events : structured ndarray
        A few thousand events, with `COLUMNS` and the chip number.
    """
    right, up = _det_residuals(pointing, events, aspect.at(events["time"].astype(float)))
    # The median, as sub-pixel shifts of single events scatter around the alignment.
    good = np.isfinite(right) & np.isfinite(up)
    if not good.any():
        return aspect
    dy, dz = _to_millimeters(pointing, np.median(right[good]), np.median(up[good]))
    return aspect.moved(float(dy), float(dz))


def _det_residuals(pointing: Pointing, events: Array, attitude: Attitude | None) -> tuple[Array, Array]:
    """Return DETX and DETY of events minus those that the geometry gives, pixel."""
    chip = events[pointing.detector.chip_column]
    focal = focal_positions(pointing, chip, events["chipx"], events["chipy"])
    detx, dety = rays_to_det(pointing.detector, rays(focal, attitude))
    return events["detx"] - detx, events["dety"] - dety


def _to_millimeters(pointing: Pointing, right: Array, up: Array) -> tuple[Array, Array]:
    """Return dy and dz of a shift in DET pixels: DETX increases with +y, DETY with -z."""
    # A DET pixel is an angle seen from the mirror; times the focal length it is a length.
    pixel = FOCAL_LENGTH * np.deg2rad(pointing.detector.pixel / 3600)
    return right * pixel, -up * pixel
