"""From detector pixels to the sky and back: chip, focal plane (DET) and sky coordinates of Chandra.

Pixel coordinates follow the FITS convention: whole numbers are pixel centers and the first pixel is 1, so a
chip's lower left corner is (0.5, 0.5).

The way of an event goes through these frames (Chandra's coordinate systems, as in the memos on them by
J. McDowell of the CXC):

chip
    CHIPX and CHIPY, pixel.
STF
    Position in the focal plane, mm. The origin is the nominal focus; x points from the focus to the mirror,
    y and z span the focal plane. The SIM moves the detectors along z.
ray
    Unit vector in the frame of the mirror, parallel to the STF, from the mirror to the position in the focal
    plane. Its x is near -1. The photon came from the opposite direction.
DET
    Gnomonic projection of the ray about the optical axis, pixel: fixed to the telescope, so that sources
    dither in it.
sky
    Gnomonic projection of the direction of the photon about (RA_NOM, DEC_NOM), pixel: X decreases to the
    east, Y increases to the north.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chandra_runner.errors import DataError

from .detectors import Detector, Vector, detector_of

Array = np.ndarray[Any, np.dtype[Any]]

FOCAL_LENGTH = 10070.0
"""Distance from mirror to focus, mm.

Old files have FOC_LEN = 10061.62, but their positions were made with this value.
"""


@dataclass(frozen=True)
class Pointing:
    """Position of an instrument in the focal plane, and center of its sky coordinates.

    Parameters
    ----------
    detector : Detector
        The instrument.
    sim : tuple of 3 floats
        SIM_X, SIM_Y, SIM_Z, mm.
    ra, dec, roll : float
        RA_NOM and DEC_NOM, the tangent point of X and Y, and ROLL_NOM, deg.
    """

    detector: Detector
    sim: Vector
    ra: float
    dec: float
    roll: float

    @classmethod
    def of(cls, header: Mapping[str, Any]) -> Pointing:
        """Read the pointing from a header of EVENTS.

        Raises
        ------
        DataError
            A keyword is missing or is not a number.
        """
        keys = ("SIM_X", "SIM_Y", "SIM_Z", "RA_NOM", "DEC_NOM", "ROLL_NOM")
        missing = [key for key in keys if not _is_number(header.get(key))]
        if missing:
            raise DataError(f"the event header has no {', '.join(missing)}")
        x, y, z, ra, dec, roll = (float(header[key]) for key in keys)
        return cls(detector_of(header), (x, y, z), ra, dec, roll)


@dataclass(frozen=True)
class Attitude:
    """Pointing of the telescope at one time, or at the time of each event.

    Parameters
    ----------
    ra, dec, roll : float or ndarray, shape (n,)
        Pointing, deg.
    dy, dz : float or ndarray, shape (n,)
        Offset of the focal plane, mm.
    dtheta : float or ndarray, shape (n,)
        Rotation of the focal plane, deg.
    """

    ra: float | Array
    dec: float | Array
    roll: float | Array
    _: KW_ONLY
    dy: float | Array = 0.0
    dz: float | Array = 0.0
    dtheta: float | Array = 0.0


def chip_to_focal(pointing: Pointing, number: int, chipx: ArrayLike, chipy: ArrayLike) -> Array:
    """Convert chip coordinates to positions in the focal plane (STF).

    Parameters
    ----------
    pointing : Pointing
        Instrument and its position.
    number : int
        Number of the chip.
    chipx, chipy : array_like, shape (n,)
        Chip coordinates, pixel.

    Returns
    -------
    ndarray, shape (3, n)
        x, y, z, mm; chips are tilted to follow the focal surface, so x differs from 0.
    """
    chip = pointing.detector.chip(number)
    along_x = (np.asarray(chipx, dtype=float) - 0.5) / chip.nx
    along_y = (np.asarray(chipy, dtype=float) - 0.5) / chip.ny
    base = np.add(chip.origin, np.add(pointing.detector.origin, pointing.sim))
    return np.stack(
        [base[i] + along_x * chip.along_x[i] + along_y * chip.along_y[i] for i in range(3)],
    )


def rays(focal: Array, attitude: Attitude | None = None) -> Array:
    """Return the unit vectors from the mirror to positions in the focal plane.

    Parameters
    ----------
    focal : ndarray, shape (3, n)
        Positions x, y, z in the STF, mm.
    attitude : Attitude, optional
        Motion of the focal plane (dy, dz, dtheta); None for no motion.

    Returns
    -------
    ndarray, shape (3, n)
        Unit vectors in the frame of the mirror; x is near -1.
    """
    x, y, z = focal
    # The fiducial lights show how the focal plane moved: the aspect solution has that motion apart from the
    # pointing. It rotates about the optical axis first, then shifts.
    if attitude is not None:
        turn = np.deg2rad(attitude.dtheta)
        cos, sin = np.cos(turn), np.sin(turn)
        y, z = cos * y - sin * z + attitude.dy, sin * y + cos * z + attitude.dz
    vector = np.stack([x - FOCAL_LENGTH, y, z])
    unit: Array = vector / np.sqrt(np.einsum("in,in->n", vector, vector))
    return unit


def rays_to_det(detector: Detector, ray: Array) -> tuple[Array, Array]:
    """Convert unit vectors from `rays` to DETX and DETY, pixel."""
    # ray[0] is negative, so DETX increases with +y and DETY increases with -z.
    pixel = np.deg2rad(detector.pixel / 3600)
    return detector.center - ray[1] / (ray[0] * pixel), detector.center + ray[2] / (ray[0] * pixel)


def det_to_rays(detector: Detector, detx: Array, dety: Array) -> Array:
    """Convert DETX and DETY to unit vectors, shape (3, n): the inverse of `rays_to_det`."""
    pixel = np.deg2rad(detector.pixel / 3600)
    right = (np.asarray(detx, dtype=float) - detector.center) * pixel
    down = (detector.center - np.asarray(dety, dtype=float)) * pixel
    vector = np.stack([np.full_like(right, -1.0), right, down])
    unit: Array = vector / np.sqrt(np.einsum("in,in->n", vector, vector))
    return unit


def rays_to_sky(pointing: Pointing, ray: Array, attitude: Attitude) -> tuple[Array, Array]:
    """Convert unit vectors from `rays` to sky coordinates X and Y, pixel, at an attitude."""
    # The photon came from -ray. Rotated by the roll, its components are forward along the pointing, right
    # to the east and up to the north.
    along, east, north = _axes(attitude.ra, attitude.dec)
    turn = np.deg2rad(attitude.roll)
    cos, sin = np.cos(turn), np.sin(turn)
    forward, right, up = -ray[0], -ray[1] * cos + ray[2] * sin, -ray[1] * sin - ray[2] * cos
    # The same direction in components along the axes at the tangent point: a product of the two frames.
    nominal = _axes(pointing.ra, pointing.dec)
    depth, to_east, to_north = (
        forward * _dot_product(axis, along)
        + right * _dot_product(axis, east)
        + up * _dot_product(axis, north)
        for axis in nominal
    )
    pixel = np.deg2rad(pointing.detector.pixel / 3600)
    center = pointing.detector.center
    return center - to_east / (depth * pixel), center + to_north / (depth * pixel)


def sky_to_rays(pointing: Pointing, x: Array, y: Array, attitude: Attitude) -> Array:
    """Convert sky coordinates to unit vectors, shape (3, n): the inverse of `rays_to_sky`."""
    pixel = np.deg2rad(pointing.detector.pixel / 3600)
    to_east = (pointing.detector.center - np.asarray(x, dtype=float)) * pixel
    to_north = (np.asarray(y, dtype=float) - pointing.detector.center) * pixel
    depth, to_east, to_north = _normalize(np.ones_like(to_east), to_east, to_north)
    nominal = _axes(pointing.ra, pointing.dec)
    forward, right, up = (
        depth * _dot_product(nominal[0], axis)
        + to_east * _dot_product(nominal[1], axis)
        + to_north * _dot_product(nominal[2], axis)
        for axis in _axes(attitude.ra, attitude.dec)
    )
    turn = np.deg2rad(attitude.roll)
    cos, sin = np.cos(turn), np.sin(turn)
    return np.stack([-forward, -(right * cos + up * sin), right * sin - up * cos])


def attitude_towards(pointing: Pointing, x: Array, y: Array) -> Attitude:
    """Return the attitude at which the optical axis points to X, Y, and the field has the roll ROLL_NOM.

    Parameters
    ----------
    pointing : Pointing
        Tangent point and nominal roll.
    x, y : ndarray, shape (n,)
        Sky coordinates, pixel.
    """
    pixel = np.deg2rad(pointing.detector.pixel / 3600)
    to_east = (pointing.detector.center - np.asarray(x, dtype=float)) * pixel
    to_north = (np.asarray(y, dtype=float) - pointing.detector.center) * pixel
    along, east, north = _axes(pointing.ra, pointing.dec)
    axis = [along[i] + to_east * east[i] + to_north * north[i] for i in range(3)]
    ra = np.rad2deg(np.arctan2(axis[1], axis[0]))
    dec = np.rad2deg(np.arctan2(axis[2], np.hypot(axis[0], axis[1])))
    # Meridians converge, so north at X, Y differs from north at the tangent point. Roll is counted from the
    # local north: the difference is added to keep the field parallel to itself.
    local_north = _axes(ra, dec)[2]
    lean = np.rad2deg(np.arctan2(_dot_product(local_north, east), _dot_product(local_north, north)))
    return Attitude(ra, dec, pointing.roll + lean)


def rays_to_chip(
    pointing: Pointing, number: int, ray: Array, attitude: Attitude | None = None
) -> tuple[Array, Array]:
    """Return where rays from the mirror meet the plane of a chip: the inverse of `chip_to_focal` and `rays`.

    Parameters
    ----------
    pointing : Pointing
        Instrument and its position.
    number : int
        Number of the chip.
    ray : ndarray, shape (3, n)
        Unit vectors in the frame of the mirror.
    attitude : Attitude, optional
        Motion of the focal plane (dy, dz, dtheta); None for no motion.

    Returns
    -------
    chipx, chipy : ndarray, shape (n,)
        Chip coordinates, pixel; outside 0.5 to 1024.5 (ACIS) if the ray misses the chip.
    """
    chip = pointing.detector.chip(number)
    mirror: tuple[Any, Any, Any] = (FOCAL_LENGTH, 0.0, 0.0)
    direction: tuple[Any, Any, Any] = (ray[0], ray[1], ray[2])
    # Instead of moving the chip with the focal plane, move the mirror and the rays the other way.
    if attitude is not None:
        mirror = _rotate_to_table(attitude, mirror[0], -np.asarray(attitude.dy), -np.asarray(attitude.dz))
        direction = _rotate_to_table(attitude, *direction)
    base = np.add(chip.origin, np.add(pointing.detector.origin, pointing.sim))
    edge_x, edge_y = np.array(chip.along_x), np.array(chip.along_y)
    normal = np.cross(edge_x, edge_y)
    # The ray meets the plane where its distance from the corner has no component along the normal.
    from_corner = [mirror[i] - base[i] for i in range(3)]
    depth = -_dot_product(normal, from_corner) / _dot_product(normal, direction)
    hit = [from_corner[i] + depth * direction[i] for i in range(3)]
    # The edges need not be perpendicular: the coordinate along one edge is measured with the vector in the
    # plane that is perpendicular to the other edge.
    dual_x, dual_y = np.cross(edge_y, normal), np.cross(normal, edge_x)
    along_x = _dot_product(dual_x, hit) / (dual_x @ edge_x)
    along_y = _dot_product(dual_y, hit) / (dual_y @ edge_y)
    return 0.5 + along_x * chip.nx, 0.5 + along_y * chip.ny


def off_axis_angle(detector: Detector, detx: Array, dety: Array) -> Array:
    """Return the off-axis angle at DET coordinates, arcmin."""
    distance = np.hypot(np.asarray(detx) - detector.center, np.asarray(dety) - detector.center)
    angle: Array = np.rad2deg(np.arctan(distance * np.deg2rad(detector.pixel / 3600))) * 60
    return angle


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _rotate_to_table(attitude: Attitude, x: Any, y: Any, z: Any) -> tuple[Any, Any, Any]:
    """Rotate a vector by -dtheta, from the frame of the mirror to that of the translation table."""
    turn = np.deg2rad(attitude.dtheta)
    cos, sin = np.cos(turn), np.sin(turn)
    return x, cos * y + sin * z, cos * z - sin * y


def _axes(ra: float | Array, dec: float | Array) -> tuple[tuple[Any, Any, Any], ...]:
    """Return the unit vectors to a point of the sky, and to its east and north, in equatorial coordinates."""
    a, d = np.deg2rad(ra), np.deg2rad(dec)
    cos_a, sin_a, cos_d, sin_d = np.cos(a), np.sin(a), np.cos(d), np.sin(d)
    along = (cos_d * cos_a, cos_d * sin_a, sin_d)
    east = (-sin_a, cos_a, 0.0 * a)
    north = (-sin_d * cos_a, -sin_d * sin_a, cos_d)
    return along, east, north


def _dot_product(a: Any, b: Any) -> Any:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _normalize(x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
    length = np.sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length
