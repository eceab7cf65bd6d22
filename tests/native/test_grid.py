"""Grids are those of fluximage, or of xygrid."""

from __future__ import annotations

import pytest

from chandra_runner.native.field_of_view import fov_extent
from chandra_runner.native.grid import Extent, Grid, GridError, parse_grid


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


def test_the_grid_covers_a_field_as_fluximage_does():
    grid = Grid.cover(Extent(3.4, 11.2, 0.5, 8.0), 4)
    assert (grid.x0, grid.y0) == (2.5, 0.5)
    assert grid.shape == (2, 3)


def test_the_grid_of_a_flight_observation(shared_data):
    """ObsID 28229: CIAO printed 3992.5 and 3256.5 to 5398.5 for its own field of view."""
    remade = fov_extent(shared_data / "real/reference/28229/acisf28229_repro_fov1.fits.gz")
    assert Grid.cover(remade, 1) == Grid(3992.5, 3256.5, 1, nx=236, ny=2142)
    archived = fov_extent(shared_data / "real/28229/primary/acisf28229_000N001_fov1.fits.gz")
    assert Grid.cover(archived, 1) == Grid(3993.5, 3256.5, 1, nx=242, ny=2142)
