"""Finding the quiet part of a light curve: the two methods of CIAO's deflare."""

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
    """Nothing of the light curve is left. Messages are those of CIAO where it has one."""


@dataclass(frozen=True, eq=False)
class FlareFilterResult:
    """What a method leaves of a light curve.

    Parameters
    ----------
    good : ndarray of bool, shape (n,)
        Which bins are kept.
    gti : Gti
        Their times: from the start of the first to the end of the last bin of each run.
    min_rate, max_rate : float
        Limits between which a rate is taken for quiet, count/s.
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
    """Clip rates until all are within some standard deviations of their mean (``method=sigma``).

    Parameters
    ----------
    time_min, time_max : ndarray, shape (n,)
        Start and end of each bin, s; bins follow each other in time.
    rate : ndarray, shape (n,)
        Count rate, count/s. Only bins with a rate above 0 take part.
    allowed_sigma : float
        Largest distance from the mean, in (population) standard deviations.
    min_length : int
        Shorter runs of consecutive bins are dropped at the end.

    Raises
    ------
    NoGoodTime
        No bin has a rate, none is within the limits, or no run is long enough.
    DataError
        There are fewer than two bins.
    """
    kept = _with_rate(rate)
    while True:
        mean, width = float(np.mean(rate[kept])), allowed_sigma * float(np.std(rate[kept]))
        inside = kept & (np.abs(rate - mean) <= width)
        if not inside.any():  # with less than one standard deviation
            raise NoGoodTime(f"no bin is within {allowed_sigma:g} standard deviations of the mean")
        if np.array_equal(inside, kept):
            break
        kept = inside
    first, last = runs(kept)
    long = last - first + 1 >= min_length
    if not long.any():
        raise NoGoodTime(f"there are no periods which pass the minlength ({min_length}) check")
    return _quiet(time_min, time_max, first[long], last[long], (mean - width, mean + width), mean)


def clean_mean(
    time_min: Floats,
    time_max: Floats,
    rate: Floats,
    exposure: Floats,
    *,
    clip: float,
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
        Count rate, count/s. Only bins with a rate above 0 take part.
    exposure : ndarray, shape (n,)
        Live time of each bin, s.
    clip : float
        How far from the mean of all bins those may be that make up the quiet level, in Poisson standard
        deviations of a fully exposed bin.
    mean : float or None
        The quiet level, count/s, where it is known.
    stddev : float or None
        Limits are that many Poisson standard deviations around the quiet level; None: `scale` is used.
    scale : float
        Limits are the quiet level divided by and multiplied with it.
    minfrac : float
        Fraction of the bins that must be left.

    Raises
    ------
    NoGoodTime
        No bin has a rate, or fewer than `minfrac` of them are between the limits.
    DataError
        There are fewer than two bins, or no quiet level can be found.
    """
    some = _with_rate(rate)
    longest = float(np.max(exposure))
    level = mean if mean is not None else _quiet_level(rate, some, longest, clip)
    if stddev is None:
        low, high = level / scale, level * scale
    else:
        low, high = (level + sign * stddev * np.sqrt(level / longest) for sign in (-1, 1))
    good = some & (rate > low) & (rate < high)
    wanted = minfrac * np.count_nonzero(some)
    if not good.any() or np.count_nonzero(good) < wanted:
        raise NoGoodTime(
            f"only {np.count_nonzero(good)} of {np.count_nonzero(some)} bins are between {low:g} and "
            f"{high:g} ct/s, less than the fraction minfrac = {minfrac:g}"
        )
    return _quiet(time_min, time_max, *runs(good), (float(low), float(high)), float(np.mean(rate[good])))


def runs(chosen: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Index of the first and of the last element of each run of True."""
    steps = np.diff(np.concatenate([[False], chosen, [False]]).astype(np.int8))
    return np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1


def most_dropped(nbins: int, allowed_sigma: float) -> int:
    """How many of `nbins` equally high bins `clean_sigma` can tell from the rest, however high they are.

    A fraction f of high bins is ``sqrt((1 - f) / f)`` standard deviations from the mean of all.
    """
    return int(nbins / (1 + allowed_sigma**2))


def write_gti(path: Path, gti: Gti, header: fits.Header, history: Iterable[str]) -> None:
    """Write good times as deflare does: one GTI extension, which serves all chips.

    Parameters
    ----------
    path : Path
        Must not exist.
    gti : Gti
        The good times.
    header : Header
        Further keywords.
    history : iterable of str
        What was done, a line each.
    """
    table = gti_hdu(gti, None, header)
    table.header["CONTENT"] = "GTI"
    add_provenance(table.header, history)
    write_fits(path, [fits.PrimaryHDU(), table])


def _with_rate(rate: Floats) -> Bools:
    if len(rate) < 2:
        raise DataError(f"the light curve has {len(rate)} bin, two are needed", "make time_bin_size shorter")
    some: Bools = rate > 0
    if not some.any():
        raise NoGoodTime("No rows with a count rate > 0")
    return some


def _quiet_level(rate: Floats, some: Bools, longest: float, clip: float) -> float:
    """Mean rate of the bins, also those of rate 0, that are near the mean of those with a rate."""
    mean = float(np.mean(rate[some]))
    width = clip * float(np.sqrt(mean / longest))
    near = np.abs(rate - mean) < width
    if not near.any():
        raise DataError(
            "Unable to calculate an initial GTI mean rate level via sigma clipping; "
            f"the unclipped count rate is {mean:g} +/- {width:g} ct/s",
            "give the quiet rate as mean, or use method: sigma",
        )
    return float(np.mean(rate[near]))


def _quiet(
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
    return FlareFilterResult(good, make_gti(time_min[first], time_max[last]), *limits, mean)
