"""Light curves as CIAO's ``dmextract opt=ltc1`` makes them: counts and live time in equal bins."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.errors import DataError
from chandra_runner.fits.carried_keywords import LIGHT_CURVE_KEYWORDS, carried_keywords
from chandra_runner.fits.event_file import EventFile, number
from chandra_runner.fits.event_header import gti_extensions, set_exposure
from chandra_runner.fits.gti import Floats, good_time
from chandra_runner.fits.reader import read_hdus
from chandra_runner.fits.subspace import restrict, subspace_of
from chandra_runner.fits.writer import add_provenance, write_fits

Counts = NDArray[np.int64]
Band = tuple[float, float]
"""Energies in eV: ``lo <= energy < hi``."""

MAX_BINS = 1_000_000
"""Largest number of bins; more are a mistake, as the longest observations last 200 ks."""


@dataclass(frozen=True, eq=False, kw_only=True)
class LightCurve:
    """Counts in consecutive time bins.

    Parameters
    ----------
    time_min, time_max : ndarray, shape (n,)
        Start and end of each bin, mission time, s.
    counts : ndarray of int, shape (n,)
        Number of events with ``time_min <= time < time_max``.
    exposure : ndarray, shape (n,)
        Live time inside each bin, s.
    bin_size : float
        Length of a bin, s.
    area : float
        Area of the sky that was observed, square pixels; nan if unknown.
    """

    time_min: Floats
    time_max: Floats
    counts: Counts
    exposure: Floats
    bin_size: float
    area: float

    @property
    def time(self) -> Floats:
        """Center of each bin, s."""
        return (self.time_min + self.time_max) / 2

    @property
    def counts_error(self) -> Floats:
        """Poisson error of the counts (square root)."""
        return np.sqrt(self.counts.astype(np.float64))

    @property
    def rate(self) -> Floats:
        """Counts divided by live time, count/s; 0 in bins without live time."""
        return self._by_exposure(self.counts.astype(np.float64))

    @property
    def rate_error(self) -> Floats:
        """Poisson error of the rate, count/s; 0 in bins without live time."""
        return self._by_exposure(self.counts_error)

    def _by_exposure(self, values: Floats) -> Floats:
        rate = np.zeros(len(values))
        np.divide(values, self.exposure, out=rate, where=self.exposure > 0)
        return rate


def light_curve(events: EventFile, bin_size: float, band: Band | None = None) -> LightCurve:
    """Make a light curve of all events in a file, as dmextract does.

    Bins begin at TSTART, and the last one may end after TSTOP. The exposure of a bin is its overlap with the
    first GTI extension (that of the aimpoint chip) times DTCOR, whichever chips the events are on.

    Parameters
    ----------
    events : EventFile
        Open event list.
    bin_size : float
        Length of a bin, s.
    band : (float, float), optional
        Energies of the events that are counted, eV; None to count all.

    Raises
    ------
    DataError
        A column or keyword is missing, or there would be no bins, or too many.
    """
    # Exposure is only that of the aimpoint chip, although events of all chips are counted: dmextract does it
    # so, and the good times of the chips usually differ by seconds only.
    edges = time_edges(events.tstart, events.tstop, bin_size)
    counts = count_events(events, edges, band)
    exposure = good_time(events.good_times.first, edges) * events.dtcor
    return LightCurve(
        time_min=edges[:-1],
        time_max=edges[1:],
        counts=counts,
        exposure=exposure,
        bin_size=bin_size,
        area=_area(events.header),
    )


def time_edges(start: float, stop: float, bin_size: float) -> Floats:
    """Return the edges of as many bins as are needed from `start` to `stop`, shape (n + 1,), s."""
    # Whole bins only, so the last one may end after `stop`.
    bins = math.ceil((stop - start) / bin_size)
    if not 0 < bins <= MAX_BINS:
        raise DataError(
            f"{stop - start:g} s from TSTART to TSTOP with bins of {bin_size:g} s would be {bins} bins",
            "check time_bin_size and the header of the event file",
        )
    return np.asarray(start + bin_size * np.arange(bins + 1), dtype=np.float64)


def count_events(events: EventFile, edges: Floats, band: Band | None) -> Counts:
    """Count the events in each bin.

    Parameters
    ----------
    events : EventFile
        Open event list.
    edges : ndarray, shape (n + 1,)
        Edges of the bins, s, increasing.
    band : (float, float), optional
        Energies of the events that are counted, eV; None to count all.
    """
    events.require("time", *(("energy",) if band else ()))
    counts = np.zeros(len(edges) - 1, dtype=np.int64)
    for chunk in events.chunks():
        time = chunk["time"].astype(np.float64)
        chosen = (time >= edges[0]) & (time < edges[-1])
        if band:
            energy = chunk["energy"].astype(np.float64)
            chosen &= (energy >= band[0]) & (energy < band[1])
        # From the edges themselves: the difference of two edges is only good to 1e-8 s, which over many short
        # bins adds up to whole bins.
        index = np.searchsorted(edges, time[chosen], side="right") - 1
        counts += np.bincount(index, minlength=len(counts))
    return counts


def write_light_curve(
    path: Path, curve: LightCurve, events: EventFile, band: Band | None, history: Iterable[str]
) -> None:
    """Write a light curve as dmextract does, followed by the good times of the event list.

    Parameters
    ----------
    path : Path
        The file, which must not exist.
    curve : LightCurve
        Light curve to write.
    events : EventFile
        Event list from which it was made.
    band : (float, float), optional
        Energies of its events, eV; None for all.
    history : iterable of str
        What was done, one line each.
    """
    history = tuple(history)
    carried = carried_keywords(events.header, LIGHT_CURVE_KEYWORDS)
    table = fits.BinTableHDU.from_columns(_columns(curve), header=carried, name="LIGHTCURVE")
    header = table.header
    header["HDUNAME"] = ("LIGHTCURVE", "ASCDM block name")
    header.update(
        CONTENT="LIGHTCURVE", HDUCLASS="OGIP", HDUCLAS1="LIGHTCURVE", HDUCLAS2="TOTAL", HDUCLAS3="RATE"
    )
    header["TIMEDEL"] = (curve.bin_size, "[s] length of a bin")
    header["TIMEPIXR"] = (0.5, "TIME is the middle of the bin")
    header["TOTCTS"] = (int(curve.counts.sum()), "[count] Total counts")
    set_exposure(header, events.good_times, events.dtcor)
    header.extend(_subspace(events.header))
    if band:
        restrict(header, "energy", [band], "E", "eV")
    add_provenance(header, history)
    gtis = gti_extensions(events, events.good_times, events.dtcor, history)
    write_fits(path, [fits.PrimaryHDU(), table, *gtis])


def read_light_curve(path: Path) -> LightCurve:
    """Read a light curve that dmextract or `write_light_curve` wrote.

    Raises
    ------
    DataError
        The file is damaged, or a column or TIMEDEL is missing.
    """
    table = next((hdu for hdu in read_hdus(path) if hdu.name == "LIGHTCURVE"), None)
    if table is None or table.data is None:
        raise DataError(f"{path.name} has no table LIGHTCURVE")
    needed = ("TIME_MIN", "TIME_MAX", "COUNTS", "EXPOSURE")
    missing = [name for name in needed if name not in table.columns.names]
    if missing:
        raise DataError(f"{path.name}: LIGHTCURVE has no column {', '.join(missing)}")
    time_min, time_max, counts, exposure = (np.asarray(table.data[name], dtype=np.float64) for name in needed)
    area = float(table.data["AREA"][0]) if "AREA" in table.columns.names and len(table.data) else math.nan
    return LightCurve(
        time_min=time_min,
        time_max=time_max,
        counts=counts.astype(np.int64),
        exposure=exposure,
        bin_size=number(table.header, "TIMEDEL", path),
        area=area,
    )


def _subspace(events: fits.Header) -> fits.Header:
    """Return the data subspace of the events; the axis of time has the name of the light curve's column."""
    subspace = subspace_of(events)
    for key, value in subspace.items():
        if key.startswith("DSTYP") and str(value).strip().lower() == "time":
            subspace[key] = "TIME"
    return subspace


def _columns(curve: LightCurve) -> list[fits.Column]:
    bins = len(curve.counts)
    return [
        fits.Column("TIME_BIN", "1J", unit="channel", array=np.arange(1, bins + 1)),
        fits.Column("TIME_MIN", "1D", unit="s", array=curve.time_min),
        fits.Column("TIME", "1D", unit="s", array=curve.time),
        fits.Column("TIME_MAX", "1D", unit="s", array=curve.time_max),
        fits.Column("COUNTS", "1J", unit="count", array=curve.counts),
        fits.Column("STAT_ERR", "1D", unit="count", array=curve.counts_error),
        fits.Column("AREA", "1D", unit="pixel**2", array=np.full(bins, curve.area)),
        fits.Column("EXPOSURE", "1D", unit="s", array=curve.exposure),
        fits.Column("COUNT_RATE", "1D", unit="count/s", array=curve.rate),
        fits.Column("COUNT_RATE_ERR", "1D", unit="count/s", array=curve.rate_error),
    ]


def _area(header: fits.Header) -> float:
    """Return the area of the sky plane from the limits of columns x and y, square pixels."""
    sides = {"x": math.nan, "y": math.nan}
    for n in range(1, int(header["TFIELDS"]) + 1):
        name = str(header.get(f"TTYPE{n}", "")).strip().lower()
        low, high = header.get(f"TLMIN{n}"), header.get(f"TLMAX{n}")
        if name in sides and isinstance(low, int | float) and isinstance(high, int | float):
            sides[name] = float(high - low)
    return sides["x"] * sides["y"]
