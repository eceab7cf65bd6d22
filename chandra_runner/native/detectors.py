"""Chandra's detectors: the positions of their chips, and the pixels of DET and sky coordinates.

The numbers are those of the public instrument geometry table ``telD1999-07-23geomN0006`` (chip corners,
origins). Positions on the instrument are in its local coordinates (LSI, local science instrument), which
the origin of the instrument and the position of the SIM turn into the telescope's (STF); see `geometry`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from chandra_runner.errors import DataError

Vector = tuple[float, float, float]


@dataclass(frozen=True)
class Chip:
    """One flat detector segment.

    Parameters
    ----------
    number : int
        CCD_ID or CHIP_ID.
    nx, ny : int
        Number of pixels along CHIPX and CHIPY.
    origin : tuple of 3 floats
        LSI coordinates of the lower left corner, mm.
    along_x, along_y : tuple of 3 floats
        The chip's edges from that corner, mm.
    """

    number: int
    nx: int
    ny: int
    origin: Vector
    along_x: Vector
    along_y: Vector

    @property
    def corners(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """CHIPX and CHIPY of the corners LL, LR, UR, UL, at the outer edges of the pixels."""
        right, top = self.nx + 0.5, self.ny + 0.5
        return (0.5, right, right, 0.5), (0.5, 0.5, top, top)


@dataclass(frozen=True)
class Detector:
    """A focal plane instrument.

    Parameters
    ----------
    name : str
        ``ACIS``, ``HRC-I`` or ``HRC-S``.
    pixel : float
        Side of a pixel of DETX, DETY, X and Y, arcsec.
    center : float
        DETX and DETY of the optical axis, and X and Y of the tangent point.
    origin : tuple of 3 floats
        Origin of the LSI coordinates in the frame of the translation table (STT), mm.
    chips : Mapping
        Chips by number.
    """

    name: str
    pixel: float
    center: float
    origin: Vector
    chips: Mapping[int, Chip]

    @property
    def size(self) -> int:
        """Number of pixels of DET and sky coordinates, which run from 0.5 to this + 0.5."""
        return round(2 * self.center - 1)

    @property
    def chip_column(self) -> str:
        """Name of the event column that holds the chip number."""
        return "ccd_id" if self.name == "ACIS" else "chip_id"

    def chip(self, number: int) -> Chip:
        """Return the chip with a number.

        Raises
        ------
        DataError
            The detector has no such chip.
        """
        try:
            return self.chips[number]
        except KeyError:
            known = ", ".join(str(n) for n in self.chips)
            raise DataError(f"{self.name} has no chip {number}", f"its chips are {known}") from None


def _chip(number: int, size: tuple[int, int], ll: Vector, lr: Vector, ul: Vector) -> Chip:
    edge_x = (lr[0] - ll[0], lr[1] - ll[1], lr[2] - ll[2])
    edge_y = (ul[0] - ll[0], ul[1] - ll[1], ul[2] - ll[2])
    return Chip(number, *size, ll, edge_x, edge_y)


def _detector(
    name: str,
    pixel: float,
    center: float,
    origin: Vector,
    size: tuple[int, int],
    corners: Mapping[int, tuple[Vector, Vector, Vector]],
) -> Detector:
    chips = {number: _chip(number, size, *three) for number, three in corners.items()}
    return Detector(name, pixel, center, origin, MappingProxyType(chips))


# LSI coordinates of the lower left, lower right and upper left corners, mm. The fourth corner of a flat chip
# follows from these.
_ACIS = {
    0: ((2.361, -26.483, 23.076), (1.130, -26.545, -1.456), (1.130, -1.951, 23.076)),
    1: ((1.130, 23.078, -1.446), (2.360, 23.016, 23.086), (-0.100, -1.453, -1.446)),
    2: ((1.130, -26.550, -1.992), (2.361, -26.488, -26.525), (-0.100, -2.018, -1.992)),
    3: ((2.361, 23.011, -26.530), (1.131, 23.073, -1.997), (1.130, -1.520, -26.530)),
    4: (
        (0.743914, -81.113570, -59.207992),
        (0.352914, -56.554569, -59.195811),
        (0.743901, -81.125751, -34.644991),
    ),
    5: (
        (0.347935, -56.089635, -59.195896),
        (0.098935, -31.529639, -59.176393),
        (0.348012, -56.110138, -34.633901),
    ),
    6: (
        (0.095996, -31.076006, -59.183099),
        (-0.011004, -6.514011, -59.163656),
        (0.096028, -31.096448, -34.621104),
    ),
    7: (
        (-0.011000, -6.025991, -59.166009),
        (0.024000, 18.535009, -59.152991),
        (-0.011000, -6.039009, -34.604009),
    ),
    8: (
        (0.025991, 18.962836, -59.152812),
        (0.207991, 43.523837, -59.140905),
        (0.025999, 18.950929, -34.590812),
    ),
    9: (
        (0.207901, 43.958381, -59.138456),
        (0.527901, 68.518383, -59.128478),
        (0.207940, 43.948404, -34.575454),
    ),
}
_HRC_I = {0: ((0.0, 0.0, 74.481), (0.0, 74.481, 0.0), (0.0, -74.481, 0.0))}
_HRC_S = {
    1: ((2.644, 161.964, -12.969), (2.644, 161.932, 13.364), (0.0, 56.196, -13.098)),
    2: ((0.0, 56.196, -13.098), (0.0, 56.163, 13.235), (0.0, -49.605, -13.227)),
    3: ((0.0, -49.605, -13.227), (0.0, -49.638, 13.106), (2.253, -155.383, -13.356)),
}

ACIS = _detector("ACIS", 0.492, 4096.5, (0.684, 0.750, 236.552), (1024, 1024), _ACIS)
HRC_I = _detector("HRC-I", 0.13175, 16384.5, (1.040, 0.978, -132.028), (16384, 16384), _HRC_I)
HRC_S = _detector("HRC-S", 0.1318, 32768.5, (1.533, 1.530, -251.437), (4096, 16456), _HRC_S)


def detector_of(header: Mapping[str, Any]) -> Detector:
    """Return the detector named by a header's DETNAM, or by INSTRUME if there is no DETNAM.

    Raises
    ------
    DataError
        It is not one of Chandra's detectors.
    """
    name = str(header.get("DETNAM", header.get("INSTRUME", ""))).strip()
    for known in (HRC_I, HRC_S, ACIS):
        if name.startswith(known.name):
            return known
    raise DataError(f"DETNAM is {name!r}", "it should be ACIS-…, HRC-I or HRC-S")
