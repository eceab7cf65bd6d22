"""The pixels of an image on the sky."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

from chandra_runner.errors import BadValueError

LARGEST = 1 << 27
"""Pixels an image may have: 11,585 x 11,585, half a gigabyte of 4-byte numbers."""


class GridError(BadValueError):
    """Numbers that make no image."""


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

    Raises
    ------
    GridError
        There would be too many pixels.
    """

    x0: float
    y0: float
    step: float
    nx: int
    ny: int

    def __post_init__(self) -> None:
        if self.nx * self.ny > LARGEST:
            raise GridError(
                f"the image would have {self.nx} x {self.ny} pixels", "take larger pixels or a smaller field"
            )

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
        return cls(x0, y0, step, _steps(x1 - x0, step), _steps(y1 - y0, step))


def parse_grid(text: str) -> Grid:
    """Read a grid as fluximage's xygrid has it.

    Parameters
    ----------
    text : str
        ``x0:x1:step,y0:y1:step``, edges in sky pixels.

    Raises
    ------
    GridError
        It is upside down or empty, its steps differ, or it would have too many pixels.
    """
    axes = [[float(number) for number in axis.split(":")] for axis in text.split(",")]
    for name, (start, stop, step) in zip("xy", axes, strict=True):
        if step <= 0:
            raise GridError(f"the {name} step {step:g} is not positive", "write a step over 0")
        if stop <= start:
            raise GridError(f"the {name} axis runs from {start:g} to {stop:g}", "write the lower edge first")
    (x0, x1, step), (y0, y1, step_y) = axes
    if step != step_y:
        raise GridError(
            f"the steps {step:g} and {step_y:g} differ", "image pixels are square: write one step"
        )
    return Grid(x0, y0, step, _steps(x1 - x0, step), _steps(y1 - y0, step))


def _steps(length: float, step: float) -> int:
    """Whole steps that cover a length, at least one; a rounding error is no step."""
    steps = length / step
    if not steps < LARGEST:
        raise GridError(f"the image would have {steps:g} pixels along a side", "take larger pixels")
    return max(math.ceil(steps - 1e-9), 1)
