"""New positions for events: the centre of the pixel, or a random place in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandra_runner.fits.event_file import EventFile

from .aspect import Aspect, Positions, positions, read_aspect
from .geometry import Pointing

_COORDINATES = ("detx", "dety", "x", "y")
_OLD_ALIGNMENT = 0.25
"""Pixels. Today's processing agrees with the formulas to 0.07 pixel; ObsID 754, from 2001, is 10 away."""


@dataclass(frozen=True, eq=False)
class PixelAdjustment:
    """Gives rows of an event list new DET and sky coordinates. Made with `pixel_adjustment`.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point.
    aspect : Aspect
        Aspect solution.
    shift : tuple of 4 floats
        What is added to detx, dety, x, y, pixel: an old alignment that the archive's positions have.
    random : Generator, optional
        For the place in the pixel; without it, its centre.
    """

    pointing: Pointing
    aspect: Aspect
    shift: tuple[float, ...]
    random: np.random.Generator | None

    def keywords(self) -> dict[str, str | float]:
        """What the header says about positions made so."""
        if self.random is None:
            return {"PIX_ADJ": "NONE", "RAND_SKY": 0.0}
        return {"PIX_ADJ": "RANDOMIZE", "RAND_SKY": 0.5}

    def __call__(self, rows: NDArray[Any]) -> None:
        """Change the positions of rows in place."""
        inside = 0.0 if self.random is None else self.random.uniform(-0.5, 0.5, (len(rows), 2))
        new = _formula(self.pointing, self.aspect, rows, inside)
        for name, shift in zip(_COORDINATES, self.shift, strict=True):
            rows[name] = getattr(new, name) + shift


def pixel_adjustment(events: EventFile, asol: Sequence[Path], seed: int | None) -> PixelAdjustment:
    """Prepare new positions for an event list.

    Parameters
    ----------
    events : EventFile
        Open event list.
    asol : sequence of Path
        Its aspect solution.
    seed : int, optional
        Randomize within the pixel; without it, its centre.

    Raises
    ------
    DataError
        A column or keyword is missing, or the aspect solution is empty.
    """
    pointing = Pointing.of(events.header)
    events.require("time", "chipx", "chipy", pointing.detector.chip_column, *_COORDINATES)
    aspect = read_aspect(asol)
    random = None if seed is None else np.random.default_rng(seed)
    return PixelAdjustment(pointing, aspect, _alignment(events, pointing, aspect), random)


def _alignment(events: EventFile, pointing: Pointing, aspect: Aspect) -> tuple[float, ...]:
    """How far the archive's positions are from the formulas in the mean; zero where that is nothing."""
    rows = next(events.chunks(), np.empty(0, events.dtype))
    rows = rows[(rows["time"] >= aspect.time[0]) & (rows["time"] <= aspect.time[-1])]
    new = _formula(pointing, aspect, rows, 0.0)
    offsets = [rows[name] - getattr(new, name) for name in _COORDINATES]
    finite = np.all(np.isfinite(offsets), axis=0)
    if not finite.any():
        return (0.0,) * len(_COORDINATES)
    shift = [float(np.median(offset[finite])) for offset in offsets]
    return tuple(shift) if max(map(abs, shift)) > _OLD_ALIGNMENT else (0.0,) * len(shift)


def _formula(pointing: Pointing, aspect: Aspect, rows: NDArray[Any], inside: Any) -> Positions:
    place = np.column_stack([rows["chipx"], rows["chipy"]]).astype(np.float64) + inside
    chip = rows[pointing.detector.chip_column].astype(np.int64)
    return positions(pointing, aspect, chip, place[:, 0], place[:, 1], rows["time"].astype(np.float64))
