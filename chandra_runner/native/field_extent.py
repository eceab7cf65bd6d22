"""The rectangle on the sky around what an observation saw."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import naming_file
from chandra_runner.fits.tables import has_columns, number_column, tables_with
from chandra_runner.regions.extent import NOTHING, WHOLE_SKY, Extent

from .exposure_map import ChipExposure
from .geometry import Array, Pointing, chip_to_focal, rays, rays_to_sky


def field_extent(pointing: Pointing, chips: tuple[ChipExposure, ...], fov: Path | None) -> Extent:
    """Return the rectangle on the sky around what some chips observed.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point.
    chips : tuple of ChipExposure
        The chips; if events of all of them were cut to regions, the rectangle is that around these.
    fov : Path, optional
        Field-of-view file; without it the rectangle is computed from the chips and their dither.

    Raises
    ------
    DataError
        The field-of-view file has none of the chips, or the regions are outside the field of view.
    """
    if fov is not None:
        whole = fov_extent(fov, tuple(chip.number for chip in chips))
    else:
        whole = chip_extent(pointing, chips)
    cuts = (WHOLE_SKY if chip.region is None else chip.region.extent for chip in chips)
    extent = whole.intersect(reduce(Extent.union, cuts, NOTHING))
    if extent.is_empty:
        raise DataError("the region to which the events were cut is outside the field of view")
    return extent


def fov_extent(path: Path, chips: Sequence[int]) -> Extent:
    """Return the rectangle around the polygons of some chips in a field-of-view file (fov1).

    Parameters
    ----------
    path : Path
        The file. Polygons that name no chip count for all.
    chips : sequence of int
        Numbers of the chips.

    Raises
    ------
    DataError
        The file is damaged, is not a field-of-view file, or has none of the chips.
    """
    with naming_file(path):
        corners = [_corners(hdu, chips) for hdu in tables_with(path, "X", "Y")]
    x, y = np.concatenate([np.empty((2, 0)), *corners], axis=1)
    if not len(x):
        numbers = ", ".join(map(str, chips))
        raise DataError(f"{path.name} has no polygon of chip {numbers}", "is it a field-of-view file (fov1)?")
    return Extent(x.min(), x.max(), y.min(), y.max())


def chip_extent(pointing: Pointing, chips: tuple[ChipExposure, ...]) -> Extent:
    """Return the rectangle on the sky around all good pixels over the whole dither."""
    # The corners of the rectangle of good pixels are enough: a chip is flat and its image convex.
    xs, ys = [], []
    for chip in chips:
        block = pointing.detector.chip(chip.number).nx // chip.good.shape[1]
        columns, rows = (np.flatnonzero((chip.good > 0).any(axis=axis)) for axis in (0, 1))
        if not len(columns):
            continue
        for column in (columns[0], columns[-1] + 1):
            for row in (rows[0], rows[-1] + 1):
                at = np.array([column * block + 0.5]), np.array([row * block + 0.5])
                corner = np.repeat(chip_to_focal(pointing, chip.number, *at), len(chip.seconds), axis=1)
                x, y = rays_to_sky(pointing, rays(corner, chip.attitude), chip.attitude)
                xs += [x.min(), x.max()]
                ys += [y.min(), y.max()]
    if not xs:
        raise DataError("no chip has a good pixel")
    return Extent(min(xs), max(xs), min(ys), max(ys))


def _corners(hdu: Any, chips: Sequence[int]) -> Array:
    """Return the corners of the polygons of some chips in one table, shape (2, n)."""
    rows = np.ones(len(hdu.data), dtype=bool)
    for column in ("CCD_ID", "CHIP_ID"):
        if has_columns(hdu, column):
            rows &= np.isin(number_column(hdu, column), chips)
    x, y = (number_column(hdu, name)[rows].ravel() for name in "XY")
    if len(x) != len(y):
        raise DataError(f"the columns X and Y of extension {hdu.name} differ in length")
    # Polygons with fewer corners than others are padded with nan.
    return np.stack([x, y])[:, np.isfinite(x) & np.isfinite(y)]
