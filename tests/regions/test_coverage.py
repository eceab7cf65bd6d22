"""Images of regions have the area of the regions, and whole and empty pixels where they should be."""

from __future__ import annotations

import numpy as np
import pytest

from chandra_runner.regions.coverage import coverage
from chandra_runner.regions.region import parse_region


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("Ellipse(14.37,16.53,2.54065,2.54065,0)", np.pi * 2.54065**2),
        ("Ellipse(14.37,16.53,8,3,20)", np.pi * 24),
        ("RotBox(14.2,16.1,8,4,30)", 32),
        ("Annulus(14.37,16.53,3,7)", np.pi * 40),
        ("Circle(14.37,16.53,7)&!Circle(14.37,16.53,3)", np.pi * 40),
        ("Rectangle(3.25,4.5,20.5,9)", 17.25 * 4.5),
    ],
)
@pytest.mark.parametrize("step", [0.5, 1.0])
def test_the_sum_of_an_image_is_the_area(text, area, step):
    edges = np.arange(0.5, 30.6, step)
    assert coverage(parse_region(text), edges, edges).sum() * step**2 == pytest.approx(area, rel=0.005)


def test_pixels_have_the_part_of_them_that_is_inside():
    region = parse_region("Rectangle(1.25,0,3,9)")
    part = coverage(region, np.arange(5.0), np.arange(3.0))
    assert part.tolist() == [[0, 0.75, 1, 0]] * 2


def test_a_tip_between_the_corners_of_a_pixel_counts():
    """Where this triangle enters its last pixel it is 0.91 pixels wide."""
    part = coverage(parse_region("Polygon(2,2,9,2,5.5,8.9)"), np.arange(12.0), np.arange(12.0))
    assert part[8, 5] == pytest.approx(0.9 * 0.91 / 2, abs=3 / 64)  # three of the points
    assert part.sum() == pytest.approx(7 * 6.9 / 2, rel=0.005)


def test_a_region_without_limits_covers_all_pixels():
    assert coverage(parse_region("Field()"), np.arange(4.0), np.arange(3.0)).tolist() == [[1, 1, 1]] * 2
