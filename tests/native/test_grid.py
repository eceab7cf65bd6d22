"""Grids are those of fluximage, or of xygrid."""

from __future__ import annotations

import numpy as np
import pytest

from chandra_runner.native.field_extent import fov_extent
from chandra_runner.native.grid import Grid, GridError, parse_grid
from chandra_runner.regions.extent import Extent


def test_an_xygrid_states_edges_and_step():
    grid = parse_grid("3142:5258:4,3278:5238:4")
    assert grid == Grid(3142, 3278, 4, nx=529, ny=490)
    assert grid.shape == (490, 529)


def test_a_last_partial_pixel_is_kept_whole():
    assert parse_grid("0:10:4,0.5:8.7:4").shape == (3, 3)
    assert parse_grid("0:0.3:0.1,0:0.7:0.1").shape == (7, 3)  # 0.3 / 0.1 is a little more than 3 in floats


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1:9:2,1:9:4", "the steps 2 and 4 differ; image pixels are square"),
        ("9:1:2,1:9:2", "the x axis runs from 9 to 1; write the lower edge first"),
        ("1:9:2,1:1:2", "the y axis runs from 1 to 1"),
        ("1:9:0,1:9:0", "the x step 0 is not positive"),
        ("0:1e999:1,0:10:1", "would have inf pixels along a side"),
        ("0:1:1e-320,0:1:1e-320", "would have inf pixels along a side"),
        ("0:65536:1,0:65536:1", "the image would have 65536 x 65536 pixels; use larger pixels"),
    ],
)
def test_a_wrong_xygrid_is_refused_with_the_reason(text, why):
    with pytest.raises(GridError, match=why):
        parse_grid(text)


@pytest.mark.parametrize(
    ("extent", "printed"),
    [
        # ObsID 13736: one field, so its grids of 4 and of 8 pixels limit its sides to 4 pixels.
        (Extent(3574, 5995, 2846, 5987), "3568.5:6000.5:8,2840.5:5992.5:8"),
        (Extent(3574, 5995, 2846, 5987), "3572.5:5996.5:4,2844.5:5988.5:4"),
        # ObsID 19522.
        (Extent(2590, 5499, 2722, 5627), "2588.5:5500.5:4,2720.5:5628.5:4"),
    ],
)
def test_the_grid_of_a_field_is_the_one_that_fluximage_printed(extent, printed):
    grid = parse_grid(printed)
    assert Grid.cover(extent, grid.step) == grid


@pytest.mark.parametrize("step", [0.5, 1, 2, 3, 4, 8, 32])
def test_the_edges_are_half_a_pixel_plus_whole_steps_and_no_pixel_is_beyond_the_field(step):
    for low in np.arange(100, 100 + 2 * step, step / 7):
        extent = Extent(low, low + 200.2, low + 0.3, low + 50)
        grid = Grid.cover(extent, step)
        assert (grid.x0 - 0.5) % step == pytest.approx(0, abs=1e-9)
        assert grid.x0 <= extent.x_min < grid.x0 + step
        assert grid.x0 + (grid.nx - 1) * step < extent.x_max <= grid.x0 + grid.nx * step
        assert grid.y0 + (grid.ny - 1) * step < extent.y_max <= grid.y0 + grid.ny * step


def test_the_grid_of_a_flight_observation_with_large_pixels(shared_data):
    """ObsID 3591: fluximage's grid of 4 pixels for the archive's field-of-view file."""
    field = fov_extent(shared_data / "real/3591/primary/acisf03591_000N003_fov1.fits.gz", (0, 1, 2, 3, 6))
    assert Grid.cover(field, 4) == Grid(1716.5, 2540.5, 4, nx=1022, ny=691)


def test_the_grid_of_a_flight_observation(shared_data):
    """ObsID 28229: CIAO printed 3992.5 and 3256.5 to 5398.5 for its own field of view."""
    remade = fov_extent(shared_data / "real/reference/28229/acisf28229_repro_fov1.fits.gz", (6, 7))
    assert Grid.cover(remade, 1) == Grid(3992.5, 3256.5, 1, nx=236, ny=2142)
    archived = fov_extent(shared_data / "real/28229/primary/acisf28229_000N001_fov1.fits.gz", (6, 7))
    assert Grid.cover(archived, 1) == Grid(3993.5, 3256.5, 1, nx=242, ny=2142)
