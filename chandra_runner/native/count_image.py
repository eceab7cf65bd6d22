"""Count images of several energy bands, made in one pass over the events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from .energy_range import upper_limit
from .geometry import Array
from .grid import Grid


@dataclass(frozen=True)
class ZerothOrder:
    """How to recognize zeroth-order events in a grating observation.

    Parameters
    ----------
    null : int or None
        Value of tg_m for events without an order (TNULL), which are part of the image.
    """

    null: int | None


def count_images(
    chunks: Iterable[Array],
    grid: Grid,
    bands: Sequence[tuple[float, float]] | None,
    zeroth_order: ZerothOrder | None = None,
) -> Array:
    """Count events in the pixels of an image, for several energy bands at once.

    Parameters
    ----------
    chunks : iterable of structured ndarray
        Events with columns x, y; energy (eV) if there are bands; tg_m if only zeroth order is counted.
    grid : Grid
        Pixels of the image.
    bands : sequence of (float, float), or None
        ``lo <= energy < hi``, eV, with the upper end if the column is of integers; they may overlap. None for
        one image of all events.
    zeroth_order : ZerothOrder, optional
        How dispersed events are left out; None to count all.

    Returns
    -------
    ndarray of int32, shape (max(len(bands), 1), ny, nx)

    Examples
    --------
    >>> columns = [("x", "f4"), ("y", "f4"), ("energy", "f4")]
    >>> events = np.array([(1.2, 1.1, 800), (2.9, 1.4, 3000)], dtype=columns)
    >>> grid = Grid(0.5, 0.5, 1, nx=3, ny=1)
    >>> count_images([events], grid, [(500, 2000), (2000, 7000)]).tolist()
    [[[1, 0, 0]], [[0, 0, 1]]]
    """
    chunks = iter(chunks)
    first = next(chunks, None)
    if first is None:
        return np.zeros((len(bands or [None]), *grid.shape), dtype=np.int32)
    chunks = chain([first], chunks)
    if bands is None:
        return _count(chunks, grid, None, zeroth_order)
    limits = [(lo, upper_limit(first.dtype["energy"], hi)) for lo, hi in bands]
    edges = np.unique(np.array(limits, dtype=float))
    counts = _count(chunks, grid, edges, zeroth_order)
    # A band is the sum of its intervals.
    rows = [counts[(edges[:-1] >= lo) & (edges[:-1] < hi)].sum(axis=0, dtype=np.int32) for lo, hi in limits]
    return np.stack(rows)


def _count(
    chunks: Iterable[Array], grid: Grid, edges: Array | None, zeroth_order: ZerothOrder | None
) -> Array:
    """Return one image for each interval between two edges of bands, or one of all events without edges.

    So each event is counted once, in however many bands it is. Events outside all bands are dropped.
    """
    intervals = 1 if edges is None else len(edges) - 1
    counts = np.zeros((intervals, *grid.shape), dtype=np.int32)
    one = np.int32(1)
    for events in chunks:
        # Positions are 4-byte floats; in 8 bytes the edges of pixels are exact.
        x = (events["x"].astype(float) - grid.x0) / grid.step
        y = (events["y"].astype(float) - grid.y0) / grid.step
        inside = (x >= 0) & (x < grid.nx) & (y >= 0) & (y < grid.ny)
        if zeroth_order is not None:
            order = events["tg_m"]
            inside &= (order == 0) | (order == zeroth_order.null)
        if edges is not None:
            energy = events["energy"].astype(float)
            inside &= (energy >= edges[0]) & (energy < edges[-1])
        # Truncation is floor here: all of these are positive.
        pixel = y[inside].astype(np.intp) * grid.nx + x[inside].astype(np.intp)
        if edges is not None:
            pixel += _interval(energy[inside], edges) * (grid.ny * grid.nx)
        # Adds to the histogram in place; bincount would make one more image for each chunk.
        np.add.at(counts.reshape(-1), pixel, one)
    return counts


def _interval(energy: Array, edges: Array) -> Array:
    """Return the interval between edges of each energy; a few comparisons are faster than a search."""
    number = np.zeros(len(energy), dtype=np.intp)
    for edge in edges[1:-1]:
        number += energy >= edge
    return number


@dataclass(frozen=True)
class ThresholdedImages:
    """The images of one band, zero where there is little exposure; all of shape (ny, nx).

    Parameters
    ----------
    seen : ndarray of bool
        Which pixels have enough exposure; elsewhere the other images are 0.
    counts : ndarray of int32
        Number of events.
    exposure : ndarray of float32
        Exposure map.
    ratio : ndarray of float32
        Counts divided by exposure.
    """

    seen: Array
    counts: Array
    exposure: Array
    ratio: Array

    def of(self, pixels: Array) -> Array:
        """Return a map that has no value (nan) where there is little exposure, float32."""
        return np.where(self.seen, pixels, np.nan).astype(np.float32)


def apply_exposure_threshold(counts: Array, exposure: Array, fraction: float) -> ThresholdedImages:
    """Set pixels with little exposure to 0, and divide counts by exposure.

    Parameters
    ----------
    counts, exposure : ndarray, shape (ny, nx)
        Count image and exposure map.
    fraction : float
        Least exposure of a pixel, as a fraction of the largest exposure.
    """
    # At the edges the exposure is small and its errors are large, so the ratio would be noise. With a
    # fraction of 0 only pixels without any exposure are set to 0.
    seen = (exposure >= fraction * exposure.max()) & (exposure > 0)
    ratio = np.divide(counts, exposure, out=np.zeros(counts.shape), where=seen)
    return ThresholdedImages(
        seen,
        np.where(seen, counts, np.int32(0)),
        np.where(seen, exposure, 0).astype(np.float32),
        ratio.astype(np.float32),
    )
