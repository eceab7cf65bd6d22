"""Size of the point spread function (PSF) across the field of view."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from .geometry import Array, Attitude, Pointing, sky_to_rays
from .grid import Grid

TABLE = Path(__file__).with_name("psf_radii.csv")
"""Radii by focal plane, energy, enclosed fraction and off-axis angle; tools/make_psf_table.py makes it."""
REFERENCE = "MARX 5.5.3 simulations"
_BETWEEN_ACIS = -212.0
"""SIM_Z halfway between the aimpoints of ACIS-I (-233.6) and ACIS-S (-190.1), mm."""


def off_axis_map(pointing: Pointing, grid: Grid, mean: Attitude) -> Array:
    """Return the off-axis angle of each image pixel.

    Parameters
    ----------
    pointing, grid : Pointing, Grid
        Coordinates of the pixels.
    mean : Attitude
        The attitude around which the telescope dithered.

    Returns
    -------
    ndarray, shape (ny, nx)
        Off-axis angle, arcmin.
    """
    x = grid.x0 + (np.arange(grid.nx) + 0.5) * grid.step
    angles = np.empty(grid.shape)
    # Row by row, as the vectors of all pixels would need several times the memory of the map.
    for row in range(grid.ny):
        y = np.full(grid.nx, grid.y0 + (row + 0.5) * grid.step)
        ray = sky_to_rays(pointing, x, y, mean)
        angles[row] = np.arctan2(np.hypot(ray[1], ray[2]), -ray[0])
    return np.rad2deg(angles) * 60


def focal_plane_of(pointing: Pointing) -> str:
    """Return the key of the table for the detector at the aimpoint: ``ACIS-I``, ``ACIS-S`` or ``HRC``."""
    if pointing.detector.name != "ACIS":
        return "HRC"
    return "ACIS-I" if pointing.sim[2] < _BETWEEN_ACIS else "ACIS-S"


def psf_radius(focal_plane: str, enclosed: float, energy: float, angle: Array) -> Array:
    """Return the radius that encloses a fraction of a point source's counts.

    The radius is interpolated in a table made of simulated sources: ray traces of MARX with the pixels and
    the blur of the detectors, at all azimuths. The table was compared with other simulated sources:

    - ACIS, 39.3 % and 90 %, up to 10', at the median energy of a source's events: within 10 %.
    - The same, in single bands: nearly all within 20 %; at 2' above 2 keV 27 % too large.
    - HRC: within 5 % on the axis, 11 to 17 % too large 3' off it.

    Nothing was measured beyond 12', where the fit is extrapolated. The radii are those of the array at the
    aimpoint, also on chips of the other one.

    Parameters
    ----------
    focal_plane : str
        Key from `focal_plane_of`: detectors differ because their surfaces follow that of best focus more or
        less, and in blur on the axis.
    enclosed : float
        Fraction of the counts, more than 0 and at most 1. Fractions are of the counts in an aperture of 8" up
        to 5' off axis, 8" (angle / 5')^2 beyond, which is the radius for 1.
    energy : float
        Energy, keV; energies outside 0.3 to 8 are taken as the nearest of them.
    angle : ndarray
        Off-axis angle, arcmin; angles beyond 30' are taken as 30'.

    Returns
    -------
    ndarray
        Radius, arcsec.

    Examples
    --------
    >>> psf_radius("ACIS-I", 0.9, 1.5, np.array([0.0, 5.0])).round(1).tolist()
    [0.8, 2.6]
    """
    angles, energies, fractions, logs = _radii(focal_plane)
    # Linear in the logarithms of radius and energy, constant outside the energies of the table.
    place = np.interp(np.log(energy), energies, np.arange(len(energies)))
    lower = min(int(place), len(energies) - 2)
    at_energy = logs[lower] + (place - lower) * (logs[lower + 1] - logs[lower])
    # The area of the circle is interpolated, which for small fractions grows like the fraction.
    areas = np.exp(2 * at_energy).T
    radius = np.sqrt([np.interp(enclosed, [0, *fractions], [0, *area]) for area in areas])
    at_pixels: Array = np.interp(angle, angles, radius)
    return at_pixels


@cache
def _radii(focal_plane: str) -> tuple[Array, Array, Array, Array]:
    """Return angles, logarithms of energies, fractions, and of radii (energies, fractions, angles)."""
    lines = [line.split(",") for line in TABLE.read_text(encoding="ascii").splitlines() if line[0] != "#"]
    rows = np.array([row[1:] for row in lines[1:] if row[0] == focal_plane], dtype=float)
    energies, fractions = (np.unique(column) for column in rows[:, :2].T)
    radii = rows[:, 2:].reshape(len(energies), len(fractions), -1)
    return np.array(lines[0][3:], dtype=float), np.log(energies), fractions, np.log(radii)
