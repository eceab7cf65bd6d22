"""Size of the point spread function (PSF) across the field of view."""

from __future__ import annotations

import math

import numpy as np

from .geometry import Array, Attitude, Pointing, sky_to_rays
from .grid import Grid

REFERENCE = "Hickox & Markevitch 2006, ApJ 645, 95"
_FRACTION = 0.9
"""Fraction of the counts for which the formula of the reference holds."""


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


def psf_radius(angle: Array, enclosed: float) -> Array:
    """Return the radius that encloses a fraction of a point source's counts.

    For 90 % it is 1" + 10" (angle / 10')^2, at 1.5 keV (Hickox & Markevitch 2006). Other fractions are
    scaled as if the core were a Gaussian in two dimensions, which is approximate.

    Parameters
    ----------
    angle : ndarray
        Off-axis angle, arcmin.
    enclosed : float
        Fraction of the counts, more than 0 and less than 1.

    Returns
    -------
    ndarray
        Radius, arcsec.

    Examples
    --------
    >>> float(psf_radius(np.array(10.0), 0.9))
    11.0
    """
    # A Gaussian encloses 1 - exp(-r^2 / 2 sigma^2) within r.
    scale = math.sqrt(math.log1p(-enclosed) / math.log1p(-_FRACTION))
    radius: Array = scale * (1 + 10 * (angle / 10) ** 2)
    return radius
