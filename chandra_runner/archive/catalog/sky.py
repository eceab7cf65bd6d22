"""Places on the sky, as people write them and as catalogs are asked for them."""

from __future__ import annotations

import re
import warnings
from dataclasses import dataclass
from math import asin, cos, degrees, radians, sin

from chandra_runner.errors import UsageError

_MAX_LENGTH = 40
_MARGIN = 1e-6  # degrees; more than what rounding takes


@dataclass(frozen=True)
class Position:
    """A place on the sky: ICRS, degrees."""

    ra: float
    dec: float

    def __str__(self) -> str:
        return f"RA {self.ra:.5f}, Dec {self.dec:+.5f}"

    def separation(self, other: Position) -> float:
        """Return the angle to another position, degrees."""
        from astropy.coordinates import angular_separation

        here, there = map(radians, (self.ra, self.dec)), map(radians, (other.ra, other.dec))
        return degrees(angular_separation(*here, *there))


@dataclass(frozen=True)
class Box:
    """Ranges of right ascension and declination, degrees.

    `west` is larger than `east` where the zero meridian lies between them; None means all right ascensions.
    """

    south: float
    north: float
    west: float | None = None
    east: float | None = None


def box_around(center: Position, radius: float) -> Box:
    """Return the box around a cone of that radius, degrees."""
    south, north = center.dec - radius - _MARGIN, center.dec + radius + _MARGIN
    if south <= -90 or north >= 90:
        return Box(max(south, -90.0), min(north, 90.0))
    # The meridians that touch a small circle: sin(width) = sin(radius) / cos(dec).
    width = degrees(asin(min(1.0, sin(radians(radius)) / cos(radians(center.dec))))) + _MARGIN
    return Box(south, north, (center.ra - width) % 360, (center.ra + width) % 360)


def read_position(ra: str, dec: str) -> Position:
    """Read a position: decimal degrees, or ``13h48m52.5s`` or ``13:48:52.5`` and ``+26:35:34``.

    Raises
    ------
    UsageError
        It is not a position.
    """
    place = Position(_angle("--ra", ra, "hourangle"), _angle("--dec", dec, "deg"))
    if not 0 <= place.ra <= 360:
        raise UsageError(f"--ra {ra}: a right ascension is between 0 and 360 degrees, or 0 and 24 hours")
    if not -90 <= place.dec <= 90:
        raise UsageError(f"--dec {dec}: a declination is between -90 and +90 degrees")
    return Position(place.ra % 360, place.dec)


def _angle(option: str, text: str, unit: str) -> float:
    """Return an angle, degrees; `unit` is that of the first of sexagesimal numbers."""
    if re.fullmatch(r"\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)\s*", text) and len(text) <= _MAX_LENGTH:
        return float(text)
    from astropy.coordinates import Angle

    try:
        if len(text) > _MAX_LENGTH:
            raise ValueError
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # 60 seconds, and the like
            degrees_ = float(Angle(text, unit=unit).deg)
    except (ValueError, TypeError, Warning):
        example = "207.2188 or 13:48:52.5" if option == "--ra" else "26.5928 or +26:35:34"
        raise UsageError(f"{option} {text[:_MAX_LENGTH]}: not an angle", f"write {example}") from None
    return degrees_
