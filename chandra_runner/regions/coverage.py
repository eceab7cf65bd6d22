"""Images of regions: which part of each pixel lies inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .region import Region
from .shapes import Bools, Floats, Shape

_PARTS = 8
"""Number of parts into which the sides of a pixel at the edge of a region are divided: 64 points."""


def coverage(region: Region, x_edges: Floats, y_edges: Floats) -> Floats:
    """Return the fraction of each pixel that lies inside a region.

    Parameters
    ----------
    region : Region
        The region.
    x_edges, y_edges : ndarray, shape (nx + 1,) and (ny + 1,)
        Edges of the columns and rows of pixels, evenly spaced, sky pixel.

    Returns
    -------
    ndarray, shape (ny, nx)
        0 outside, 1 inside; at the edge the fraction of 64 points in the pixel that are inside. Parts of a
        region that are narrower than a pixel can be missed.
    """
    from scipy.ndimage import binary_dilation

    # Where all corners of a pixel agree it is taken as whole; a tip of the region can reach past the corners,
    # so the neighbors of the pixels where they do not agree are looked at, too.
    corners = region.combine(lambda shape: _grid_points(shape, x_edges, y_edges)).astype(np.int8)
    inside = corners[:-1, :-1] + corners[:-1, 1:] + corners[1:, :-1] + corners[1:, 1:]
    part: Floats = (inside == 4).astype(np.float64)
    at_edge = np.nonzero(binary_dilation((inside > 0) & (inside < 4), np.ones((3, 3))))
    part[at_edge] = _sampled(region, x_edges, y_edges, *at_edge)
    return part


# A region of hundreds of excluded sources has as many shapes: each is tested only in the rectangle around it.


def _grid_points(shape: Shape, x: Floats, y: Floats) -> Bools:
    """Return which points of a grid are inside a shape, shape (len(y), len(x))."""
    inside = np.zeros((len(y), len(x)), dtype=bool)
    extent = shape.extent
    columns = slice(np.searchsorted(x, extent.x_min), np.searchsorted(x, extent.x_max, side="right"))
    rows = slice(np.searchsorted(y, extent.y_min), np.searchsorted(y, extent.y_max, side="right"))
    inside[rows, columns] = shape.contains(*np.broadcast_arrays(x[columns], y[rows, None]))
    return inside


def _sampled(
    region: Region, x_edges: Floats, y_edges: Floats, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> Floats:
    """Return which part of some pixels lies inside a region, from points in them, shape (n,)."""
    between = (np.arange(_PARTS) + 0.5) / _PARTS
    x = x_edges[columns, None, None] + between * (x_edges[1] - x_edges[0])
    y = y_edges[rows, None, None] + between[:, None] * (y_edges[1] - y_edges[0])

    def contains(shape: Shape) -> Bools:
        inside = np.zeros((len(rows), _PARTS, _PARTS), dtype=bool)
        extent = shape.extent
        near = (x_edges[columns + 1] >= extent.x_min) & (x_edges[columns] <= extent.x_max)
        near &= (y_edges[rows + 1] >= extent.y_min) & (y_edges[rows] <= extent.y_max)
        inside[near] = shape.contains(*np.broadcast_arrays(x[near], y[near]))
        return inside

    fraction: Floats = region.combine(contains).mean(axis=(1, 2), dtype=np.float64)
    return fraction
