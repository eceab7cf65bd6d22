"""Finding the times without background flares in a light curve: the two methods of CIAO's deflare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.errors import DataError
from chandra_runner.fits.event_header import gti_hdu
from chandra_runner.fits.gti import Bools, Floats, Gti, make_gti
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
        Mean rate of the bins between the limits, count/s.
    """

    good: Bools
    gti: Gti
    min_rate: float
    max_rate: float
    mean_rate: float


def clean_sigma(
    time_min: Floats, time_max: Floats, rate: Floats, *, allowed_sigma: float, min_length: int
) -> FlareFilterResult:
    """Drop rates until all are within some standard deviations of their mean (``method=sigma``).

    Parameters
    ----------
    time_min, time_max : ndarray, shape (n,)
        Start and end of each bin, s; bins follow each other in time.
    rate : ndarray, shape (n,)
        Count rate, count/s. Bins of rate 0 are ignored.
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
    >>> rate = np.ones(30)
    >>> rate[10:12] = 8
    >>> result = clean_sigma(edges[:-1], edges[1:], rate, allowed_sigma=3, min_length=3)
    >>> result.gti.start.tolist(), result.gti.stop.tolist()
    ([0.0, 2400.0], [2000.0, 6000.0])
    """
    kept = _with_rate(rate)
    # Bins that were dropped never return, so this ends; mean and limits are those of the last round.
    while True:
        mean, width = float(np.mean(rate[kept])), allowed_sigma * float(np.std(rate[kept]))
        inside = kept & (np.abs(rate - mean) <= width)
        if not inside.any():  # possible with less than one standard deviation
            raise NoGoodTime(f"no bin is within {allowed_sigma:g} standard deviations of the mean")
        if np.array_equal(inside, kept):
            break
        kept = inside
    first, last = _consecutive_runs(kept)
    long = last - first + 1 >= min_length
    if not long.any():
        raise NoGoodTime(f"there are no periods which pass the minlength ({min_length}) check")
    return _result(time_min, time_max, first[long], last[long], (mean - width, mean + width), mean)


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
        Count rate, count/s. Bins of rate 0 are not good.
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
        Least fraction of the bins that must be left.

    Raises
    ------
    NoGoodTime
        No bin has a rate, or fewer than `minfrac` of them are between the limits.
    DataError
        There are fewer than two bins, or the quiet level cannot be determined.
    """
    some = _with_rate(rate)
    # As in CIAO, one Poisson error serves all bins: that of a fully exposed one.
    longest = float(np.max(exposure))
    level = mean if mean is not None else _quiet_level(rate, some, longest, allowed_sigma)
    if stddev is None:
        low, high = level / scale, level * scale
    else:
        low, high = (level + sign * stddev * np.sqrt(level / longest) for sign in (-1, 1))
    # Strictly inside the limits, as in CIAO.
    good = some & (rate > low) & (rate < high)
    least = minfrac * np.count_nonzero(some)
    if not good.any() or np.count_nonzero(good) < least:
        raise NoGoodTime(
            f"only {np.count_nonzero(good)} of {np.count_nonzero(some)} bins are between {low:g} and "
            f"{high:g} ct/s, less than the fraction minfrac = {minfrac:g}"
        )
    return _result(
        time_min, time_max, *_consecutive_runs(good), (float(low), float(high)), float(np.mean(rate[good]))
    )


def _consecutive_runs(chosen: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the indices of the first and of the last element of each run of True."""
    steps = np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8))
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1


def most_dropped(nbins: int, allowed_sigma: float) -> int:
    """Return how many of `nbins` bins `clean_sigma` can drop at most if they have the same high rate.

    A fraction f of bins with one high rate is ``sqrt((1 - f) / f)`` standard deviations from the mean of all
    bins, however high the rate is.
    """
    return int(nbins / (1 + allowed_sigma**2))


def write_gti(path: Path, gti: Gti, header: fits.Header, history: Iterable[str]) -> None:
    """Write good times as deflare does: one GTI extension, for all chips.

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
    table = gti_hdu(gti, None, header)
    table.header["CONTENT"] = "GTI"
    add_provenance(table.header, history)
    write_fits(path, [fits.PrimaryHDU(), table])


def _with_rate(rate: Floats) -> Bools:
    """Return whether bins have a rate above 0; raise an error if there are none, or too few bins."""
    if len(rate) < 2:
        raise DataError(
            f"the light curve must have at least two bins, but has {len(rate)}", "make time_bin_size shorter"
        )
    # As in CIAO, bins of rate 0 are ignored: most of them were not exposed.
    some: Bools = rate > 0
    if not some.any():
        raise NoGoodTime("No rows with a count rate > 0")
    return some


def _quiet_level(rate: Floats, some: Bools, longest: float, allowed_sigma: float) -> float:
    """Return the mean rate of the bins near the mean rate.

    As in CIAO, bins of rate 0 are left out of the first mean, but not of the second.
    """
    mean = float(np.mean(rate[some]))
    width = allowed_sigma * float(np.sqrt(mean / longest))
    near = np.abs(rate - mean) < width
    if not near.any():
        raise DataError(
            "Unable to calculate an initial GTI mean rate level via sigma clipping; "
            f"the unclipped count rate is {mean:g} +/- {width:g} ct/s",
            "give the quiet rate as mean, or use method: sigma",
        )
    return float(np.mean(rate[near]))


def _result(
    time_min: Floats,
    time_max: Floats,
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    limits: tuple[float, float],
    mean: float,
) -> FlareFilterResult:
    good = np.zeros(len(time_min), dtype=bool)
    for i, j in zip(first, last, strict=True):
        good[i : j + 1] = True
    return FlareFilterResult(
        good=good,
        gti=make_gti(time_min[first], time_max[last]),
        min_rate=limits[0],
        max_rate=limits[1],
        mean_rate=mean,
    )
