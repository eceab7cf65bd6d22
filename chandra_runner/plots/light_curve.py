"""Plots of light curves: which bins were kept, which were cut, and the limits between them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chandra_runner.fits.gti import Bools, Gti
from chandra_runner.native.flares import FlareFilterResult
from chandra_runner.native.light_curve import LightCurve

_KEPT, _CUT, _GOOD, _LIMIT = "#1f6fb4", "#d4572a", "#e4f0e0", "#555555"
_STEEP = 20
"""Rates higher than the upper limit by this factor are drawn on a logarithmic axis."""
_CROWD = 2000
"""Largest number of bins for which error bars are drawn; more would cover each other."""


@dataclass(frozen=True, kw_only=True)
class LightCurveCaption:
    """Text around the plot of a light curve.

    Parameters
    ----------
    title : str
        Observation and target.
    subtitle : str
        Band, bins, method, and how much was kept.
    start : str
        Start of the time axis, e.g. the date of the first bin.
    """

    title: str
    subtitle: str
    start: str


def plot_light_curve(
    path: Path, curve: LightCurve, result: FlareFilterResult, good_time: Gti, caption: LightCurveCaption
) -> None:
    """Draw a light curve with its limits and good times, as PNG.

    The same input gives the same bytes, whatever the user's matplotlib settings are.

    Parameters
    ----------
    path : Path
        File to write.
    curve : LightCurve
        The light curve.
    result : FlareFilterResult
        The bins that were kept, and the limits.
    good_time : Gti
        The good times that are left.
    caption : LightCurveCaption
        Text around the plot.
    """
    with style.context("default"):
        figure = Figure(figsize=(10, 4.6), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        axes, side = figure.subplots(1, 2, sharey=True, width_ratios=(6, 1))
        _shade(axes, good_time, curve.time_min[0])
        _draw_bins(axes, curve, result)
        _draw_histogram(side, curve, result)
        for each in (axes, side):
            _draw_limits(each, result)
        _set_scale(axes, curve, result)
        # The name of a target may contain a $, which does not begin a formula.
        axes.set_xlabel(f"Time since {caption.start} (ks)", parse_math=False)
        axes.set_ylabel("Rate (count/s)")
        figure.suptitle(caption.title, fontsize=13, parse_math=False)
        axes.set_title(caption.subtitle, fontsize=9, loc="left", parse_math=False)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)
        figure.savefig(path, format="png", metadata={"Software": None})


def _draw_bins(axes: Any, curve: LightCurve, result: FlareFilterResult) -> None:
    start, exposed = curve.time_min[0], curve.exposure > 0
    kilo = (curve.time - start) / 1e3
    half = (curve.time_max - curve.time_min) / 2e3
    bars = len(kilo) <= _CROWD
    drawn: list[tuple[str, str, str, Bools]] = [
        ("kept", _KEPT, "o", exposed & result.good),
        ("cut", _CUT, "s", exposed & ~result.good),
    ]
    for label, color, marker, chosen in drawn:
        axes.errorbar(
            kilo[chosen],
            curve.rate[chosen],
            yerr=curve.rate_error[chosen] if bars else None,
            xerr=half[chosen] if bars else None,
            fmt=marker,
            color=color,
            markersize=3 if bars else 1,
            linewidth=0.8,
            label=f"{label}: {chosen.sum()} bins",
        )
    axes.set_xlim(0, (curve.time_max[-1] - start) / 1e3)


def _shade(axes: Any, gti: Gti, start: float) -> None:
    label = "good times"
    for first, last in zip(gti.start, gti.stop, strict=True):
        axes.axvspan((first - start) / 1e3, (last - start) / 1e3, color=_GOOD, linewidth=0, label=label)
        label = "_"  # only the first interval has an entry in the legend


def _draw_limits(axes: Any, result: FlareFilterResult) -> None:
    axes.axhline(result.mean_rate, color=_LIMIT, linewidth=1, label="mean of the quiet bins")
    for limit, label in ((result.min_rate, "limits"), (result.max_rate, "_")):
        axes.axhline(limit, color=_LIMIT, linewidth=1, linestyle="--", label=label)


def _draw_histogram(axes: Any, curve: LightCurve, result: FlareFilterResult) -> None:
    exposed = curve.exposure > 0
    edges = np.histogram_bin_edges(curve.rate[exposed], bins=min(40, 5 + int(exposed.sum()) // 5))
    rates = [curve.rate[exposed & result.good], curve.rate[exposed & ~result.good]]
    axes.hist(rates, bins=edges, color=[_KEPT, _CUT], orientation="horizontal", stacked=True)
    axes.set_xlabel("Bins")


def _set_scale(axes: Any, curve: LightCurve, result: FlareFilterResult) -> None:
    some = curve.rate[curve.rate > 0]
    if some.max() > _STEEP * result.max_rate:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
