"""Plots of images with sky coordinates and a color bar."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from astropy.wcs import WCS
from matplotlib import colormaps, style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator
from scipy.ndimage import gaussian_filter

from chandra_runner.native.geometry import Array

_PIXELS = 600
"""Largest number of pixels along a side; larger images are averaged down, as matplotlib would drop pixels."""
_LONG = 5.8
_SHORT = 1.4
"""Length of the longer side of the drawn image, and least length of the other, inches."""
_DECADES = 5.0
"""Decades between the brightest pixel and the darkest color."""
_SMOOTHING = (1.0, 3.0)
"""Smallest and largest sigma of the Gaussian that smooths single counts, pixel."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True, kw_only=True)
class ImagePlot:
    """An image to draw, with its labels.

    Parameters
    ----------
    pixels : ndarray, shape (ny, nx)
        The image.
    seen : ndarray of bool, shape (ny, nx)
        Which pixels were exposed; the others stay empty, and may be nan.
    title : str
        Title of the plot.
    content, unit : str
        Label of the color bar: what the pixels are, and their unit.
    counted : bool
        Whether the image is made of single counts, which are smoothed to make sources visible.
    decades : float
        Decades between the brightest pixel and the darkest color.
    """

    pixels: Array
    seen: Array
    title: str
    content: str
    unit: str
    counted: bool = False
    decades: float = _DECADES


def plot_image(path: Path, header: fits.Header, plot: ImagePlot) -> None:
    """Draw an image as PNG, with a logarithmic scale.

    The same input gives the same bytes, whatever the user's matplotlib settings are: its default style is
    used, and the file does not contain the version of matplotlib.

    Parameters
    ----------
    path : Path
        File to write.
    header : Header
        Header of the image, with its celestial WCS.
    plot : ImagePlot
        The image and its labels.
    """
    factor = math.ceil(max(plot.pixels.shape) / _PIXELS)
    shown = _prepare(plot, factor)
    height, width = (max(_LONG * side / max(shown.shape), _SHORT) for side in shown.shape)
    size = (max(width + 3.0, 0.5 + 0.08 * len(plot.title)), height + 1.2)
    with style.context("default"):
        figure = Figure(figsize=size, dpi=110)
        FigureCanvasAgg(figure)
        left, bottom, width_, height_ = 1.1 / size[0], 0.7 / size[1], width / size[0], height / size[1]
        # Every factor-th pixel of the WCS is a pixel of the averaged image.
        projection = WCS(_celestial(header))[::factor, ::factor]
        axes = figure.add_axes((left, bottom, width_, height_), projection=projection)
        image = axes.imshow(shown, origin="lower", norm=_scale(shown, plot), cmap=_colors())
        beside = (left + width_ + 0.12 / size[0], bottom, 0.18 / size[0], height_)
        _draw_color_bar(image, figure.add_axes(beside), plot)
        figure.text(0.5, 1 - 0.35 / size[1], plot.title, fontsize=10, ha="center")
        _name_axes(axes, width, height)
        figure.savefig(path, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 4})


def _draw_color_bar(image: Any, axes: Any, plot: ImagePlot) -> None:
    """Draw the color bar. Its numbers are plain text: powers take longer to typeset than all the rest."""
    label = f"{plot.content} ({_unit(plot.unit)})" + (", smoothed" if plot.counted else "")
    bar = axes.figure.colorbar(image, cax=axes, label=label)
    # Less than two decades would have at most two ticks at powers of ten.
    few = math.log10(image.norm.vmax / image.norm.vmin) < 2
    bar.set_ticks(LogLocator(subs=(1, 2, 5) if few else (1,)))
    bar.formatter = FuncFormatter(lambda value, _: f"{value:g}")
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=8)


def _name_axes(axes: Any, width: float, height: float) -> None:
    names = ((0, "RA (ICRS)", width, "hms"), (1, "Dec (ICRS)", height, "°′″"))
    for axis, name, length, marks in names:
        coordinate = axes.coords[axis]
        coordinate.set_axislabel(name)
        coordinate.set_ticks(number=max(int(length * 0.9), 2))
        coordinate.set_separator(tuple(marks))
        coordinate.set_ticklabel(size=8, exclude_overlapping=True)


def _prepare(plot: ImagePlot, factor: int) -> Array:
    """Return the pixels to draw: averaged down, smoothed, and empty (nan) where nothing was exposed."""
    shown = _shrink(np.where(plot.seen, plot.pixels, 0.0), factor)
    seen = _shrink(plot.seen.astype(float), factor) >= 0.5
    if plot.counted and seen.any():
        # The fewer pixels have counts, the wider the Gaussian, so that sources stand out of single counts.
        lit = max(float(np.mean(shown[seen] > 0)), 1e-6)
        shown = gaussian_filter(shown, np.clip(0.35 / np.sqrt(lit), *_SMOOTHING), mode="constant")
    shown[~seen] = np.nan
    return shown


def _celestial(header: fits.Header) -> Any:
    """Return only the cards of the celestial WCS; astropy would warn about the dates of the header."""
    names = ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT")
    keys = [f"{name}{axis}" for axis in (1, 2) for name in names]
    return fits.Header([header.cards[key] for key in (*keys, "RADESYS")])


def _shrink(pixels: Array, factor: int) -> Array:
    """Return the means of squares of pixels; partial squares at the upper edges are left out."""
    ny, nx = (side // factor for side in pixels.shape)
    squares = pixels[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    shrunk: Array = squares.mean(axis=(1, 3))
    return shrunk


def _scale(shown: Array, plot: ImagePlot) -> Any:
    """Return a logarithmic scale from the faintest pixels, but not more decades than `ImagePlot.decades`."""
    positive = shown[np.isfinite(shown) & (shown > 0)]
    if not positive.size:
        return LogNorm(vmin=0.1, vmax=1, clip=True)
    high = float(positive.max())
    faintest = np.quantile(positive, 0.02 if plot.counted else 0)
    low = max(float(faintest), high * 10**-plot.decades)
    return LogNorm(vmin=min(low, high * 0.5), vmax=high, clip=True)


def _colors() -> Any:
    return colormaps["inferno"].with_extremes(bad="#d9d9d9")


def _unit(unit: str) -> str:
    """Return a unit like ``cm2 s count photon-1`` with superscripts."""
    words = []
    for word in unit.split():
        name = word.rstrip("-0123456789")
        words.append(name + word[len(name) :].translate(_SUPERSCRIPTS))
    return " ".join(words)
