"""Attitude and point spread function of the synthetic telescope."""

from __future__ import annotations

import numpy as np

from chandra_runner.native.aspect import Aspect
from chandra_runner.native.detectors import detector_of
from chandra_runner.native.geometry import (
    Array,
    Attitude,
    Pointing,
    off_axis_angle,
    rays_to_det,
    sky_to_rays,
)

from .catalog import Interval, Sample

DITHER = 8.0
"""Amplitude of the dither, arcsec."""
DITHER_PERIODS = (1000.0, 707.0)
"""Periods of the dither to the east and to the north, s."""
ASPECT_STEP = 2.05
"""Time between rows of the aspect solution, s; flight data have 0.256 s.

Linear interpolation between the rows is within 0.0004 arcsec of the dither.
"""
TABLE_OFFSET = (0.05, -0.08, 0.002)
"""dy, dz (mm) and dtheta (deg): the focal plane is never exactly at its nominal position."""


def pointing_of(sample: Sample) -> Pointing:
    """Return the position of the instrument and the tangent point."""
    detector = detector_of({"DETNAM": sample.detname})
    return Pointing(detector, sample.sim, sample.ra, sample.dec, sample.roll)


def aspect_of(sample: Sample, interval: Interval) -> Aspect:
    """Return the attitude over an observing interval: a Lissajous figure around the nominal pointing."""
    time = interval.start + ASPECT_STEP * np.arange(int(interval.span / ASPECT_STEP) + 2)
    east, north = (DITHER / 3600 * np.sin(2 * np.pi * time / period) for period in DITHER_PERIODS)
    dy, dz, dtheta = (np.full(len(time), offset) for offset in TABLE_OFFSET)
    ra = sample.ra + east / np.cos(np.deg2rad(sample.dec))
    roll = np.full(len(time), sample.roll)
    return Aspect(time=time, ra=ra, dec=sample.dec + north, roll=roll, dy=dy, dz=dz, dtheta=dtheta)


def quaternion(ra: Array, dec: Array, roll: Array) -> Array:
    """Return attitude quaternions, scalar part last, as in the column ``q_att``.

    Parameters
    ----------
    ra, dec, roll : ndarray, shape (n,)
        Pointing, deg.

    Returns
    -------
    ndarray, shape (n, 4)
        The rotation about z by ra, then y by -dec, then x by roll.
    """
    (sa, ca), (sd, cd), (sr, cr) = (
        (np.sin(half), np.cos(half)) for half in (np.deg2rad(angle) / 2 for angle in (ra, -dec, roll))
    )
    return np.stack(
        [
            ca * cd * sr - sa * sd * cr,
            ca * sd * cr + sa * cd * sr,
            sa * cd * cr - ca * sd * sr,
            ca * cd * cr + sa * sd * sr,
        ],
        axis=-1,
    )


def psf_sigma(pointing: Pointing, x: float, y: float) -> float:
    """Return the width (sigma) of the image of a point source, arcsec.

    The image is a round Gaussian with the 90 % radius of Hickox & Markevitch (2006, ApJ 645, 95): half of the
    light is within 0.55" on the optical axis. Real images are neither round nor Gaussian.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point.
    x, y : float
        Sky coordinates of the source, pixel.
    """
    nominal = Attitude(pointing.ra, pointing.dec, pointing.roll)
    ray = sky_to_rays(pointing, np.array([x]), np.array([y]), nominal)
    angle = off_axis_angle(pointing.detector, *rays_to_det(pointing.detector, ray))[0]
    # A Gaussian in two dimensions has 90 % of its light within sqrt(2 ln 10) sigma.
    return float((1 + 10 * (angle / 10) ** 2) / np.sqrt(2 * np.log(10)))
