"""Good-time intervals: when the data are worth having."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import DataError

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Gti:
    """Sorted, disjoint intervals ``start <= t < stop``. Made with `make_gti`.

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
        """Sum of all intervals, s."""
        return float(np.sum(self.stop - self.start))

    def edges(self) -> Floats:
        """Starts and stops in turn, shape (2 n,), increasing."""
        return np.column_stack([self.start, self.stop]).ravel()

    def contains(self, time: ArrayLike) -> Bools:
        """Whether each time (s) is in one of the intervals."""
        inside: Bools = np.searchsorted(self.edges(), np.asarray(time), side="right") % 2 == 1
        return inside

    def intersect(self, other: Gti) -> Gti:
        """The times that are good in both."""
        edges = np.union1d(self.edges(), other.edges())
        good = self.contains(edges[:-1]) & other.contains(edges[:-1])
        return make_gti(edges[:-1][good], edges[1:][good])


def make_gti(start: ArrayLike, stop: ArrayLike) -> Gti:
    """Sort intervals, merge those that overlap or touch, drop empty ones.

    Parameters
    ----------
    start, stop : array_like, shape (n,)
        Mission times, s.
    """
    starts = np.atleast_1d(np.asarray(start, dtype=np.float64))
    stops = np.atleast_1d(np.asarray(stop, dtype=np.float64))
    some = starts < stops
    order = np.argsort(starts[some], kind="stable")
    starts, stops = starts[some][order], np.maximum.accumulate(stops[some][order])
    apart = starts[1:] > stops[:-1]
    first = np.concatenate([np.ones(min(len(starts), 1), dtype=bool), apart])
    last = np.concatenate([apart, np.ones(min(len(starts), 1), dtype=bool)])
    return Gti(starts[first], stops[last])


def good_time(gti: Gti, edges: ArrayLike) -> Floats:
    """Good time inside each bin.

    Parameters
    ----------
    gti : Gti
        Good-time intervals.
    edges : array_like, shape (n + 1,)
        Bin edges, s, increasing.

    Returns
    -------
    ndarray, shape (n,)
        Overlap of each bin with the good times, s.
    """
    bins = np.asarray(edges, dtype=np.float64)
    left, right = bins[:-1], bins[1:]
    overlap = np.zeros(len(left))
    first = np.searchsorted(right, gti.start, side="right")
    last = np.searchsorted(left, gti.stop, side="left")
    for start, stop, i, j in zip(gti.start, gti.stop, first, last, strict=True):
        overlap[i:j] += np.minimum(right[i:j], stop) - np.maximum(left[i:j], start)
    return overlap


def ccd_of(header: Any) -> int | None:
    """The CCD that a GTI extension belongs to, None where it serves all chips."""
    ccd = header.get("CCD_ID")
    if isinstance(ccd, int):
        return ccd
    numbered = re.fullmatch(
        r"GTI(\d+)", str(header.get("HDUNAME", header.get("EXTNAME", ""))).strip().upper()
    )
    return int(numbered[1]) if numbered else None


def is_gti(hdu: Any) -> bool:
    """Whether an astropy HDU holds good-time intervals."""
    return hdu.name.upper().startswith("GTI") and hasattr(hdu, "columns")


def read_gtis(hdus: Iterable[Any]) -> dict[int, Gti]:
    """Good times of the GTI extensions of a file.

    Parameters
    ----------
    hdus : iterable of astropy HDUs
        All or some extensions of a file.

    Returns
    -------
    dict
        By CCD number, in the order of the file (the aimpoint chip comes first); an extension that
        serves all chips (HRC) by its EXTVER.

    Raises
    ------
    DataError
        A GTI extension has no START or STOP, times that are no numbers, or its chip twice.
    """
    gtis: dict[int, Gti] = {}
    for hdu in filter(is_gti, hdus):
        ccd = ccd_of(hdu.header)
        key = hdu.ver if ccd is None else ccd
        if key in gtis:
            raise DataError(f"two GTI extensions for chip {key}")
        gtis[key] = make_gti(_times(hdu, "START"), _times(hdu, "STOP"))
    return gtis


def _times(hdu: Any, column: str) -> Floats:
    names = {name.upper(): name for name in hdu.columns.names}
    if column not in names:
        raise DataError(f"extension {hdu.name} has no column {column}")
    times = np.asarray(hdu.data[names[column]], dtype=np.float64) if hdu.data is not None else np.empty(0)
    if not np.all(np.isfinite(times)):
        raise DataError(f"extension {hdu.name}: {column} holds values that are no times")
    return times
