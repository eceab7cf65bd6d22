"""Where the telescope looked: the aspect solution, and the dither rebuilt from events where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import naming_file
from chandra_runner.fits.tables import has_columns, number_column, table_with

from .geometry import Array, Attitude, Pointing, chip_to_focal, rays, rays_to_det, rays_to_sky


@dataclass(frozen=True)
class Aspect:
    """The telescope's attitude over time; all arrays have shape (n,), n > 0, time increasing.

    Parameters
    ----------
    time : ndarray
        Mission time, s.
    ra, dec, roll : ndarray
        Pointing, deg; ra and roll without jumps at 360.
    dy, dz : ndarray
        Offset of the focal plane, mm.
    dtheta : ndarray
        Its rotation, deg.
    """

    time: Array
    ra: Array
    dec: Array
    roll: Array
    dy: Array
    dz: Array
    dtheta: Array

    def at(self, time: Array) -> Attitude:
        """Attitude at times (s), interpolated linearly; before the start and after the end, held."""
        names = [field.name for field in fields(Attitude)]
        return Attitude(**{name: np.interp(time, self.time, getattr(self, name)) for name in names})

    def moved(self, dy: float, dz: float) -> Aspect:
        """The same with the focal plane moved by a constant, mm."""
        return replace(self, dy=self.dy + dy, dz=self.dz + dz)


@dataclass(frozen=True)
class Positions:
    """DET and sky coordinates of events, pixel; all of shape (n,), float64."""

    detx: Array
    dety: Array
    x: Array
    y: Array


def read_aspect(paths: Sequence[Path]) -> Aspect:
    """Read an aspect solution, from one asol1 file or several that follow each other.

    Raises
    ------
    DataError
        A file is unreadable or lacks a column; none has a row with finite numbers.
    """
    tables = [_read_table(path) for path in paths]
    columns = {field.name: np.concatenate([t[field.name] for t in tables]) for field in fields(Aspect)}
    finite = np.all([np.isfinite(column) for column in columns.values()], axis=0)
    # Files of one observation may share their border rows.
    order = np.flatnonzero(finite)[np.unique(columns["time"][finite], return_index=True)[1]]
    if not order.size:
        raise DataError(f"{', '.join(path.name for path in paths)}: the aspect solution is empty")
    return make_aspect(**{name: column[order] for name, column in columns.items()})


def make_aspect(
    time: Array, ra: Array, dec: Array, roll: Array, dy: Array, dz: Array, dtheta: Array
) -> Aspect:
    """An `Aspect` of angles that may jump at 360 deg."""
    return Aspect(time, np.unwrap(ra, period=360), dec, np.unwrap(roll, period=360), dy, dz, dtheta)


def _read_table(path: Path) -> dict[str, Array]:
    """Columns of the first table with attitudes; the focal plane's motion is zero where it is not told."""
    hdu = table_with(path, "time", "ra", "dec", "roll")
    with naming_file(path):
        columns = {
            field.name: number_column(hdu, field.name)
            if has_columns(hdu, field.name)
            else np.zeros(len(hdu.data))
            for field in fields(Aspect)
        }
        if any(column.shape != (len(hdu.data),) for column in columns.values()):
            raise DataError(f"extension {hdu.name} has vectors where numbers should be")
    return columns


def positions(
    pointing: Pointing, aspect: Aspect, chip: Array, chipx: Array, chipy: Array, time: Array
) -> Positions:
    """DET and sky coordinates of events from their chip coordinates.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point, from the event header.
    aspect : Aspect
        Aspect solution.
    chip : ndarray of int, shape (n,)
        ccd_id or chip_id.
    chipx, chipy : ndarray, shape (n,)
        Chip coordinates, pixel; fractions of a pixel count.
    time : ndarray, shape (n,)
        Event times, s.

    Returns
    -------
    Positions

    Raises
    ------
    DataError
        A chip number that the instrument does not have.
    """
    attitude = aspect.at(time)
    ray = rays(focal_positions(pointing, chip, chipx, chipy), attitude)
    return Positions(*rays_to_det(pointing.detector, ray), *rays_to_sky(pointing, ray, attitude))


def focal_positions(pointing: Pointing, chip: Array, chipx: Array, chipy: Array) -> Array:
    """`chip_to_focal` for events of all chips: x, y, z in mm, shape (3, n)."""
    focal = np.empty((3, len(chip)))
    for number in np.unique(chip):
        on_chip = chip == number
        focal[:, on_chip] = chip_to_focal(pointing, int(number), chipx[on_chip], chipy[on_chip])
    return focal
