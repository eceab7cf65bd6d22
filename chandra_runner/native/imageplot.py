"""Pictures of images: sky coordinates, a colour bar, and what it is."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .geometry import Array

if TYPE_CHECKING:
    from astropy.io import fits

_PIXELS = 900
"""An image with more pixels along a side is averaged down to this: a picture would drop pixels instead."""


def plot_image(
    path: Path, pixels: Array, header: fits.Header, title: str, label: str, seen: Array | None = None
) -> None:
    """Draw an image as PNG, with a logarithmic scale.

    The same input gives the same bytes, whatever the user's matplotlib settings are.

    Parameters
    ----------
    path : Path
        File to write.
    pixels : ndarray, shape (ny, nx)
        The image; what is not positive is as dark as the faintest pixel.
    header : Header
        For its WCS.
    title : str
        What is written over it.
    label : str
        Name of the colour bar, with its unit.
    seen : ndarray of bool, shape (ny, nx), optional
        Where there is an exposure; the rest stays empty.
    """
    from astropy.wcs import WCS
    from matplotlib import style
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    factor = math.ceil(max(pixels.shape) / _PIXELS)
    shown = _shrink(np.asarray(pixels, dtype=float), factor)
    if seen is not None:
        shown[_shrink(seen.astype(float), factor) == 0] = np.nan
    wcs = WCS(_celestial(header))[::factor, ::factor]
    with style.context("default"):
        figure = Figure(figsize=(8, 6.8), dpi=110)
        FigureCanvasAgg(figure)
        axes = figure.add_subplot(projection=wcs)
        drawn = axes.imshow(
            shown, origin="lower", norm=_scale(shown), cmap=_colours(), interpolation="nearest"
        )
        figure.colorbar(drawn, ax=axes, label=label, fraction=0.045, pad=0.03)
        axes.set_title(title, fontsize=11)
        for axis, name in enumerate(("RA (ICRS)", "Dec (ICRS)")):
            axes.coords[axis].set_axislabel(name)
        figure.savefig(path, format="png", bbox_inches="tight", metadata={"Software": None})


def _celestial(header: fits.Header) -> Any:
    """The cards that place the pixels; WCS warns of dates that it finds fault with."""
    from astropy.io import fits

    names = ("NAXIS", "CTYPE", "CRVAL", "CRPIX", "CDELT", "CUNIT")
    keys = [f"{name}{axis}" for axis in (1, 2) for name in names]
    return fits.Header([header.cards[key] for key in (*keys, "RADESYS") if key in header])


def _shrink(pixels: Array, factor: int) -> Array:
    """Means of squares of pixels; partial ones at the upper edges are left out."""
    if factor == 1:
        return pixels.copy()
    ny, nx = (side // factor for side in pixels.shape)
    squares = pixels[: ny * factor, : nx * factor].reshape(ny, factor, nx, factor)
    shrunk: Array = squares.mean(axis=(1, 3))
    return shrunk


def _scale(shown: Array) -> Any:
    """Logarithmic from the faintest positive pixel, over six decades at most."""
    from matplotlib.colors import LogNorm

    positive = shown[np.isfinite(shown) & (shown > 0)]
    if not positive.size:
        return LogNorm(vmin=1, vmax=10)
    high = float(positive.max())
    low = max(float(positive.min()), high * 1e-6)
    return LogNorm(vmin=low, vmax=high if high > low else low * 10, clip=True)


def _colours() -> Any:
    from matplotlib import colormaps

    colours = colormaps["inferno"].copy()
    colours.set_bad("#d9d9d9")
    return colours
