"""Finding the times without background flares in a light curve: the two methods of CIAO's deflare."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.errors import DataError
from chandra_runner.fits.event_header import filter_hdu, gti_hdu
from chandra_runner.fits.gti import Bools, Floats, GoodTimes, Gti, make_gti
from chandra_runner.fits.writer import add_provenance, write_fits


class NoGoodTime(DataError):
    """Nothing of the light curve is left. The messages are those of CIAO if it has one for the case."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FlareFilterResult:
    """What a method leaves of a light curve.

    Parameters
    ----------
    good : ndarray of bool, shape (n,)
        Whether each bin is kept.
    gti : Gti
        Times of the kept bins: from the start of the first to the end of the last bin of each run.
    min_rate, max_rate : float
        Limits of the rates that count as quiet, count/s.
    mean_rate : float
        Mean rate of the bins from which the limits come (``sigma``), or that are kept (``clean``), count/s.
    """

    good: Bools
    gti: Gti
    min_rate: float
    max_rate: float
    mean_rate: float


@dataclass(frozen=True)
class _Limits:
    """Rates between which a light curve counts as quiet, count/s."""

    low: float
    high: float

    def contain(self, rate: Floats) -> Bools:
        """Return whether each rate is strictly between the limits, as in CIAO's row filters."""
        inside: Bools = (rate > self.low) & (rate < self.high)
        return inside


def clean_sigma(
    time_min: Floats, time_max: Floats, rate: Floats, *, allowed_sigma: float, min_length: int
) -> FlareFilterResult:
    """Drop rates until all are within some standard deviations of their mean (``method=sigma``).

    As in CIAO (``lc_sigma_clip`` of its contributed scripts), if no run of bins is dropped for its length,
    the good bins are all those strictly between the limits, also those of rate 0 if the lower limit is
    negative. Otherwise they are the long runs of bins that were not clipped.

    Parameters
    ----------
    time_min, time_max : ndarray, shape (n,)
        Start and end of each bin, s; bins follow each other in time.
    rate : ndarray, shape (n,)
        Count rate, count/s. Mean and standard deviation are those of rates above 0.
    allowed_sigma : float
        Largest distance from the mean, in (population) standard deviations.
    min_length : int
        Least number of consecutive bins; shorter runs are dropped at the end.

    Raises
    ------
    NoGoodTime
        No bin has a rate, none is within the limits, or no run is long enough.
    DataError
        There are fewer than two bins.

    Examples
    --------
    >>> edges = 200.0 * np.arange(31)
    >>> rate = np.tile([0.9, 1.1], 15)
    >>> rate[10:12] = 8
    >>> result = clean_sigma(edges[:-1], edges[1:], rate, allowed_sigma=3, min_length=3)
    >>> result.gti.start.tolist(), result.gti.stop.tolist()
    ([0.0, 2400.0], [2000.0, 6000.0])
    """
    kept, limits = _sigma_clip(rate, _with_rate(rate), allowed_sigma)
    good = _long_runs(kept, min_length)
    if not good.any():
        raise NoGoodTime(f"there are no periods which pass the minlength ({min_length}) check")
    if np.array_equal(good, kept):
        good = limits.contain(rate)
    if not good.any():  # as with a constant rate, which both limits equal
        raise NoGoodTime(f"no bin is strictly between {limits.low:g} and {limits.high:g} ct/s")
    return _result(time_min, time_max, good, limits, float(np.mean(rate[kept])))


def clean_mean(
    time_min: Floats,
    time_max: Floats,
    rate: Floats,
    exposure: Floats,
    *,
    allowed_sigma: float,
    mean: float | None,
    stddev: float | None,
    scale: float,
    minfrac: float,
) -> FlareFilterResult:
    """Keep the rates around the quiet level (``method=clean``).

    Parameters
    ----------
    time_min, time_max : ndarray, shape (n,)
        Start and end of each bin, s.
    rate : ndarray, shape (n,)
        Count rate, count/s. Bins of rate 0 are good if they are between the limits, as in CIAO.
    exposure : ndarray, shape (n,)
        Live time of each bin, s.
    allowed_sigma : float
        Largest distance from the mean of all bins at which a bin is used for the quiet level, in Poisson
        standard deviations of a fully exposed bin.
    mean : float or None
        The quiet level, count/s; None to determine it.
    stddev : float or None
        Distance of the limits from the quiet level, in Poisson standard deviations; None to use `scale`.
    scale : float
        Factor by which the quiet level is divided and multiplied to give the limits.
    minfrac : float
        Least number of bins that must be left, as a fraction of those with a rate above 0.

    Raises
    ------
    NoGoodTime
        No bin has a rate, or too few are strictly between the limits.
    DataError
        There are fewer than two bins, or the quiet level cannot be determined.
    """
    some = _with_rate(rate)
    # As in CIAO, one Poisson error serves all bins: that of a fully exposed one.
    longest = float(np.max(exposure))
    level = mean if mean is not None else _quiet_level(rate, some, longest, allowed_sigma)
    if stddev is None:
        limits = _Limits(level / scale, level * scale)
    else:
        limits = _limits_around(level, stddev * math.sqrt(level / longest))
    good = limits.contain(rate)
    # As in CIAO, bins of rate 0 count as good if they are between the limits, but not in the total.
    total = np.count_nonzero(some)
    if not good.any() or np.count_nonzero(good) / total < minfrac:
        raise NoGoodTime(
            f"only {np.count_nonzero(good)} of {total} bins are between {limits.low:g} and "
            f"{limits.high:g} ct/s, less than the fraction minfrac = {minfrac:g}"
        )
    return _result(time_min, time_max, good, limits, float(np.mean(rate[good])))


def most_dropped(nbins: int, allowed_sigma: float) -> int:
    """Return how many of `nbins` bins `clean_sigma` can drop at most if they have the same high rate.

    A fraction f of bins with one high rate is ``sqrt((1 - f) / f)`` standard deviations from the mean of all
    bins, however high the rate is.
    """
    return int(nbins / (1 + allowed_sigma**2))


def write_gti(path: Path, gti: Gti, header: fits.Header, history: Iterable[str]) -> None:
    """Write good times as deflare does: one GTI extension for all chips, after an empty FILTER table.

    Parameters
    ----------
    path : Path
        The file, which must not exist.
    gti : Gti
        The good times.
    header : Header
        Additional keywords.
    history : iterable of str
        What was done, one line each.
    """
    history = tuple(history)
    table = gti_hdu(gti, None, header)
    table.header["CONTENT"] = "GTI"
    add_provenance(table.header, history)
    filters = filter_hdu(GoodTimes({1: gti}, shared=True), history)
    write_fits(path, [fits.PrimaryHDU(), filters, table])


def _with_rate(rate: Floats) -> Bools:
    """Return whether bins have a rate above 0; raise an error if there are none, or too few bins."""
    if len(rate) < 2:
        raise DataError(
            f"the light curve must have at least two bins, but has {len(rate)}", "make time_bin_size shorter"
        )
    # As in CIAO, means do not include bins of rate 0: most of them were not exposed.
    some: Bools = rate > 0
    if not some.any():
        raise NoGoodTime("No rows with a count rate > 0")
    return some


def _sigma_clip(rate: Floats, kept: Bools, allowed_sigma: float) -> tuple[Bools, _Limits]:
    """Drop bins until all are within the limits of those that are left; return these and the limits."""
    while True:
        mean, std = float(np.mean(rate[kept])), float(np.std(rate[kept]))
        # Divided as in CIAO, so that bins at the limit are rounded alike. Bins of equal rate are all kept:
        # 0 / 0 is not greater than anything.
        with np.errstate(divide="ignore", invalid="ignore"):
            outside = np.abs((rate - mean) / std) > allowed_sigma
        if not (kept & outside).any():
            return kept, _limits_around(mean, allowed_sigma * std)
        kept = kept & ~outside
        if not kept.any():  # possible with less than one standard deviation
            raise NoGoodTime(f"no bin is within {allowed_sigma:g} standard deviations of the mean")


def _quiet_level(rate: Floats, some: Bools, longest: float, allowed_sigma: float) -> float:
    """Return the mean rate of the bins near the mean rate.

    As in CIAO, bins of rate 0 are left out of the first mean, but not of the second.
    """
    mean = float(np.mean(rate[some]))
    width = allowed_sigma * math.sqrt(mean / longest)
    near = _limits_around(mean, width).contain(rate)
    if not near.any():
        raise DataError(
            "Unable to calculate an initial GTI mean rate level via sigma clipping; "
            f"the unclipped count rate is {mean:g} +/- {width:g} ct/s",
            "give the quiet rate as mean, or use method: sigma",
        )
    return float(np.mean(rate[near]))


def _limits_around(mean: float, width: float) -> _Limits:
    return _Limits(mean - width, mean + width)


def _long_runs(chosen: Bools, min_length: int) -> Bools:
    """Return which bins are in runs of at least `min_length` chosen ones."""
    long = np.zeros(len(chosen), dtype=bool)
    for first, last in zip(*_consecutive_runs(chosen), strict=True):
        long[first : last + 1] = last - first + 1 >= min_length
    return long


def _consecutive_runs(chosen: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the indices of the first and of the last element of each run of True."""
    steps = np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8))
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1


def _result(
    time_min: Floats, time_max: Floats, good: Bools, limits: _Limits, mean_rate: float
) -> FlareFilterResult:
    first, last = _consecutive_runs(good)
    return FlareFilterResult(
        good=good,
        gti=make_gti(time_min[first], time_max[last]),
        min_rate=limits.low,
        max_rate=limits.high,
        mean_rate=mean_rate,
    )
