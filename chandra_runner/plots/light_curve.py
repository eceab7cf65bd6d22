"""The picture of a light curve: what was kept, what was cut, and why."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chandra_runner.fits.gti import Bools, Gti
from chandra_runner.native.flares import FlareFilterResult
from chandra_runner.native.light_curve import LightCurve

_KEPT, _CUT, _GOOD, _LIMIT = "#1f6fb4", "#d4572a", "#e4f0e0", "#555555"
_STEEP = 20
"""Flares that are this much higher than the upper limit need a logarithmic axis."""
_CROWD = 2000
"""Error bars of more bins than this would only be a blot."""


@dataclass(frozen=True)
class Caption:
    """What is written around a light curve.

    Parameters
    ----------
    title : str
        Observation and target.
    subtitle : str
        Band, bins, method, and how much was kept.
    start : str
        What the time axis begins with, e.g. the date of the first bin.
    """

    title: str
    subtitle: str
    start: str


def plot_light_curve(
    path: Path, curve: LightCurve, quiet: FlareFilterResult, good_time: Gti, caption: Caption
) -> None:
    """Draw a light curve with the limits and good times that were found in it, as PNG.

    The same input gives the same bytes, whatever the user's matplotlib settings are.

    Parameters
    ----------
    path : Path
        File to write.
    curve : LightCurve
        The light curve.
    quiet : FlareFilterResult
        What was kept of it.
    good_time : Gti
        Good times that are left.
    caption : Caption
        What is written around it.
    """
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with style.context("default"):
        figure = Figure(figsize=(10, 4.6), dpi=120, layout="constrained")
        FigureCanvasAgg(figure)
        axes, side = figure.subplots(1, 2, sharey=True, width_ratios=(6, 1))
        _shade(axes, good_time, curve.time_min[0])
        _draw_bins(axes, curve, quiet)
        _draw_histogram(side, curve, quiet)
        for each in (axes, side):
            _draw_limits(each, quiet)
        _set_scale(axes, curve, quiet)
        # A target's name may have a $ in it, which is no formula.
        axes.set_xlabel(f"Time since {caption.start} (ks)", parse_math=False)
        axes.set_ylabel("Rate (count/s)")
        figure.suptitle(caption.title, fontsize=13, parse_math=False)
        axes.set_title(caption.subtitle, fontsize=9, loc="left", parse_math=False)
        handles, labels = axes.get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=len(labels), fontsize=8)
        figure.savefig(path, format="png", metadata={"Software": None})


def _draw_bins(axes: Any, curve: LightCurve, quiet: FlareFilterResult) -> None:
    start, exposed = curve.time_min[0], curve.exposure > 0
    kilo = (curve.time - start) / 1e3
    half = (curve.time_max - curve.time_min) / 2e3
    bars = len(kilo) <= _CROWD
    drawn: list[tuple[str, str, str, Bools]] = [
        ("kept", _KEPT, "o", exposed & quiet.good),
        ("cut", _CUT, "s", exposed & ~quiet.good),
    ]
    for label, colour, marker, chosen in drawn:
        axes.errorbar(
            kilo[chosen],
            curve.rate[chosen],
            yerr=curve.rate_error[chosen] if bars else None,
            xerr=half[chosen] if bars else None,
            fmt=marker,
            color=colour,
            markersize=3 if bars else 1,
            linewidth=0.8,
            label=f"{label}: {chosen.sum()} bins",
        )
    axes.set_xlim(0, (curve.time_max[-1] - start) / 1e3)


def _shade(axes: Any, gti: Gti, start: float) -> None:
    label = "good times"
    for first, last in zip(gti.start, gti.stop, strict=True):
        axes.axvspan((first - start) / 1e3, (last - start) / 1e3, color=_GOOD, linewidth=0, label=label)
        label = "_"  # one entry in the legend serves all


def _draw_limits(axes: Any, quiet: FlareFilterResult) -> None:
    axes.axhline(quiet.mean_rate, color=_LIMIT, linewidth=1, label="mean of the quiet bins")
    for limit, label in ((quiet.min_rate, "limits"), (quiet.max_rate, "_")):
        axes.axhline(limit, color=_LIMIT, linewidth=1, linestyle="--", label=label)


def _draw_histogram(axes: Any, curve: LightCurve, quiet: FlareFilterResult) -> None:
    exposed = curve.exposure > 0
    edges = np.histogram_bin_edges(curve.rate[exposed], bins=min(40, 5 + int(exposed.sum()) // 5))
    rates = [curve.rate[exposed & quiet.good], curve.rate[exposed & ~quiet.good]]
    axes.hist(rates, bins=edges, color=[_KEPT, _CUT], orientation="horizontal", stacked=True)
    axes.set_xlabel("Bins")


def _set_scale(axes: Any, curve: LightCurve, quiet: FlareFilterResult) -> None:
    some = curve.rate[curve.rate > 0]
    if some.max() > _STEEP * quiet.max_rate:
        axes.set_yscale("log")
    else:
        axes.set_ylim(bottom=0)
