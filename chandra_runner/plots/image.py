"""Pictures of images: sky coordinates, a colour bar, and what it is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from chandra_runner.native.geometry import Array

if TYPE_CHECKING:
    from astropy.io import fits

_PIXELS = 600
"""An image with more pixels along a side is averaged down to this: a picture would drop pixels instead."""
_LONG = 5.8
_SHORT = 1.4
"""Longer side of the drawn image, and the least for the other, inches."""
_DECADES = 5.0
"""What is fainter than this below the brightest pixel is as dark as that."""
_SMOOTHING = (1.0, 3.0)
"""Least and largest sigma of the Gaussian that makes single counts a picture, in pixels."""
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class ImagePlot:
    """What is drawn.

    Parameters
    ----------
    pixels : ndarray, shape (ny, nx)
        The image.
    seen : ndarray of bool, shape (ny, nx)
        Where there is an exposure; the rest stays empty.
    title : str
        What is written over it.
    content, unit : str
        What the pixels are: the name of the colour bar.
    counted : bool
        It is made of single counts, and smoothed for the eye.
    decades : float
        How far the logarithmic scale reaches down from the brightest pixel.
    """

    pixels: Array
    seen: Array
    title: str
    content: str
    unit: str
    counted: bool = False
    decades: float = _DECADES


def plot_image(path: Path, header: fits.Header, picture: ImagePlot) -> None:
    """Draw an image as PNG, with a logarithmic scale.

    The same input gives the same bytes, whatever the user's matplotlib settings are.

    Parameters
    ----------
    path : Path
        File to write.
    header : Header
        For its celestial WCS.
    picture : ImagePlot
        What is drawn.
    """
    from astropy.wcs import WCS
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    factor = math.ceil(max(picture.pixels.shape) / _PIXELS)
    shown = _prepare(picture, factor)
    height, width = (max(_LONG * side / max(shown.shape), _SHORT) for side in shown.shape)
    size = (max(width + 3.0, 0.5 + 0.08 * len(picture.title)), height + 1.2)
    with style.context("default"):
        figure = Figure(figsize=size, dpi=110)
        FigureCanvasAgg(figure)
        left, bottom, width_, height_ = 1.1 / size[0], 0.7 / size[1], width / size[0], height / size[1]
        projection = WCS(_celestial(header))[::factor, ::factor]
        axes = figure.add_axes((left, bottom, width_, height_), projection=projection)
        drawn = axes.imshow(shown, origin="lower", norm=_scale(shown, picture), cmap=_colours())
        beside = (left + width_ + 0.12 / size[0], bottom, 0.18 / size[0], height_)
        _draw_bar(drawn, figure.add_axes(beside), picture)
        figure.text(0.5, 1 - 0.35 / size[1], picture.title, fontsize=10, ha="center")
        _name_axes(axes, width, height)
        figure.savefig(path, format="png", metadata={"Software": None}, pil_kwargs={"compress_level": 4})


def _draw_bar(drawn: Any, place: Any, picture: ImagePlot) -> None:
    """The colour bar. Its numbers are plain text: typeset powers take longer than all the rest."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    label = f"{picture.content} ({_unit(picture.unit)})" + (", smoothed" if picture.counted else "")
    bar = place.figure.colorbar(drawn, cax=place, label=label)
    few = math.log10(drawn.norm.vmax / drawn.norm.vmin) < 2
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


def _prepare(picture: ImagePlot, factor: int) -> Array:
    """The pixels as they are drawn: averaged down, smoothed, empty where nothing was seen."""
    from scipy.ndimage import gaussian_filter

    shown = _shrink(np.asarray(picture.pixels, dtype=float), factor)
    seen = _shrink(picture.seen.astype(float), factor) >= 0.5
    if picture.counted and seen.any():
        lit = max(float(np.mean(shown[seen] > 0)), 1e-6)
        shown = gaussian_filter(shown, np.clip(0.35 / np.sqrt(lit), *_SMOOTHING), mode="constant")
    shown[~seen] = np.nan
    return shown


def _celestial(header: fits.Header) -> Any:
    """The cards that place the pixels; of the dates, WCS would warn."""
    from astropy.io import fits

    names = ("CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT")
    keys = [f"{name}{axis}" for axis in (1, 2) for name in names]
    return fits.Header([header.cards[key] for key in (*keys, "RADESYS")])


def _shrink(pixels: Array, factor: int) -> Array:
    """Means of squares of pixels; partial ones at the upper edges are left out."""
    ny, nx = (side // factor for side in pixels.shape)
    squares = pixels[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    shrunk: Array = squares.mean(axis=(1, 3))
    return shrunk


def _scale(shown: Array, picture: ImagePlot) -> Any:
    """Logarithmic, from the faintest pixels or so many decades below the brightest."""
    from matplotlib.colors import LogNorm

    positive = shown[np.isfinite(shown) & (shown > 0)]
    if not positive.size:
        return LogNorm(vmin=0.1, vmax=1, clip=True)
    high = float(positive.max())
    faintest = np.quantile(positive, 0.02 if picture.counted else 0)
    low = max(float(faintest), high * 10**-picture.decades)
    return LogNorm(vmin=min(low, high * 0.5), vmax=high, clip=True)


def _colours() -> Any:
    from matplotlib import colormaps

    return colormaps["inferno"].with_extremes(bad="#d9d9d9")


def _unit(unit: str) -> str:
    """``cm2 s count photon-1`` with its powers raised."""
    words = []
    for word in unit.split():
        name = word.rstrip("-0123456789")
        words.append(name + word[len(name) :].translate(_SUPERSCRIPTS))
    return " ".join(words)
