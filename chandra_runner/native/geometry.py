"""Where a detector pixel looks: chip, focal plane (DET) and sky coordinates of Chandra.

Pixel coordinates follow the FITS convention: whole numbers are pixel centres and the first pixel is 1, so a
chip's lower left corner is (0.5, 0.5).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chandra_runner.errors import DataError

from .detectors import Detector, Vector, detector_of

Array = np.ndarray[Any, np.dtype[Any]]

FOCAL_LENGTH = 10070.0
"""Mirror to focus, mm. Old files say FOC_LEN = 10061.62, but their positions were made with this."""


@dataclass(frozen=True)
class Pointing:
    """How an instrument stood in the focal plane, and where its sky coordinates are centred.

    Parameters
    ----------
    detector : Detector
        The instrument.
    sim : tuple of 3 floats
        SIM_X, SIM_Y, SIM_Z, mm.
    ra, dec, roll : float
        RA_NOM, DEC_NOM (the tangent point of X and Y) and ROLL_NOM, deg.
    """

    detector: Detector
    sim: Vector
    ra: float
    dec: float
    roll: float

    @classmethod
    def of(cls, header: Mapping[str, Any]) -> Pointing:
        """Read it from an EVENTS header.

        Raises
        ------
        DataError
            A keyword is missing, or no number.
        """
        keys = ("SIM_X", "SIM_Y", "SIM_Z", "RA_NOM", "DEC_NOM", "ROLL_NOM")
        missing = [key for key in keys if not _is_number(header.get(key))]
        if missing:
            raise DataError(f"the event header has no {', '.join(missing)}")
        x, y, z, ra, dec, roll = (float(header[key]) for key in keys)
        return cls(detector_of(header), (x, y, z), ra, dec, roll)


@dataclass(frozen=True)
class Attitude:
    """Where the telescope looked, once or once for each event.

    Parameters
    ----------
    ra, dec, roll : float or ndarray, shape (n,)
        Pointing, deg.
    dy, dz : float or ndarray, shape (n,)
        Offset of the focal plane, mm.
    dtheta : float or ndarray, shape (n,)
        Its rotation, deg.
    """

    ra: float | Array
    dec: float | Array
    roll: float | Array
    dy: float | Array = 0.0
    dz: float | Array = 0.0
    dtheta: float | Array = 0.0


def chip_to_focal(pointing: Pointing, number: int, chipx: ArrayLike, chipy: ArrayLike) -> Array:
    """Place of chip pixels in the focal plane, with the origin at the nominal focus (STF frame).

    Parameters
    ----------
    pointing : Pointing
        Instrument and its place.
    number : int
        Chip.
    chipx, chipy : array_like, shape (n,)
        Chip coordinates, pixel.

    Returns
    -------
    ndarray, shape (3, n)
        x, y, z, mm.
    """
    chip = pointing.detector.chip(number)
    along_x = (np.asarray(chipx, dtype=float) - 0.5) / chip.nx
    along_y = (np.asarray(chipy, dtype=float) - 0.5) / chip.ny
    base = np.add(chip.origin, np.add(pointing.detector.origin, pointing.sim))
    return np.stack(
        [base[i] + along_x * chip.along_x[i] + along_y * chip.along_y[i] for i in range(3)],
    )


def rays(focal: Array, attitude: Attitude | None = None) -> Array:
    """Unit vectors from the mirror to places in the focal plane.

    Parameters
    ----------
    focal : ndarray, shape (3, n)
        x, y, z in the STF frame, mm.
    attitude : Attitude, optional
        For dy, dz, dtheta; zero without.

    Returns
    -------
    ndarray, shape (3, n)
        In the mirror's frame; x is near -1.
    """
    x, y, z = focal
    if attitude is not None:
        turn = np.deg2rad(attitude.dtheta)
        cos, sin = np.cos(turn), np.sin(turn)
        y, z = cos * y - sin * z + attitude.dy, sin * y + cos * z + attitude.dz
    vector = np.stack([x - FOCAL_LENGTH, y, z])
    unit: Array = vector / np.sqrt(np.einsum("in,in->n", vector, vector))
    return unit


def rays_to_det(detector: Detector, ray: Array) -> tuple[Array, Array]:
    """DETX, DETY (pixel) of unit vectors of `rays`."""
    pixel = np.deg2rad(detector.pixel / 3600)
    return detector.centre - ray[1] / (ray[0] * pixel), detector.centre + ray[2] / (ray[0] * pixel)


def det_to_rays(detector: Detector, detx: Array, dety: Array) -> Array:
    """The inverse of `rays_to_det`: unit vectors, shape (3, n)."""
    pixel = np.deg2rad(detector.pixel / 3600)
    right = (np.asarray(detx, dtype=float) - detector.centre) * pixel
    down = (detector.centre - np.asarray(dety, dtype=float)) * pixel
    vector = np.stack([np.full_like(right, -1.0), right, down])
    unit: Array = vector / np.sqrt(np.einsum("in,in->n", vector, vector))
    return unit


def rays_to_sky(pointing: Pointing, ray: Array, attitude: Attitude) -> tuple[Array, Array]:
    """X, Y (pixel) of unit vectors of `rays`, seen from that attitude."""
    along, east, north = _axes(attitude.ra, attitude.dec)
    turn = np.deg2rad(attitude.roll)
    cos, sin = np.cos(turn), np.sin(turn)
    forward, right, up = -ray[0], -ray[1] * cos + ray[2] * sin, -ray[1] * sin - ray[2] * cos
    nominal = _axes(pointing.ra, pointing.dec)
    depth, to_east, to_north = (
        forward * _dot(axis, along) + right * _dot(axis, east) + up * _dot(axis, north) for axis in nominal
    )
    pixel = np.deg2rad(pointing.detector.pixel / 3600)
    centre = pointing.detector.centre
    return centre - to_east / (depth * pixel), centre + to_north / (depth * pixel)


def sky_to_rays(pointing: Pointing, x: Array, y: Array, attitude: Attitude) -> Array:
    """The inverse of `rays_to_sky`: unit vectors, shape (3, n)."""
    pixel = np.deg2rad(pointing.detector.pixel / 3600)
    to_east = (pointing.detector.centre - np.asarray(x, dtype=float)) * pixel
    to_north = (np.asarray(y, dtype=float) - pointing.detector.centre) * pixel
    depth, to_east, to_north = _unit(np.ones_like(to_east), to_east, to_north)
    nominal = _axes(pointing.ra, pointing.dec)
    forward, right, up = (
        depth * _dot(nominal[0], axis) + to_east * _dot(nominal[1], axis) + to_north * _dot(nominal[2], axis)
        for axis in _axes(attitude.ra, attitude.dec)
    )
    turn = np.deg2rad(attitude.roll)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([-forward, -(right * cos + up * sin), right * sin - up * cos])


def attitude_towards(pointing: Pointing, x: Array, y: Array) -> Attitude:
    """Attitude whose optical axis meets the sky at X, Y, with the field turned there as by ROLL_NOM.

    Parameters
    ----------
    pointing : Pointing
        Tangent point and roll.
    x, y : ndarray, shape (n,)
        Sky coordinates, pixel.
    """
    pixel = np.deg2rad(pointing.detector.pixel / 3600)
    to_east = (pointing.detector.centre - np.asarray(x, dtype=float)) * pixel
    to_north = (np.asarray(y, dtype=float) - pointing.detector.centre) * pixel
    along, east, north = _axes(pointing.ra, pointing.dec)
    axis = [along[i] + to_east * east[i] + to_north * north[i] for i in range(3)]
    ra = np.rad2deg(np.arctan2(axis[1], axis[0]))
    dec = np.rad2deg(np.arctan2(axis[2], np.hypot(axis[0], axis[1])))
    # Meridians converge: north at that point leans against north at the tangent point.
    local_north = _axes(ra, dec)[2]
    lean = np.rad2deg(np.arctan2(_dot(local_north, east), _dot(local_north, north)))
    return Attitude(ra, dec, pointing.roll + lean)


def rays_to_chip(
    pointing: Pointing, number: int, ray: Array, attitude: Attitude | None = None
) -> tuple[Array, Array]:
    """Where rays from the mirror meet the plane of a chip; the inverse of `chip_to_focal` and `rays`.

    Parameters
    ----------
    pointing : Pointing
        Instrument and its place.
    number : int
        Chip.
    ray : ndarray, shape (3, n)
        Unit vectors in the mirror's frame.
    attitude : Attitude, optional
        For dy, dz, dtheta; zero without.

    Returns
    -------
    chipx, chipy : ndarray, shape (n,)
        Pixel; outside 0.5 to 1024.5 (ACIS) where the ray misses the chip.
    """
    chip = pointing.detector.chip(number)
    mirror: tuple[Any, Any, Any] = (FOCAL_LENGTH, 0.0, 0.0)
    direction: tuple[Any, Any, Any] = (ray[0], ray[1], ray[2])
    if attitude is not None:
        mirror = _to_table(attitude, mirror[0], -np.asarray(attitude.dy), -np.asarray(attitude.dz))
        direction = _to_table(attitude, *direction)
    base = np.add(chip.origin, np.add(pointing.detector.origin, pointing.sim))
    # One edge's coordinate along the plane is read with the vector that is normal to the other edge.
    edge_x, edge_y = np.array(chip.along_x), np.array(chip.along_y)
    normal = np.cross(edge_x, edge_y)
    from_corner = [mirror[i] - base[i] for i in range(3)]
    depth = -_dot(normal, from_corner) / _dot(normal, direction)
    hit = [from_corner[i] + depth * direction[i] for i in range(3)]
    dual_x, dual_y = np.cross(edge_y, normal), np.cross(normal, edge_x)
    along_x = _dot(dual_x, hit) / (dual_x @ edge_x)
    along_y = _dot(dual_y, hit) / (dual_y @ edge_y)
    return 0.5 + along_x * chip.nx, 0.5 + along_y * chip.ny


def off_axis_angle(detector: Detector, detx: Array, dety: Array) -> Array:
    """Angle from the optical axis, arcmin, at DET coordinates."""
    distance = np.hypot(np.asarray(detx) - detector.centre, np.asarray(dety) - detector.centre)
    angle: Array = np.rad2deg(np.arctan(distance * np.deg2rad(detector.pixel / 3600))) * 60
    return angle


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _to_table(attitude: Attitude, x: Any, y: Any, z: Any) -> tuple[Any, Any, Any]:
    """Turn a vector back by dtheta, from the mirror's frame to the table's."""
    turn = np.deg2rad(attitude.dtheta)
    cos, sin = np.cos(turn), np.sin(turn)
    return x, cos * y + sin * z, cos * z - sin * y


def _axes(ra: float | Array, dec: float | Array) -> tuple[tuple[Any, Any, Any], ...]:
    """Unit vectors to a point of the sky, and to east and north there, in equatorial coordinates."""
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    cos_a, sin_a, cos_d, sin_d = np.cos(a), np.sin(a), np.cos(d), np.sin(d)
    along = (cos_d * cos_a, cos_d * sin_a, sin_d)
    east = (-sin_a, cos_a, 0.0 * a)
    north = (-sin_d * cos_a, -sin_d * sin_a, cos_d)
    return along, east, north


def _dot(a: Any, b: Any) -> Any:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _unit(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length
