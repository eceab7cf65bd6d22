"""Plots of images show what was exposed, and are the same bytes each time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from matplotlib import rc_context
from matplotlib.image import imread
from numpy.typing import NDArray

from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.geometry import Pointing
from chandra_runner.native.grid import Grid
from chandra_runner.native.image_file import image_header
from chandra_runner.plots.image import ImagePlot, plot_image

GRAY = (0xD9 / 255,) * 3


def draw(path: Path, pixels: NDArray[Any], seen: NDArray[Any] | None = None, **more: Any) -> Path:
    """Draw an image with made-up labels."""
    pointing = Pointing(ACIS, (-0.7, 0.0, -190.0), 10.0, -60.0, 30.0)
    grid = Grid(4000.5, 4000.5, 4, nx=pixels.shape[1], ny=pixels.shape[0])
    good_times = GoodTimes({7: make_gti(0, 100)}, shared=False)
    header = image_header(fits.Header(), pointing, grid, good_times, 1.0)
    seen = np.ones(pixels.shape, dtype=bool) if seen is None else seen
    labels = {"title": "ObsID 1 · broad", "content": "count image", "unit": "count s-1"}
    plot_image(path, header, ImagePlot(pixels=pixels, seen=seen, **labels, **more))
    return path


def fraction_of(path: Path, color: tuple[float, float, float]) -> float:
    """Fraction of the pixels of a plot that have a color."""
    return float(np.mean(np.all(np.abs(imread(path)[..., :3] - color) < 0.01, axis=-1)))


def test_the_same_image_gives_the_same_bytes_whatever_matplotlib_is_set_to(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).poisson(1.0, (60, 80))
    first = draw(tmp_path / "a.png", pixels, counted=True).read_bytes()
    with rc_context({"font.size": 20, "image.cmap": "gray", "savefig.dpi": 30}):
        assert draw(tmp_path / "b.png", pixels, counted=True).read_bytes() == first


def test_pixels_without_exposure_are_gray(tmp_path: Path) -> None:
    seen = np.ones((50, 50), dtype=bool)
    whole = fraction_of(draw(tmp_path / "a.png", np.ones((50, 50)), seen), GRAY)
    seen[:, :25] = False
    half = fraction_of(draw(tmp_path / "b.png", np.ones((50, 50)), seen), GRAY)
    assert whole < 0.01
    assert half > 0.2


@pytest.mark.parametrize("shape", [(5, 400), (400, 5), (1, 1), (1500, 1300)])
def test_any_shape_can_be_drawn(tmp_path: Path, shape: tuple[int, int]) -> None:
    height, width, _ = imread(draw(tmp_path / "a.png", np.ones(shape))).shape
    assert 250 < height < 1100
    assert 250 < width < 1100


def test_an_empty_image_can_be_drawn(tmp_path: Path) -> None:
    draw(tmp_path / "a.png", np.zeros((20, 20)), counted=True)
    draw(tmp_path / "b.png", np.zeros((20, 20)), np.zeros((20, 20), dtype=bool))


def test_a_single_bright_pixel_of_a_large_image_is_not_lost(tmp_path: Path) -> None:
    pixels = np.ones((1500, 1500))
    pixels[700, 701] = 1e6
    plain = imread(draw(tmp_path / "a.png", np.ones((1500, 1500))))
    assert (
        np.abs(imread(draw(tmp_path / "b.png", pixels))[100:600, 150:700] - plain[100:600, 150:700]).max()
        > 0.3
    )
