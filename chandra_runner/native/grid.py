"""The pixels of an image on the sky."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

LARGEST = 1 << 27
"""Pixels an image may have: 11,585 x 11,585, half a gigabyte of 4-byte numbers."""


@dataclass(frozen=True)
class Extent:
    """A rectangle in sky coordinates, pixel."""

    x_min: float
    x_max: float
    y_min: float
    y_max: float


@dataclass(frozen=True)
class Grid:
    """Square image pixels in sky coordinates.

    Parameters
    ----------
    x0, y0 : float
        Lower left corner: the outer edges of the first pixel, sky pixel.
    step : float
        Side of an image pixel, sky pixel.
    nx, ny : int
        Numbers of image pixels.
    """

    x0: float
    y0: float
    step: float
    nx: int
    ny: int

    def __post_init__(self) -> None:
        if not (self.step > 0 and self.nx > 0 and self.ny > 0):
            raise ValueError(f"{self.nx} x {self.ny} pixels of {self.step:g} are no image")
        if self.nx * self.ny > LARGEST:
            raise ValueError(f"an image of {self.nx} x {self.ny} pixels is too large; take larger pixels")

    @property
    def shape(self) -> tuple[int, int]:
        """Of an image array: rows, columns."""
        return self.ny, self.nx

    @classmethod
    def cover(cls, extent: Extent, step: float) -> Self:
        """The grid over a field of view, with the edges that CIAO's fluximage gives it.

        From floor(min - 0.5) + 0.5 to ceil(max - 0.5) + 0.5, in steps; a last, partial pixel is whole here.
        """
        x0, y0 = (math.floor(low - 0.5) + 0.5 for low in (extent.x_min, extent.y_min))
        x1, y1 = (math.ceil(high - 0.5) + 0.5 for high in (extent.x_max, extent.y_max))
        return cls(x0, y0, step, math.ceil((x1 - x0) / step), math.ceil((y1 - y0) / step))


def parse_grid(text: str) -> Grid:
    """Read a grid as fluximage's xygrid has it: ``x0:x1:step,y0:y1:step``, edges in sky pixels.

    Raises
    ------
    ValueError
        It is none; the message says why.
    """
    axes = [axis.split(":") for axis in text.split(",")]
    try:
        (x0, x1, step), (y0, y1, step_y) = ([float(number) for number in axis] for axis in axes)
    except ValueError:
        raise ValueError(f"{text!r} is not of the form x0:x1:step,y0:y1:step") from None
    if not all(math.isfinite(number) for number in (x0, x1, y0, y1, step)):
        raise ValueError(f"{text!r} has numbers that are not finite")
    if step != step_y:
        raise ValueError(f"its steps are {step:g} and {step_y:g}; image pixels are square")
    if not (step > 0 and x0 < x1 and y0 < y1):
        raise ValueError(f"{text!r} does not go upwards: x0 < x1, y0 < y1 and step > 0")
    return Grid(x0, y0, step, _steps(x1 - x0, step), _steps(y1 - y0, step))


def _steps(length: float, step: float) -> int:
    """Whole steps that cover a length; a rounding error is no step."""
    return math.ceil(length / step - 1e-9)
