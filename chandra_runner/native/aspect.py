"""Aspect solutions: the attitude of the telescope over time, and the positions of events that follow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.gti import Gti, make_gti
from chandra_runner.fits.reader import naming_file
from chandra_runner.fits.tables import has_columns, number_column, table_with

from .geometry import Array, Attitude, Pointing, chip_to_focal, rays, rays_to_det, rays_to_sky

_LONGEST_STEP = 10.0
"""Longest time between two rows of a solution without a gap, s; rows are 0.256 to 2 s apart.

Across 10 s, linear interpolation of the dither (amplitude 20", period 700 s) is wrong by up to 0.02".
"""


@dataclass(frozen=True, kw_only=True)
class Aspect:
    """The attitude of the telescope over time; all arrays have shape (n,), n > 0, with increasing times.

    Parameters
    ----------
    time : ndarray
        Mission time, s.
    ra, dec, roll : ndarray
        Pointing, deg; ra and roll do not jump at 360 deg.
    dy, dz : ndarray
        Offset of the focal plane, mm.
    dtheta : ndarray
        Rotation of the focal plane, deg.
    """

    time: Array
    ra: Array
    dec: Array
    roll: Array
    dy: Array
    dz: Array
    dtheta: Array

    def at(self, time: Array) -> Attitude:
        """Return the attitude at times (s), interpolated linearly and constant beyond the ends."""
        names = [field.name for field in fields(Attitude)]
        return Attitude(**{name: np.interp(time, self.time, getattr(self, name)) for name in names})

    @property
    def span(self) -> Gti:
        """The time from the first row to the last, gaps included."""
        return make_gti(self.time[0], self.time[-1])

    @property
    def gaps(self) -> Gti:
        """The times between rows that are far apart, as between files that do not follow each other."""
        before = np.flatnonzero(np.diff(self.time) > _LONGEST_STEP)
        return make_gti(self.time[before], self.time[before + 1])

    def moved(self, dy: float, dz: float) -> Aspect:
        """Return the same with an additional constant offset of the focal plane, mm."""
        return replace(self, dy=self.dy + dy, dz=self.dz + dz)


@dataclass(frozen=True)
class EventPositions:
    """DET and sky coordinates of events, pixel; arrays of shape (n,), float64."""

    detx: Array
    dety: Array
    x: Array
    y: Array


def read_aspect(paths: Sequence[Path]) -> Aspect:
    """Read an aspect solution from one asol1 file, or from several of consecutive times.

    Raises
    ------
    DataError
        A file is unreadable or has no table with the columns, or no row has finite numbers.
    """
    tables = [_read_table(path) for path in paths]
    columns = {field.name: np.concatenate([t[field.name] for t in tables]) for field in fields(Aspect)}
    finite = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    # Consecutive files can have a row in common; interpolation requires increasing times.
    order = np.flatnonzero(finite)[np.unique(columns["time"][finite], return_index=True)[1]]
    if not order.size:
        raise DataError(f"{', '.join(path.name for path in paths)}: the aspect solution is empty")
    return make_aspect(**{name: column[order] for name, column in columns.items()})


def make_aspect(
    *, time: Array, ra: Array, dec: Array, roll: Array, dy: Array, dz: Array, dtheta: Array
) -> Aspect:
    """Return an `Aspect` from angles that may jump at 360 deg, which would break interpolation."""
    return Aspect(
        time=time,
        ra=np.unwrap(ra, period=360),
        dec=dec,
        roll=np.unwrap(roll, period=360),
        dy=dy,
        dz=dz,
        dtheta=dtheta,
    )


def _read_table(path: Path) -> dict[str, Array]:
    """Read the columns of the first table with attitudes; missing dy, dz and dtheta are 0."""
    hdu = table_with(path, "time", "ra", "dec", "roll")
    with naming_file(path):
        columns = {
            field.name: number_column(hdu, field.name)
            if has_columns(hdu, field.name)
            else np.zeros(len(hdu.data))
            for field in fields(Aspect)
        }
        if any(column.shape != (len(hdu.data),) for column in columns.values()):
            raise DataError(f"extension {hdu.name} has a vector column instead of numbers")
    return columns


def event_positions(
    pointing: Pointing, aspect: Aspect, chip: Array, chipx: Array, chipy: Array, time: Array
) -> EventPositions:
    """Compute DET and sky coordinates of events from their chip coordinates.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point, from the header of the events.
    aspect : Aspect
        Aspect solution.
    chip : ndarray of int, shape (n,)
        Column ccd_id or chip_id.
    chipx, chipy : ndarray, shape (n,)
        Chip coordinates, pixel; may be fractions.
    time : ndarray, shape (n,)
        Event times, s.

    Returns
    -------
    EventPositions

    Raises
    ------
    DataError
        A chip number does not exist in the instrument.
    """
    attitude = aspect.at(time)
    ray = rays(focal_positions(pointing, chip, chipx, chipy), attitude)
    return EventPositions(*rays_to_det(pointing.detector, ray), *rays_to_sky(pointing, ray, attitude))


def focal_positions(pointing: Pointing, chip: Array, chipx: Array, chipy: Array) -> Array:
    """Return the positions of events in the focal plane, mm, shape (3, n); see `chip_to_focal`."""
    focal = np.empty((3, len(chip)))
    for number in np.unique(chip):
        on_chip = chip == number
        focal[:, on_chip] = chip_to_focal(pointing, int(number), chipx[on_chip], chipy[on_chip])
    return focal
