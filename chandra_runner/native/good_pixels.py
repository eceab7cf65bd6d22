"""Which pixels of a chip can see: windows of the mask file, bad pixels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import naming_file, read_hdus
from chandra_runner.fits.tables import has_columns, number_column

from .detectors import ACIS, Chip, Detector
from .geometry import Array

BAD_STATUS = 0x03FFFF
"""A pixel whose status has one of these bits is left out of exposure maps; the others only tell about it."""

STRIP = 1 << 23
"""Chip pixels that are painted at a time."""

_NEIGHBOURHOOD = 65
"""Columns whose median tells how many events to expect in the middle one."""
_EXPECTED = 13.0
"""exp(-13) x 1024 columns = 1/430."""


@dataclass(frozen=True)
class Window:
    """A region of a chip in which events are kept, or not.

    Parameters
    ----------
    kept : float
        Fraction of the events that are kept: 1 / SAMP_CYC, and 0 where SAMP_CYC is 0.
    inside, outside : ndarray of int, shape (n, 4)
        It is what is in one of the first rectangles and in none of the second. Each is the first and last
        CHIPX and the first and last CHIPY, both ends included.
    """

    kept: float
    inside: Array
    outside: Array


def boxes(x_first: ArrayLike, x_last: ArrayLike, y_first: ArrayLike, y_last: ArrayLike) -> Array:
    """Rectangles of chip pixels, shape (n, 4)."""
    columns = [np.atleast_1d(np.asarray(c, dtype=np.int64)) for c in (x_first, x_last, y_first, y_last)]
    return np.stack(columns, axis=1)


def read_mask(path: Path, detector: Detector) -> dict[int, tuple[Window, ...]]:
    """Windows of each chip, from a mask file (msk1).

    Raises
    ------
    DataError
        The file is unreadable or no mask file.
    """
    tables = _chip_tables(path, detector, "MASK", "SAMP_CYC")
    with naming_file(path):
        return {chip: tuple(_windows(hdu)) for chip, hdu in tables.items()}


def read_bad_pixels(path: Path, detector: Detector) -> dict[int, Array]:
    """Rectangles of bad pixels of each chip, from a bad-pixel file (bpix1).

    Raises
    ------
    DataError
        The file is unreadable or no bad-pixel file.
    """
    tables = _chip_tables(path, detector, "BADPIX", "STATUS")
    with naming_file(path):
        return {chip: _rectangles(hdu)[_status(hdu) & BAD_STATUS != 0] for chip, hdu in tables.items()}


def default_windows(chip: Chip, detector: Detector, header: Mapping[str, Any]) -> tuple[Window, ...]:
    """The window of a chip without a mask file: its subarray, less the edges no event can be centred on.

    Parameters
    ----------
    header : Mapping
        Of the events; FIRSTROW and NROWS are an ACIS subarray.
    """
    edge = 1 if detector is ACIS else 0
    first, rows = header.get("FIRSTROW"), header.get("NROWS")
    if detector is not ACIS or not isinstance(first, int) or not isinstance(rows, int):
        first, rows = 1, chip.ny
    last = min(first + rows - 1, chip.ny)
    window = boxes(1 + edge, chip.nx - edge, max(first, 1) + edge, last - edge)
    return (Window(1.0, window, window[:0]),)


def dead_columns(chip: Chip, events: Array) -> Array:
    """Bad columns that the events tell, where there is no bad-pixel file.

    Level-2 events on bad columns are gone. A column without one event counts as bad where its
    neighbourhood lets expect so many that chance leaves one column empty in 400 chips.

    Parameters
    ----------
    chip : Chip
        Its size.
    events : ndarray of int, shape (nx,)
        Number of events in each column.

    Returns
    -------
    ndarray of int, shape (n, 4)
        Rectangles, as of `read_bad_pixels`.
    """
    from scipy.ndimage import median_filter

    expected = median_filter(events.astype(float), _NEIGHBOURHOOD, mode="mirror")
    x = np.flatnonzero((events == 0) & (expected >= _EXPECTED)) + 1
    return boxes(x, x, np.ones_like(x), np.full_like(x, chip.ny))


def good_fraction(chip: Chip, windows: Sequence[Window], bad: Array, block: int = 1) -> Array:
    """Map of the good pixels of a chip.

    Parameters
    ----------
    chip : Chip
        Its size.
    windows : sequence of Window
        Where events are kept. One that keeps none wins over the others, as does the one that keeps less.
    bad : ndarray of int, shape (n, 4)
        Rectangles of bad pixels.
    block : int
        Side of the square of pixels that are averaged; it divides the sides of the chip.

    Returns
    -------
    ndarray of float32, shape (ny / block, nx / block)
        Fraction of events that are kept: 1 on a good pixel.
    """
    out = np.empty((chip.ny // block, chip.nx // block), dtype=np.float32)
    rows = max(STRIP // chip.nx // block, 1) * block
    for first in range(0, chip.ny, rows):
        shape = (min(rows, chip.ny - first), chip.nx)
        kept = np.zeros(shape, dtype=np.float32)
        for window in sorted(windows, key=lambda w: -w.kept):
            kept[_paint(window.inside, first, shape) & ~_paint(window.outside, first, shape)] = window.kept
        kept[_paint(bad, first, shape)] = 0
        blocks = kept.reshape(shape[0] // block, block, chip.nx // block, block)
        out[first // block : (first + shape[0]) // block] = blocks.mean(axis=(1, 3))
    return out


def _paint(rectangles: Array, first: int, shape: tuple[int, int]) -> Array:
    """Pixels of a strip of rows, from row index `first` on, that are in one of the rectangles."""
    strip = np.zeros(shape, dtype=bool)
    for x0, x1, y0, y1 in rectangles.tolist():
        strip[max(y0 - 1 - first, 0) : max(y1 - first, 0), max(x0 - 1, 0) : max(x1, 0)] = True
    return strip


def _chip_tables(path: Path, detector: Detector, name: str, column: str) -> dict[int, Any]:
    """The tables of a file with one for each chip, by chip."""
    tables = [hdu for hdu in read_hdus(path)[1:] if hdu.name.upper().startswith(name) and has_columns(hdu)]
    if not tables:
        raise DataError(f"{path.name} has no extension {name}")
    for hdu in tables:
        missing = [need for need in ("CHIPX", "CHIPY", column) if not has_columns(hdu, need)]
        if missing:
            raise DataError(f"{path.name}: extension {hdu.name} has no column {', '.join(missing)}")
    by_chip = {_chip_of(hdu, detector): hdu for hdu in tables}
    return {chip: hdu for chip, hdu in by_chip.items() if chip in detector.chips}


def _chip_of(hdu: Any, detector: Detector) -> int:
    if len(detector.chips) == 1:
        return next(iter(detector.chips))
    for key in ("CCD_ID", "CHIP_ID"):
        if isinstance(hdu.header.get(key), int):
            return int(hdu.header[key])
    return int(hdu.ver)


def _rectangles(hdu: Any) -> Array:
    """CHIPX and CHIPY of all rows; they are ranges, or single pixels."""
    if not len(hdu.data):
        return boxes([], [], [], [])
    x, y = (_whole(hdu, name).reshape(len(hdu.data), -1) for name in ("CHIPX", "CHIPY"))
    return boxes(x.min(axis=1), x.max(axis=1), y.min(axis=1), y.max(axis=1))


def _whole(hdu: Any, column: str) -> Array:
    """A column as whole numbers."""
    values = number_column(hdu, column)
    if not np.all(np.abs(values) < 2**53):  # nor true of what is no number
        raise DataError(f"column {column} of extension {hdu.name} holds no whole numbers")
    return values.astype(np.int64)


def _status(hdu: Any) -> Array:
    """STATUS of all rows as numbers; in the file they are bits, the highest first, or numbers already."""
    bits = _whole(hdu, "STATUS")
    if bits.ndim == 2:
        bits = (bits << np.arange(bits.shape[1])[::-1]).sum(axis=1)
    return bits


def _excluding(hdu: Any) -> Array:
    """Whether each row takes its rectangle out of the window: SHAPE begins with an exclamation mark."""
    if not has_columns(hdu, "SHAPE"):
        return np.zeros(len(hdu.data), dtype=bool)
    try:
        shapes = np.asarray(hdu.data["SHAPE"], dtype=str)
    except ValueError as error:
        raise DataError(f"column SHAPE of extension {hdu.name} holds no text") from error
    return np.char.startswith(np.char.strip(shapes), "!")


def _windows(hdu: Any) -> Iterator[Window]:
    rectangles = _rectangles(hdu)
    outside = _excluding(hdu)
    parts = _whole(hdu, "COMPONENT") if has_columns(hdu, "COMPONENT") else np.arange(len(rectangles))
    cycles = _whole(hdu, "SAMP_CYC")
    if np.any(cycles < 0):
        raise DataError(f"SAMP_CYC is negative in {hdu.name}")
    for part in np.unique(parts):
        own = parts == part
        cycle = int(cycles[own].min())
        yield Window(1 / cycle if cycle else 0.0, rectangles[own & ~outside], rectangles[own & outside])
