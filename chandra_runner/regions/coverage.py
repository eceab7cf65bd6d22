"""Images of regions: which part of each pixel lies inside."""

from __future__ import annotations

import numpy as np

from .region import Region
from .shapes import Floats

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
    corners = region.contains(*np.broadcast_arrays(x_edges, y_edges[:, None])).astype(np.int8)
    inside = corners[:-1, :-1] + corners[:-1, 1:] + corners[1:, :-1] + corners[1:, 1:]
    part: Floats = (inside == 4).astype(np.float64)
    rows, columns = np.nonzero(binary_dilation((inside > 0) & (inside < 4), np.ones((3, 3))))
    between = (np.arange(_PARTS) + 0.5) / _PARTS
    x = x_edges[columns, None, None] + between * (x_edges[1] - x_edges[0])
    y = y_edges[rows, None, None] + between[:, None] * (y_edges[1] - y_edges[0])
    part[rows, columns] = region.contains(*np.broadcast_arrays(x, y)).mean(axis=(1, 2))
    return part
