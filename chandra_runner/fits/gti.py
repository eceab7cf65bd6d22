"""Good time intervals (GTIs)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from chandra_runner.errors import DataError

from .tables import number_column

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Gti:
    """Sorted, disjoint intervals ``start <= t < stop``. Make them with `make_gti`.

    Parameters
    ----------
    start, stop : ndarray, shape (n,)
        Mission times, s; ``start < stop`` in each interval.
    """

    start: Floats
    stop: Floats

    def __len__(self) -> int:
        return len(self.start)

    def total(self) -> float:
        """Return the sum of all intervals, s."""
        return float(np.sum(self.stop - self.start))

    def edges(self) -> Floats:
        """Return starts and stops in turn, shape (2 n,), increasing."""
        return np.column_stack([self.start, self.stop]).ravel()

    def contains(self, time: ArrayLike) -> Bools:
        """Return whether each time (s) is in one of the intervals."""
        # An odd number of edges up to a time means that an interval has started and not stopped.
        inside: Bools = np.searchsorted(self.edges(), np.asarray(time), side="right") % 2 == 1
        return inside

    def intersect(self, other: Gti) -> Gti:
        """Return the times that are good in both."""
        # Between two neighboring edges of either nothing changes: the first point decides for all.
        edges = np.union1d(self.edges(), other.edges())
        good = self.contains(edges[:-1]) & other.contains(edges[:-1])
        return make_gti(edges[:-1][good], edges[1:][good])


def make_gti(start: ArrayLike, stop: ArrayLike) -> Gti:
    """Sort intervals, merge those that overlap or touch, and drop empty ones.

    Parameters
    ----------
    start, stop : array_like, shape (n,)
        Mission times, s.

    Examples
    --------
    >>> gti = make_gti([0, 50, 90], [60, 80, 100])
    >>> gti.start.tolist(), gti.stop.tolist(), gti.total()
    ([0.0, 90.0], [80.0, 100.0], 90.0)
    """
    starts = np.atleast_1d(np.asarray(start, dtype=np.float64))
    stops = np.atleast_1d(np.asarray(stop, dtype=np.float64))
    # nan is not less than anything, so intervals with it are dropped, too.
    some = starts < stops
    order = np.argsort(starts[some], kind="stable")
    # The running maximum keeps the end of a long interval that contains shorter ones.
    starts, stops = starts[some][order], np.maximum.accumulate(stops[some][order])
    # An interval that begins after all before it have stopped is separate; the others are merged.
    apart = starts[1:] > stops[:-1]
    first = np.concatenate([np.ones(min(len(starts), 1), dtype=bool), apart])
    last = np.concatenate([apart, np.ones(min(len(starts), 1), dtype=bool)])
    return Gti(starts[first], stops[last])


def good_time(gti: Gti, edges: ArrayLike) -> Floats:
    """Return the good time inside each bin.

    Parameters
    ----------
    gti : Gti
        Good time intervals.
    edges : array_like, shape (n + 1,)
        Bin edges, s, increasing.

    Returns
    -------
    ndarray, shape (n,)
        Overlap of each bin with the good time intervals, s.
    """
    bins = np.asarray(edges, dtype=np.float64)
    left, right = bins[:-1], bins[1:]
    overlap = np.zeros(len(left))
    # Only bins that an interval touches are visited: from the first that ends after its start to the last
    # that begins before its stop.
    first = np.searchsorted(right, gti.start, side="right")
    last = np.searchsorted(left, gti.stop, side="left")
    for start, stop, i, j in zip(gti.start, gti.stop, first, last, strict=True):
        overlap[i:j] += np.minimum(right[i:j], stop) - np.maximum(left[i:j], start)
    return overlap


def ccd_of(header: Any) -> int | None:
    """Return the CCD of a GTI extension, None if it is for all chips."""
    if header.get("INSTRUME") == "HRC":
        return None
    ccd = header.get("CCD_ID")
    if isinstance(ccd, int):
        return ccd
    # CIAO names the block of a chip GTI7; EXTVER alone may be a plain count.
    numbered = re.fullmatch(
        r"GTI(\d+)", str(header.get("HDUNAME", header.get("EXTNAME", ""))).strip().upper()
    )
    return int(numbered[1]) if numbered else None


def chip_key(hdu: Any) -> int:
    """Return the key of a GTI extension in `GoodTimes.by_chip`: its CCD, otherwise its EXTVER."""
    ccd = ccd_of(hdu.header)
    return int(hdu.ver) if ccd is None else ccd


def is_gti(hdu: Any) -> bool:
    """Return whether an astropy HDU holds good time intervals."""
    return hdu.name.upper().startswith("GTI") and hasattr(hdu, "columns")


@dataclass(frozen=True)
class GoodTimes:
    """The good times of a file, chip by chip.

    Parameters
    ----------
    by_chip : Mapping
        Intervals by CCD number, in the order of the file: the aimpoint chip comes first.
    shared : bool
        Whether there is one entry for all chips (HRC); its key is its EXTVER.
    """

    by_chip: Mapping[int, Gti]
    shared: bool

    @property
    def first(self) -> Gti:
        """Good times of the aimpoint chip, which are those of the file's global keywords."""
        return next(iter(self.by_chip.values()))

    def of(self, chip: int) -> Gti:
        """Return the good times of a chip; no intervals if the file has none for it."""
        return self.first if self.shared else self.by_chip.get(chip, make_gti([], []))

    def intersect(self, other: GoodTimes) -> GoodTimes:
        """Return the times that are good in both, chip by chip if either has chips."""
        # The one with chips decides which chips the result has.
        first, second = (other, self) if self.shared and not other.shared else (self, other)
        return GoodTimes(
            {chip: gti.intersect(second.of(chip)) for chip, gti in first.by_chip.items()}, first.shared
        )


def read_gtis(hdus: Iterable[Any]) -> GoodTimes | None:
    """Read the GTI extensions of a file.

    Parameters
    ----------
    hdus : iterable of astropy HDUs
        All or some extensions of a file.

    Returns
    -------
    GoodTimes
        The good times; None if there is no GTI extension.

    Raises
    ------
    DataError
        A GTI extension has no START or STOP or times that are not numbers, or a chip has two.
    """
    gtis: dict[int, Gti] = {}
    numbered = False
    for hdu in filter(is_gti, hdus):
        numbered = numbered or ccd_of(hdu.header) is not None
        key = chip_key(hdu)
        if key in gtis:
            raise DataError(f"two GTI extensions for chip {key}")
        gtis[key] = make_gti(_times(hdu, "START"), _times(hdu, "STOP"))
    return GoodTimes(gtis, not numbered) if gtis else None


def _times(hdu: Any, column: str) -> Floats:
    times = number_column(hdu, column)
    if not np.all(np.isfinite(times)):
        raise DataError(f"{column} of extension {hdu.name} holds values that are not times")
    return times
