"""The shapes that regions consist of, in sky coordinates."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .extent import Extent

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Shape(Protocol):
    """What all shapes have in common."""

    @property
    def extent(self) -> Extent:
        """Rectangle around the shape, sky pixel."""

    def contains(self, x: Floats, y: Floats) -> Bools:
        """Return whether points are inside the shape.

        Parameters
        ----------
        x, y : ndarray
            Sky coordinates, sky pixel; arrays of the same shape.
        """


@dataclass(frozen=True)
class Rectangle:
    """A rectangle along the axes; an infinite one is the whole sky.

    Parameters
    ----------
    extent : Extent
        Its sides.
    """

    extent: Extent

    def contains(self, x: Floats, y: Floats) -> Bools:
        """Return whether points are inside the rectangle."""
        inside: Bools = (x >= self.extent.x_min) & (x <= self.extent.x_max)
        inside &= (y >= self.extent.y_min) & (y <= self.extent.y_max)
        return inside


@dataclass(frozen=True)
class Ellipse:
    """An ellipse.

    Parameters
    ----------
    x, y : float
        Center, sky pixel.
    semi_x, semi_y : float
        Semi-axes, sky pixel.
    angle : float
        Angle from the x axis to the first semi-axis, counterclockwise, deg.
    """

    x: float
    y: float
    semi_x: float
    semi_y: float
    angle: float

    @property
    def extent(self) -> Extent:
        """Rectangle around the ellipse."""
        cos, sin = _direction(self.angle)
        half_x = math.hypot(self.semi_x * cos, self.semi_y * sin)
        half_y = math.hypot(self.semi_x * sin, self.semi_y * cos)
        return Extent(self.x - half_x, self.x + half_x, self.y - half_y, self.y + half_y)

    def contains(self, x: Floats, y: Floats) -> Bools:
        """Return whether points are inside the ellipse."""
        cos, sin = _direction(self.angle)
        right, up = x - self.x, y - self.y
        along, across = right * cos + up * sin, up * cos - right * sin
        inside: Bools = np.hypot(along * self.semi_y, across * self.semi_x) <= self.semi_x * self.semi_y
        return inside


@dataclass(frozen=True)
class Pie:
    """The part of a ring between two directions; a whole ring, or a sector without end.

    Parameters
    ----------
    x, y : float
        Center, sky pixel.
    inner, outer : float
        Radii, sky pixel; the outer one may be infinite.
    start, stop : float
        Directions from the x axis, counterclockwise, deg; a multiple of 360 deg apart for a whole ring.
    """

    x: float
    y: float
    inner: float
    outer: float
    start: float
    stop: float

    @property
    def extent(self) -> Extent:
        """Rectangle around the whole ring."""
        return Extent(self.x - self.outer, self.x + self.outer, self.y - self.outer, self.y + self.outer)

    def contains(self, x: Floats, y: Floats) -> Bools:
        """Return whether points are inside the part of the ring."""
        right, up = x - self.x, y - self.y
        radius = np.hypot(right, up)
        turn = (np.degrees(np.arctan2(up, right)) - self.start) % 360
        width = (self.stop - self.start) % 360 or 360
        inside: Bools = (radius >= self.inner) & (radius <= self.outer) & (turn <= width)
        return inside


@dataclass(frozen=True)
class Polygon:
    """A polygon.

    Parameters
    ----------
    corners : tuple of (float, float)
        x and y of the corners in order, sky pixel; the last one is connected to the first one.
    """

    corners: tuple[tuple[float, float], ...]

    @property
    def extent(self) -> Extent:
        """Rectangle around the polygon."""
        x, y = zip(*self.corners, strict=True)
        return Extent(min(x), max(x), min(y), max(y))

    def contains(self, x: Floats, y: Floats) -> Bools:
        """Return whether points are inside the polygon."""
        # A ray to the right of a point inside crosses an odd number of sides.
        odd = np.zeros(np.shape(x), dtype=bool)
        ends = (*self.corners[1:], self.corners[0])
        for (x0, y0), (x1, y1) in zip(self.corners, ends, strict=True):
            # A level side is crossed by no ray: the sides that meet it decide.
            if y0 != y1:
                crossing = x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                odd ^= ((y0 <= y) != (y1 <= y)) & (x < crossing)
        return odd


def rotated_box(x: float, y: float, width: float, height: float, angle: float) -> Polygon:
    """Return a rectangle about a center that is rotated counterclockwise by an angle in deg."""
    cos, sin = _direction(angle)
    halves = [(sx * width / 2, sy * height / 2) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return Polygon(tuple((x + a * cos - b * sin, y + a * sin + b * cos) for a, b in halves))


def _direction(angle: float) -> tuple[float, float]:
    return math.cos(math.radians(angle)), math.sin(math.radians(angle))
