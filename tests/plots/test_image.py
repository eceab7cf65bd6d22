"""Pictures of images."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits
from matplotlib import rc_context
from matplotlib.image import imread

from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.geometry import Pointing
from chandra_runner.native.grid import Grid
from chandra_runner.native.image_file import image_header
from chandra_runner.plots.image import ImagePlot, plot_image

GREY = (0xD9 / 255,) * 3


def draw(path, pixels, seen=None, **more):
    pointing = Pointing(ACIS, (-0.7, 0.0, -190.0), 10.0, -60.0, 30.0)
    grid = Grid(4000.5, 4000.5, 4, *pixels.shape[::-1])
    good_times = GoodTimes({7: make_gti(0, 100)}, shared=False)
    header = image_header(fits.Header(), pointing, grid, good_times, 1.0)
    seen = np.ones(pixels.shape, dtype=bool) if seen is None else seen
    plot_image(path, header, ImagePlot(pixels, seen, "ObsID 1 · broad", "count image", "count s-1", **more))
    return path


def share_of(path, colour):
    """Part of a picture that has a colour."""
    return np.mean(np.all(np.abs(imread(path)[..., :3] - colour) < 0.01, axis=-1))


def test_the_same_image_gives_the_same_bytes_whatever_matplotlib_is_set_to(tmp_path):
    pixels = np.random.default_rng(1).poisson(1.0, (60, 80))
    first = draw(tmp_path / "a.png", pixels, counted=True).read_bytes()
    with rc_context({"font.size": 20, "image.cmap": "gray", "savefig.dpi": 30}):
        assert draw(tmp_path / "b.png", pixels, counted=True).read_bytes() == first


def test_what_was_not_seen_is_grey(tmp_path):
    seen = np.ones((50, 50), dtype=bool)
    whole = share_of(draw(tmp_path / "a.png", np.ones((50, 50)), seen), GREY)
    seen[:, :25] = False
    half = share_of(draw(tmp_path / "b.png", np.ones((50, 50)), seen), GREY)
    assert whole < 0.01
    assert half > 0.2


@pytest.mark.parametrize("shape", [(5, 400), (400, 5), (1, 1), (1500, 1300)])
def test_any_shape_can_be_drawn(tmp_path, shape):
    height, width, _ = imread(draw(tmp_path / "a.png", np.ones(shape))).shape
    assert 250 < height < 1100
    assert 250 < width < 1100


def test_an_empty_image_can_be_drawn(tmp_path):
    draw(tmp_path / "a.png", np.zeros((20, 20)), counted=True)
    draw(tmp_path / "b.png", np.zeros((20, 20)), np.zeros((20, 20), dtype=bool))


def test_a_single_bright_pixel_of_a_large_image_is_not_lost(tmp_path):
    pixels = np.ones((1500, 1500))
    pixels[700, 701] = 1e6
    plain = imread(draw(tmp_path / "a.png", np.ones((1500, 1500))))
    assert (
        np.abs(imread(draw(tmp_path / "b.png", pixels))[100:600, 150:700] - plain[100:600, 150:700]).max()
        > 0.3
    )
