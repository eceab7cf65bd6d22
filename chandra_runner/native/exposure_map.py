"""Exposure maps: how long each pixel of the sky was observed by a good pixel."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.gti import Gti
from chandra_runner.regions.coverage import coverage
from chandra_runner.regions.region import Region

from .detectors import ACIS, Chip, Detector
from .geometry import Array, Attitude, Pointing, chip_to_focal, rays, rays_to_chip, rays_to_sky, sky_to_rays
from .grid import Grid

STEP = 1.0
"""Longest time between two samples of the attitude, s."""

LARGEST_MOTION = 0.25
"""An observation that moves by more than this part of its field of view is not a pointed one."""


@dataclass(frozen=True)
class ChipExposure:
    """Where a chip pointed during its good time, and for how long.

    Parameters
    ----------
    number : int
        Number of the chip.
    attitude : Attitude
        Samples over the good time, each of shape (n,).
    seconds : ndarray, shape (n,)
        Live time of each sample, s.
    good : ndarray, shape (ny / block, nx / block)
        Fraction of good pixels in blocks, from `good_pixels.good_fraction`.
    region : Region, optional
        The part of the sky to which its events were cut; None if they were not.
    """

    number: int
    attitude: Attitude
    seconds: Array
    good: Array
    region: Region | None = None


def sample_times(gti: Gti) -> tuple[Array, Array]:
    """Split good times into short pieces.

    Returns
    -------
    middle, length : ndarray, shape (n,)
        Middle and length of each piece, s.
    """
    # Each interval gets as many equal pieces as it takes to have none longer than STEP. So the pieces cover
    # the good time exactly, and none begins in one interval and ends in another.
    pieces = np.maximum(np.ceil((gti.stop - gti.start) / STEP), 1).astype(np.int64)
    length = np.repeat((gti.stop - gti.start) / pieces, pieces)
    # Number of each piece within its interval: 0, 1, 2, ..., 0, 1, ...
    index = np.arange(len(length)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    return np.repeat(gti.start, pieces) + (index + 0.5) * length, length


def mean_attitude(attitude: Attitude, seconds: Array) -> Attitude:
    """Return the attitude around which the telescope dithered: the mean over time."""
    values = {f.name: float(np.average(getattr(attitude, f.name), weights=seconds)) for f in fields(Attitude)}
    return Attitude(**values)


def fine_pixel(detector: Detector) -> int:
    """Return the size of the pixels on which exposure maps are computed, sky pixel: 0.5" or 1"."""
    return 1 if detector is ACIS else 8


def exposure_map(pointing: Pointing, grid: Grid, chips: Iterable[ChipExposure]) -> Array:
    """Compute the exposure of each pixel of an image.

    For each chip the map of its good pixels, projected to the sky at the mean attitude, is convolved with
    the distribution of the chip's offsets from there. This replaces thousands of projections, one for each
    second, by one. The offsets are those of the chip's center, so the dither in roll is included.

    Parameters
    ----------
    pointing : Pointing
        Instrument and tangent point of the image.
    grid : Grid
        Pixels of the image.
    chips : iterable of ChipExposure
        The chips that were on.

    Returns
    -------
    ndarray of float64, shape (ny, nx)
        Exposure, s: the live time where good pixels observed all the time, 0 where none did, or where events
        were cut away. In a pixel at the edge of such a cut it is the mean, which agrees with the counts.
    """
    # A large image pixel is divided into whole fine pixels, so that its exposure is the mean of theirs.
    out = np.zeros(grid.shape)
    oversample = max(math.ceil(grid.step / fine_pixel(pointing.detector)), 1)
    for chip in chips:
        # A chip whose good time is zero has no mean attitude.
        if chip.seconds.sum() > 0:
            _add_chip(out, pointing, grid, chip, oversample)
    return out


def _add_chip(out: Array, pointing: Pointing, grid: Grid, exposure: ChipExposure, oversample: int) -> None:
    """Add the exposure of one chip to the image.

    It is computed on pixels that divide the image's pixels, because bad pixels and the edges of chips are
    finer than a large image pixel.
    """
    step = grid.step / oversample
    # The mean attitude keeps offsets small, and with them the error of treating the dither as a shift.
    mean = mean_attitude(exposure.attitude, exposure.seconds)
    kernel, left, bottom = _offsets(pointing, exposure, mean, step)
    chip = pointing.detector.chip(exposure.number)
    # A flat chip is a quadrilateral on the sky: its corners give the range of its pixels.
    corners = chip_to_focal(pointing, chip.number, *chip.corners)
    x, y = rays_to_sky(pointing, rays(corners, mean), mean)
    # Only the part of the chip that the dither moves into the image is computed.
    columns = _span((x - grid.x0) / step, left, kernel.shape[1], grid.nx * oversample)
    rows = _span((y - grid.y0) / step, bottom, kernel.shape[0], grid.ny * oversample)
    if not len(columns) or not len(rows):
        return
    centers_x = grid.x0 + (np.arange(columns.start, columns.stop) + 0.5) * step
    centers_y = grid.y0 + (np.arange(rows.start, rows.stop) + 0.5) * step
    seen = _project_good_pixels(pointing, exposure, chip, mean, centers_x, centers_y)
    fine = _convolve(seen, kernel)
    # The result begins at the first pixel of the chip plus the first offset.
    first_row, first_column = rows.start + bottom, columns.start + left
    if exposure.region is not None:
        x_edges = grid.x0 + (first_column + np.arange(fine.shape[1] + 1)) * step
        y_edges = grid.y0 + (first_row + np.arange(fine.shape[0] + 1)) * step
        fine *= coverage(exposure.region, x_edges, y_edges)
    _bin_into(out, fine, first_row, first_column, oversample)


def _offsets(
    pointing: Pointing, exposure: ChipExposure, mean: Attitude, step: float
) -> tuple[Array, int, int]:
    """Return the time at each offset of the chip from its position at the mean attitude.

    Each sample is divided among the four nearest whole offsets in proportion to their distance, so that
    the mean offset is exact.

    Returns
    -------
    kernel : ndarray, shape (n_y, n_x)
        Time, s.
    left, bottom : int
        Offset of the first column and row, fine pixel.
    """
    chip = pointing.detector.chip(exposure.number)
    center = np.array([(chip.nx + 1) / 2]), np.array([(chip.ny + 1) / 2])
    focal = chip_to_focal(pointing, chip.number, *center)
    x, y = rays_to_sky(
        pointing, rays(np.repeat(focal, len(exposure.seconds), axis=1), exposure.attitude), exposure.attitude
    )
    # One position per sample of the attitude, relative to the position at the mean attitude.
    x_mean, y_mean = rays_to_sky(pointing, rays(focal, mean), mean)
    x, y = (x - x_mean) / step, (y - y_mean) / step
    # The size of the kernel is that of the motion: a slew across the sky would need unlimited memory.
    if max(np.ptp(x), np.ptp(y)) * step > LARGEST_MOTION * pointing.detector.size:
        raise DataError(
            "the aspect solution moves by more than 25 % of the field of view during good time",
            "check the good times: this may be slew data",
        )
    i, j = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    left, bottom = int(i.min()), int(j.min())
    # One row and column more than the whole offsets, for the neighbors that share the last sample.
    shape = (int(j.max()) - bottom + 2, int(i.max()) - left + 2)
    kernel = np.zeros(shape[0] * shape[1])
    for di, share_x in ((0, i + 1 - x), (1, x - i)):
        for dj, share_y in ((0, j + 1 - y), (1, y - j)):
            flat = (j - bottom + dj) * shape[1] + (i - left + di)
            kernel += np.bincount(flat, exposure.seconds * share_x * share_y, len(kernel))
    return kernel.reshape(shape), left, bottom


def _span(corners: Array, first: int, length: int, size: int) -> range:
    """Return the fine pixels of a chip that the dither can move into an image of `size` fine pixels."""
    # One pixel more on each side, as pixels at the edge belong to the chip in part.
    low = max(math.floor(corners.min()) - 1, -(first + length))
    high = min(math.ceil(corners.max()) + 1, size - first)
    return range(low, max(high, low))


def _project_good_pixels(
    pointing: Pointing, exposure: ChipExposure, chip: Chip, mean: Attitude, x: Array, y: Array
) -> Array:
    """Return the good-pixel map projected to the sky at one attitude.

    x and y are the sky coordinates of the columns and rows. Row, column and scale are sums of a term in x
    and a term in y, which costs two one-dimensional products instead of a projection of each pixel.
    """
    # The map may be averaged over blocks of chip pixels (HRC).
    block = chip.nx // exposure.good.shape[1]
    to_x, to_y, depth = _projection(pointing, chip, mean, x, y)
    scale = (depth[0] * x + depth[2]) + (depth[1] * y)[:, None]
    column = (((to_x[0] * x + to_x[2]) + (to_x[1] * y)[:, None]) / scale - 0.5) / block
    row = (((to_y[0] * x + to_y[2]) + (to_y[1] * y)[:, None]) / scale - 0.5) / block
    # The value is that of the nearest pixel, 0 outside the chip: edges and bad pixels stay sharp, and the
    # convolution smooths them as the dither did.
    ny, nx = exposure.good.shape
    inside = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
    seen = np.zeros(inside.shape)
    seen[inside] = exposure.good[row[inside].astype(np.intp), column[inside].astype(np.intp)]
    return seen


def _projection(pointing: Pointing, chip: Chip, mean: Attitude, x: Array, y: Array) -> Array:
    """Return the projection from sky to chip coordinates.

    Tangent plane and chip are planes, and the mirror acts as a pinhole, so the projection is a homography:
    it follows exactly from the images of four points, here just outside the part that is computed.

    Returns
    -------
    ndarray, shape (3, 3)
        chipx = (m00 x + m01 y + m02) / (m20 x + m21 y + m22), chipy likewise with the second row.
    """
    low_x, high_x, low_y, high_y = x[0] - 1, x[-1] + 1, y[0] - 1, y[-1] + 1
    at_x, at_y = np.array([low_x, high_x, high_x, low_x]), np.array([low_y, low_y, high_y, high_y])
    ray = sky_to_rays(pointing, at_x, at_y, mean)
    chipx, chipy = rays_to_chip(pointing, chip.number, ray, mean)
    # Eight unknowns (the ninth is 1, as the scale is free) from two linear equations for each point:
    # chipx (m20 x + m21 y + 1) = m00 x + m01 y + m02, and the same for chipy.
    equations, right = [], []
    for sky_x, sky_y, to_x, to_y in zip(at_x, at_y, chipx, chipy, strict=True):
        equations.append([sky_x, sky_y, 1, 0, 0, 0, -to_x * sky_x, -to_x * sky_y])
        equations.append([0, 0, 0, sky_x, sky_y, 1, -to_y * sky_x, -to_y * sky_y])
        right += [to_x, to_y]
    solution = np.linalg.solve(np.array(equations), np.array(right))
    return np.append(solution, 1.0).reshape(3, 3)


def _convolve(image: Array, kernel: Array) -> Array:
    """Return the full convolution, computed with FFTs.

    Values that are only rounding errors are set to 0: a pixel that was not exposed must have no exposure.
    """
    from scipy import fft

    shape = [a + b - 1 for a, b in zip(image.shape, kernel.shape, strict=True)]
    # Padding to the full size keeps the ends from wrapping around; lengths with small prime factors are fast.
    padded = [fft.next_fast_len(n, real=True) for n in shape]
    product = fft.rfft2(image, padded)
    product *= fft.rfft2(kernel, padded)
    result: Array = fft.irfft2(product, padded, overwrite_x=True)[: shape[0], : shape[1]]
    result[result < 1e-9 * kernel.sum()] = 0
    return result


def _bin_into(out: Array, fine: Array, bottom: int, left: int, oversample: int) -> None:
    """Add the means of fine pixels to the image; `bottom` and `left` are the positions of the first ones."""
    # First sum along each axis up to the edges of image pixels, the first of which may be incomplete.
    for axis, first in ((0, bottom), (1, left)):
        # The first fine pixel whose position is a multiple of the oversampling begins an image pixel.
        edges = np.arange(-(-first // oversample) * oversample - first, fine.shape[axis], oversample)
        starts = edges if len(edges) and edges[0] == 0 else np.concatenate([[0], edges]).astype(np.int64)
        fine = np.add.reduceat(fine, starts, axis=axis)
    # Then add the part that is inside the image.
    y, x = bottom // oversample, left // oversample
    into = out[max(y, 0) : max(y + fine.shape[0], 0), max(x, 0) : max(x + fine.shape[1], 0)]
    part = fine[max(-y, 0) :, max(-x, 0) :][: into.shape[0], : into.shape[1]]
    into += part / oversample**2
