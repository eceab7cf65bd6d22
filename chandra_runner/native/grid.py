"""Pixel grids of images in sky coordinates."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Self

from chandra_runner.errors import BadValueError
from chandra_runner.regions.extent import Extent

MAX_PIXELS = 1 << 27
"""Largest number of pixels of an image: 11,585 x 11,585, half a gigabyte of 4-byte numbers."""


class GridError(BadValueError):
    """The numbers do not define an image."""


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
        Number of image pixels along x and y.

    Raises
    ------
    GridError
        There would be too many pixels.
    """

    x0: float
    y0: float
    step: float
    _: KW_ONLY
    nx: int
    ny: int

    def __post_init__(self) -> None:
        if self.nx * self.ny > MAX_PIXELS:
            raise GridError(
                f"the image would have {self.nx} x {self.ny} pixels", "use larger pixels or a smaller field"
            )

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of the image array: rows, columns."""
        return self.ny, self.nx

    @classmethod
    def cover(cls, extent: Extent, step: float) -> Self:
        """Return the smallest grid over a field of view whose edges are 0.5 plus whole numbers of steps.

        This is the grid of CIAO's fluximage: all images with one size of pixels share their pixels.
        """
        x0, y0 = (low - (low - 0.5) % step for low in (extent.x_min, extent.y_min))
        return cls(x0, y0, step, nx=_steps(extent.x_max - x0, step), ny=_steps(extent.y_max - y0, step))


def parse_grid(text: str) -> Grid:
    """Read a grid in the notation of fluximage's parameter xygrid.

    Parameters
    ----------
    text : str
        ``x0:x1:step,y0:y1:step``, edges in sky pixels.

    Raises
    ------
    GridError
        An axis is reversed or empty, the steps differ, or there would be too many pixels.

    Examples
    --------
    >>> parse_grid("3142.5:5258.5:4,3278.5:5238.5:4").shape
    (490, 529)
    """
    axes = [[float(number) for number in axis.split(":")] for axis in text.split(",")]
    for name, (start, stop, step) in zip("xy", axes, strict=True):
        if step <= 0:
            raise GridError(f"the {name} step {step:g} is not positive", "write a positive step")
        if stop <= start:
            raise GridError(f"the {name} axis runs from {start:g} to {stop:g}", "write the lower edge first")
    (x0, x1, step), (y0, y1, step_y) = axes
    if step != step_y:
        raise GridError(
            f"the steps {step:g} and {step_y:g} differ", "image pixels are square: write one step"
        )
    return Grid(x0, y0, step, nx=_steps(x1 - x0, step), ny=_steps(y1 - y0, step))


def _steps(length: float, step: float) -> int:
    """Return how many whole steps cover a length, at least one; rounding errors do not add a step."""
    steps = length / step
    if not steps < MAX_PIXELS:
        raise GridError(f"the image would have {steps:g} pixels along a side", "use larger pixels")
    return max(math.ceil(steps - 1e-9), 1)
