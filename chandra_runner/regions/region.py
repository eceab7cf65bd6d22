"""Regions: shapes that are combined, from the text in CIAO's headers."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np

from chandra_runner.errors import BadValueError

from .extent import NOTHING, WHOLE_SKY, Extent
from .shapes import Bools, Ellipse, Floats, Pie, Polygon, Rectangle, Shape, rotated_box

_SHAPES: Mapping[tuple[str, int], Callable[..., Shape]] = {
    ("annulus", 4): lambda x, y, inner, outer: Pie(x, y, inner, outer, 0, 360),
    ("box", 4): lambda x, y, width, height: rotated_box(x, y, width, height, 0),
    ("box", 5): rotated_box,
    ("circle", 3): lambda x, y, radius: Ellipse(x, y, radius, radius, 0),
    ("ellipse", 5): Ellipse,
    ("field", 0): lambda: Rectangle(WHOLE_SKY),
    ("pie", 6): Pie,
    ("rectangle", 4): lambda x_min, y_min, x_max, y_max: Rectangle(Extent(x_min, x_max, y_min, y_max)),
    ("rotbox", 5): rotated_box,
    ("sector", 4): lambda x, y, start, stop: Pie(x, y, 0, math.inf, start, stop),
}
"""The shapes of CIAO (ahelp dmregions) by name and number of arguments; a polygon may have any number."""
_TERM = re.compile(r"(!?)\s*([a-z]+)\s*\(([^()]*)\)", re.IGNORECASE)
_SHOWN = 60
"""Number of characters of a region that messages show: regions of many polygons fill pages."""


class RegionError(BadValueError):
    """The text does not define a region that this program knows."""


@dataclass(frozen=True)
class Term:
    """A shape, or all of the sky outside it.

    Parameters
    ----------
    shape : Shape
        The shape.
    excluded : bool
        Whether the term is what is outside.
    """

    shape: Shape
    excluded: bool = False

    @property
    def extent(self) -> Extent:
        """Rectangle around the term."""
        return WHOLE_SKY if self.excluded else self.shape.extent


@dataclass(frozen=True)
class Region:
    """A part of the sky.

    Parameters
    ----------
    alternatives : tuple of tuple of Term
        A point is inside if it is in all terms of one alternative.
    """

    alternatives: tuple[tuple[Term, ...], ...]

    def __or__(self, other: Region) -> Region:
        return Region(self.alternatives + other.alternatives)

    def __and__(self, other: Region) -> Region:
        return Region(tuple(a + b for a in self.alternatives for b in other.alternatives))

    @property
    def extent(self) -> Extent:
        """Rectangle around the region, sky pixel."""
        parts = [reduce(Extent.intersect, (term.extent for term in terms)) for terms in self.alternatives]
        return reduce(Extent.union, (part for part in parts if not part.is_empty), NOTHING)

    def contains(self, x: Floats, y: Floats) -> Bools:
        """Return whether points are inside the region.

        Parameters
        ----------
        x, y : ndarray
            Sky coordinates, sky pixel; arrays of the same shape.
        """
        return self.combine(lambda shape: shape.contains(x, y))

    def combine(self, contains: Callable[[Shape], Bools]) -> Bools:
        """Return which points are inside, from a function that returns which are inside one shape."""
        alternatives = (
            reduce(np.logical_and, (contains(term.shape) ^ term.excluded for term in terms))
            for terms in self.alternatives
        )
        return reduce(np.logical_or, alternatives)


def parse_region(text: str) -> Region:
    """Read a region as CIAO writes it into headers.

    Parameters
    ----------
    text : str
        Shapes such as ``Circle(4096,4096,20)``, in sky pixels and degrees, joined by ``|`` (or) and ``&``
        (and, which binds closer); ``!`` before a shape excludes it.

    Raises
    ------
    RegionError
        The text is not a region, or has a shape that is not supported.

    Examples
    --------
    >>> parse_region("Circle(4096,4096,20)&!Box(4096,4096,10,10)").extent
    Extent(x_min=4076.0, x_max=4116.0, y_min=4076.0, y_max=4116.0)
    """
    return Region(tuple(tuple(_term(term) for term in part.split("&")) for part in text.split("|")))


def _term(text: str) -> Term:
    match = _TERM.fullmatch(text.strip())
    if match is None:
        raise _unknown(text)
    mark, name, arguments = match.groups()
    try:
        numbers = [float(number) for number in arguments.split(",") if arguments.strip()]
    except ValueError as error:
        raise _unknown(text) from error
    if not all(map(math.isfinite, numbers)):
        raise _unknown(text)
    return Term(_shape(name.lower(), numbers, text), excluded=bool(mark))


def _shape(name: str, numbers: list[float], text: str) -> Shape:
    if name == "polygon" and len(numbers) >= 6 and len(numbers) % 2 == 0:
        return Polygon(tuple(zip(numbers[::2], numbers[1::2], strict=True)))
    if (name, len(numbers)) not in _SHAPES:
        raise _unknown(text)
    return _SHAPES[name, len(numbers)](*numbers)


def _unknown(text: str) -> RegionError:
    shown = text.strip()
    shown = shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."
    known = ", ".join(sorted({name for name, _ in _SHAPES} | {"polygon"}))
    return RegionError(f"{shown!r} is not a region", f"shapes are {known}, with numbers in pixels")
