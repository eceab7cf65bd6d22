"""New positions for events: the center of the pixel, or a random position in it (PIX_ADJ)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandra_runner.fits.event_file import EventFile

from .aspect import Aspect, EventPositions, event_positions
from .geometry import Pointing

_COORDINATES = ("detx", "dety", "x", "y")
_OLD_ALIGNMENT = 0.25
"""Smallest difference from the formulas that is taken for an old alignment, pixel.

Recent processing agrees with the formulas to 0.07 pixel; ObsID 754, processed in 2001, differs by 10.
"""


@dataclass(frozen=True, eq=False)
class PixelAdjustment:
    """A function that gives rows of an event list new positions. Make it with `pixel_adjustment`.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point.
    aspect : Aspect
        Aspect solution.
    shift : tuple of 4 floats
        Shift of detx, dety, x and y, pixel: the old alignment of the archive's positions, which is kept.
    random : Generator, optional
        Generator for random positions in the pixel; None for its center.
    """

    pointing: Pointing
    aspect: Aspect
    shift: tuple[float, ...]
    random: np.random.Generator | None

    def keywords(self) -> dict[str, str | float]:
        """Return the keywords that describe such positions in the header."""
        if self.random is None:
            return {"PIX_ADJ": "NONE", "RAND_SKY": 0.0}
        return {"PIX_ADJ": "RANDOMIZE", "RAND_SKY": 0.5}

    def __call__(self, rows: NDArray[Any]) -> None:
        """Change the positions of rows in place."""
        offset = 0.0 if self.random is None else self.random.uniform(-0.5, 0.5, (len(rows), 2))
        new = _computed_positions(self.pointing, self.aspect, rows, offset)
        for name, shift in zip(_COORDINATES, self.shift, strict=True):
            rows[name] = getattr(new, name) + shift


def pixel_adjustment(events: EventFile, aspect: Aspect, seed: int | None) -> PixelAdjustment:
    """Prepare new positions for an event list.

    Parameters
    ----------
    events : EventFile
        Open event list.
    aspect : Aspect
        Aspect solution.
    seed : int, optional
        Seed for random positions in the pixel; None for the center of the pixel.

    Raises
    ------
    DataError
        A column or keyword is missing.
    """
    pointing = Pointing.of(events.header)
    events.require("time", "chipx", "chipy", pointing.detector.chip_column, *_COORDINATES)
    random = None if seed is None else np.random.default_rng(seed)
    return PixelAdjustment(pointing, aspect, _alignment(events, pointing, aspect), random)


def _alignment(events: EventFile, pointing: Pointing, aspect: Aspect) -> tuple[float, ...]:
    """Return the median difference of the archive's positions from the formulas; zero if it is small."""
    # The first chunk is enough: an alignment is the same for all events of a file.
    rows = next(events.chunks(), np.empty(0, events.dtype))
    rows = rows[(rows["time"] >= aspect.time[0]) & (rows["time"] <= aspect.time[-1])]
    new = _computed_positions(pointing, aspect, rows, 0.0)
    offsets = [rows[name] - getattr(new, name) for name in _COORDINATES]
    finite = np.all(np.isfinite(offsets), axis=0)
    if not finite.any():
        return (0.0,) * len(_COORDINATES)
    shift = [float(np.median(offset[finite])) for offset in offsets]
    return tuple(shift) if max(map(abs, shift)) > _OLD_ALIGNMENT else (0.0,) * len(shift)


def _computed_positions(
    pointing: Pointing, aspect: Aspect, rows: NDArray[Any], offset: Any
) -> EventPositions:
    """Return positions from the aspect solution; `offset` is the position relative to the pixel's center."""
    chip_position = np.column_stack([rows["chipx"], rows["chipy"]]).astype(np.float64) + offset
    chip = rows[pointing.detector.chip_column].astype(np.int64)
    return event_positions(
        pointing, aspect, chip, chip_position[:, 0], chip_position[:, 1], rows["time"].astype(np.float64)
    )
