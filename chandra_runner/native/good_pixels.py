"""The pixels of a chip that can have events: windows of the mask file, less bad pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chandra_runner.errors import DataError
from chandra_runner.fits.gti import Bools
from chandra_runner.fits.reader import naming_file, read_hdus
from chandra_runner.fits.tables import has_columns, number_column

from .detectors import ACIS, Chip, Detector
from .geometry import Array

BAD_STATUS = 0x03FFFF
"""Status bits that exclude a pixel from exposure maps, as in CIAO's fluximage; the others do not."""

STRIP = 1 << 23
"""Number of chip pixels that are processed at a time, to limit memory: HRC has 270 million."""
_CHIP = ("CCD_ID", "CHIP_ID")
"""Keywords or columns that tell the chip."""

_NEIGHBOURHOOD = 65
"""Number of columns whose median is the expected number of events of the middle one."""
_EXPECTED = 13.0
"""Least number of expected events for an empty column to count as bad: exp(-13) x 1024 columns = 1/430."""


@dataclass(frozen=True)
class Window:
    """A region of a chip in which a fraction of the events is kept.

    Parameters
    ----------
    kept : float
        Fraction of the events that are kept: 1 / SAMP_CYC, or 0 if SAMP_CYC is 0.
    inside, outside : ndarray of int, shape (n, 4)
        Rectangles. The window is the pixels in one of `inside` and in none of `outside`. A rectangle is the
        first and last CHIPX and the first and last CHIPY, both ends included.
    """

    kept: float
    inside: Array
    outside: Array


def rectangles(x_first: ArrayLike, x_last: ArrayLike, y_first: ArrayLike, y_last: ArrayLike) -> Array:
    """Return rectangles of chip pixels as one array, shape (n, 4)."""
    columns = [np.atleast_1d(np.asarray(c, dtype=np.int64)) for c in (x_first, x_last, y_first, y_last)]
    return np.stack(columns, axis=1)


def read_mask(path: Path, detector: Detector) -> dict[int, tuple[Window, ...]]:
    """Read the windows of each chip from a mask file (msk1).

    Raises
    ------
    DataError
        The file is unreadable or is not a mask file.
    """
    tables = {_chip_of(hdu, detector): hdu for hdu in _tables(path, "MASK", "SAMP_CYC")}
    with naming_file(path):
        return {chip: tuple(_read_windows(hdu)) for chip, hdu in tables.items() if chip in detector.chips}


def read_bad_pixels(path: Path, detector: Detector) -> dict[int, Array]:
    """Read the rectangles of bad pixels of each chip from a bad-pixel file (bpix1).

    Files of ACIS have a table for each chip. Those of HRC can have one table for all, with a column CHIP_ID.
    Rows that hold for a short time only (TIME to TIME_STOP) count as bad throughout: afterglows, whose
    pixels have events at other times. Their share of a chip is 0.03 to 0.1 % in ObsIDs 3591 and 22130.

    Raises
    ------
    DataError
        The file is unreadable or is not a bad-pixel file.
    """
    tables = _tables(path, "BADPIX", "STATUS")
    bad: dict[int, list[Array]] = {}
    with naming_file(path):
        for hdu in tables:
            boxes, excluded = _read_rectangles(hdu), _status_words(hdu) & BAD_STATUS != 0
            for chip, rows in _rows_by_chip(hdu, detector):
                bad.setdefault(chip, []).append(boxes[rows & excluded])
    return {chip: np.concatenate(bad[chip]) for chip in bad if chip in detector.chips}


def default_windows(chip: Chip, detector: Detector, header: Mapping[str, Any]) -> tuple[Window, ...]:
    """Return the window of a chip if there is no mask file: its subarray.

    The outermost rows and columns of ACIS are left out, because an event has 3 x 3 pixels.

    Parameters
    ----------
    chip, detector : Chip, Detector
        The chip, and its detector.
    header : Mapping
        Header of the events; FIRSTROW and NROWS define an ACIS subarray.
    """
    edge = 1 if detector is ACIS else 0
    first, rows = header.get("FIRSTROW"), header.get("NROWS")
    if detector is not ACIS or not isinstance(first, int) or not isinstance(rows, int):
        first, rows = 1, chip.ny
    last = min(first + rows - 1, chip.ny)
    window = rectangles(1 + edge, chip.nx - edge, max(first, 1) + edge, last - edge)
    return (Window(1.0, window, window[:0]),)


def dead_columns(chip: Chip, events: Array) -> Array:
    """Find bad columns from the events, if there is no bad-pixel file.

    Level 2 has no events on bad columns. An empty column counts as bad if the neighboring columns predict so
    many events that an empty column by chance occurs once in 400 chips.

    Parameters
    ----------
    chip : Chip
        The chip.
    events : ndarray of int, shape (nx,)
        Number of events in each column.

    Returns
    -------
    ndarray of int, shape (n, 4)
        Rectangles, as from `read_bad_pixels`.
    """
    from scipy.ndimage import median_filter

    # The median of many columns follows the illumination of the chip, but not a source in a few columns, nor
    # the bad columns themselves. A Poisson variable of mean m is 0 with the probability exp(-m).
    expected = median_filter(events.astype(float), _NEIGHBOURHOOD, mode="mirror")
    x = np.flatnonzero((events == 0) & (expected >= _EXPECTED)) + 1
    return rectangles(x, x, np.ones_like(x), np.full_like(x, chip.ny))


def good_fraction(chip: Chip, windows: Sequence[Window], bad: Array, block: int = 1) -> Array:
    """Return a map of the good pixels of a chip.

    Parameters
    ----------
    chip : Chip
        The chip.
    windows : sequence of Window
        Windows in which events are kept. Where they overlap, the one that keeps the least applies.
    bad : ndarray of int, shape (n, 4)
        Rectangles of bad pixels.
    block : int
        Side of the squares of pixels that are averaged; it divides the sides of the chip.

    Returns
    -------
    ndarray of float32, shape (ny / block, nx / block)
        Fraction of the events that are kept: 1 on good pixels.
    """
    out = np.empty((chip.ny // block, chip.nx // block), dtype=np.float32)
    rows = max(STRIP // chip.nx // block, 1) * block
    for first in range(0, chip.ny, rows):
        shape = (min(rows, chip.ny - first), chip.nx)
        # Pixels outside all windows have no events.
        kept = np.zeros(shape, dtype=np.float32)
        # Windows that keep less are painted over those that keep more.
        for window in sorted(windows, key=lambda w: -w.kept):
            kept[_in_any(window.inside, first, shape) & ~_in_any(window.outside, first, shape)] = window.kept
        kept[_in_any(bad, first, shape)] = 0
        # Average squares of pixels: two new axes of the length of a block, which the mean removes.
        blocks = kept.reshape(shape[0] // block, block, chip.nx // block, block)
        out[first // block : (first + shape[0]) // block] = blocks.mean(axis=(1, 3))
    return out


def _in_any(boxes: Array, first: int, shape: tuple[int, int]) -> Array:
    """Return whether pixels of a strip of rows, from row index `first` on, are in a rectangle."""
    strip = np.zeros(shape, dtype=bool)
    for x0, x1, y0, y1 in boxes.tolist():
        strip[max(y0 - 1 - first, 0) : max(y1 - first, 0), max(x0 - 1, 0) : max(x1, 0)] = True
    return strip


def _tables(path: Path, name: str, column: str) -> list[Any]:
    """Return the tables of a name in a file; each must have the chip coordinates and the column."""
    tables = [hdu for hdu in read_hdus(path)[1:] if hdu.name.upper().startswith(name) and has_columns(hdu)]
    if not tables:
        raise DataError(f"{path.name} has no extension {name}")
    for hdu in tables:
        missing = [need for need in ("CHIPX", "CHIPY", column) if not has_columns(hdu, need)]
        if missing:
            raise DataError(f"{path.name}: extension {hdu.name} has no column {', '.join(missing)}")
    return tables


def _rows_by_chip(hdu: Any, detector: Detector) -> Iterator[tuple[int, Bools]]:
    """Yield the chips of a table, and whether each row belongs to the chip."""
    column = next((name for name in _CHIP if has_columns(hdu, name)), None)
    if column is None or len(detector.chips) == 1:
        yield _chip_of(hdu, detector), np.ones(len(hdu.data), dtype=bool)
        return
    chips = _integer_column(hdu, column)
    for chip in np.unique(chips):
        yield int(chip), chips == chip


def _chip_of(hdu: Any, detector: Detector) -> int:
    # HRC-I has only one chip, so its files need not say which.
    if len(detector.chips) == 1:
        return next(iter(detector.chips))
    for key in _CHIP:
        if isinstance(hdu.header.get(key), int):
            return int(hdu.header[key])
    return int(hdu.ver)


def _read_rectangles(hdu: Any) -> Array:
    """Read the rectangles of all rows; CHIPX and CHIPY are ranges, or single pixels."""
    if not len(hdu.data):
        return rectangles([], [], [], [])
    x, y = (_integer_column(hdu, name).reshape(len(hdu.data), -1) for name in ("CHIPX", "CHIPY"))
    return rectangles(x.min(axis=1), x.max(axis=1), y.min(axis=1), y.max(axis=1))


def _integer_column(hdu: Any, column: str) -> Array:
    """Read a column as whole numbers."""
    values = number_column(hdu, column)
    if not np.all(np.abs(values) < 2**53):  # false for nan, too
        raise DataError(f"column {column} of extension {hdu.name} does not hold whole numbers")
    return values.astype(np.int64)


def _status_words(hdu: Any) -> Array:
    """Read STATUS of all rows as numbers; the file has bits, the highest first, or numbers."""
    bits = _integer_column(hdu, "STATUS")
    if bits.ndim == 2:
        # The first bit is the highest.
        bits = (bits << np.arange(bits.shape[1])[::-1]).sum(axis=1)
    return bits


def _is_excluded(hdu: Any) -> Array:
    """Return whether the rectangle of each row is excluded: its SHAPE begins with an exclamation mark."""
    if not has_columns(hdu, "SHAPE"):
        return np.zeros(len(hdu.data), dtype=bool)
    try:
        shapes = np.asarray(hdu.data["SHAPE"], dtype=str)
    except ValueError as error:
        raise DataError(f"column SHAPE of extension {hdu.name} does not hold text") from error
    return np.char.startswith(np.char.strip(shapes), "!")


def _read_windows(hdu: Any) -> Iterator[Window]:
    """Read the windows of a MASK table: the rows with the same COMPONENT are one window."""
    regions = _read_rectangles(hdu)
    outside = _is_excluded(hdu)
    parts = _integer_column(hdu, "COMPONENT") if has_columns(hdu, "COMPONENT") else np.arange(len(regions))
    cycles = _integer_column(hdu, "SAMP_CYC")
    if np.any(cycles < 0):
        raise DataError(f"SAMP_CYC is negative in {hdu.name}")
    for part in np.unique(parts):
        own = parts == part
        cycle = int(cycles[own].min())
        yield Window(1 / cycle if cycle else 0.0, regions[own & ~outside], regions[own & outside])
