"""Count images of several energy bands, made in one pass over the events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from .geometry import Array
from .grid import Grid


@dataclass(frozen=True)
class ZerothOrder:
    """What tells the events of zeroth order, where a grating was in.

    Parameters
    ----------
    null : int or None
        Value of tg_m for events without an order (TNULL); they are in the image, too.
    """

    null: int | None


def count_images(
    chunks: Iterable[Array],
    grid: Grid,
    bands: Sequence[tuple[float, float]] | None,
    zeroth_order: ZerothOrder | None = None,
) -> Array:
    """Histograms of event positions.

    Parameters
    ----------
    chunks : iterable of structured ndarray
        Events with x, y; energy (eV) where there are bands; tg_m where only zeroth order counts.
    grid : Grid
        The image.
    bands : sequence of (float, float), or None
        ``lo <= energy < hi``, eV; they may overlap. None: one image of all events.
    zeroth_order : ZerothOrder, optional
        Leave out dispersed events.

    Returns
    -------
    ndarray of int32, shape (max(len(bands), 1), ny, nx)
    """
    edges = np.unique(np.array(bands, dtype=float)) if bands is not None else np.array([-np.inf])
    # One histogram for each stretch between two edges; a band is the sum of its stretches. What is below the
    # lowest edge goes with what is above the highest: nowhere.
    stretches = max(len(edges) - 1, 1)
    counts = np.zeros((stretches, grid.ny * grid.nx), dtype=np.int32)
    one = np.int32(1)
    for events in chunks:
        x = (events["x"].astype(float) - grid.x0) / grid.step
        y = (events["y"].astype(float) - grid.y0) / grid.step
        inside = (x >= 0) & (x < grid.nx) & (y >= 0) & (y < grid.ny)
        if zeroth_order is not None:
            order = events["tg_m"]
            inside &= (order == 0) | (order == zeroth_order.null)
        if bands is not None:
            energy = events["energy"].astype(float)
            inside &= (energy >= edges[0]) & (energy < edges[-1])
        pixel = y[inside].astype(np.intp) * grid.nx + x[inside].astype(np.intp)
        if bands is not None:
            pixel += _stretch(energy[inside], edges) * (grid.ny * grid.nx)
        np.add.at(counts.reshape(-1), pixel, one)
    if bands is None:
        return counts.reshape(1, *grid.shape)
    rows = [counts[(edges[:-1] >= lo) & (edges[:-1] < hi)].sum(axis=0, dtype=np.int32) for lo, hi in bands]
    return np.stack(rows).reshape(len(rows), *grid.shape)


def _stretch(energy: Array, edges: Array) -> Array:
    """Which stretch between edges an energy is in; a few comparisons are faster than a search."""
    number = np.zeros(len(energy), dtype=np.intp)
    for edge in edges[1:-1]:
        number += energy >= edge
    return number


@dataclass(frozen=True)
class ThresholdedImages:
    """The images of one band, cut where there is little exposure; all of shape (ny, nx).

    Parameters
    ----------
    seen : ndarray of bool
        Where there is enough exposure; elsewhere the others are 0.
    counts : ndarray of int32
        Events.
    exposure : ndarray of float32
        Exposure map.
    ratio : ndarray of float32
        Counts by exposure.
    """

    seen: Array
    counts: Array
    exposure: Array
    ratio: Array

    def of(self, pixels: Array) -> Array:
        """Another map, cut likewise; float32."""
        return np.where(self.seen, pixels, 0).astype(np.float32)


def apply_exposure_threshold(counts: Array, exposure: Array, fraction: float) -> ThresholdedImages:
    """Cut images where there is little exposure, and divide one by the other.

    Parameters
    ----------
    counts, exposure : ndarray, shape (ny, nx)
        Events, and the exposure map.
    fraction : float
        Of the largest exposure, which a pixel must have at least.
    """
    seen = (exposure >= fraction * exposure.max()) & (exposure > 0)
    ratio = np.divide(counts, exposure, out=np.zeros(counts.shape), where=seen)
    return ThresholdedImages(
        seen,
        np.where(seen, counts, np.int32(0)),
        np.where(seen, exposure, 0).astype(np.float32),
        ratio.astype(np.float32),
    )
