"""Regions contain the points that CIAO's shapes contain, and text that is no region is refused."""

from __future__ import annotations

import numpy as np
import pytest

from chandra_runner.regions.extent import NOTHING, WHOLE_SKY, Extent
from chandra_runner.regions.region import RegionError, parse_region


@pytest.mark.parametrize(
    ("text", "inside", "outside"),
    [
        ("Circle(10,20,5)", [(10, 24.9), (13.5, 23.5)], [(10, 25.1), (13.6, 23.6)]),
        ("Ellipse(10,20,8,2,0)", [(17.9, 20), (10, 21.9)], [(10, 22.1), (18.1, 20)]),
        ("ellipse(10,20,8,2,90)", [(10, 27.9), (11.9, 20)], [(17.9, 20)]),
        ("Ellipse(0,0,8,2,45)", [(5, 5)], [(5, -5)]),
        ("Rectangle(1,2,3,4)", [(1.1, 3.9)], [(0.9, 3), (2, 4.1)]),
        ("Box(10,20,4,2)", [(11.9, 20.9)], [(11.9, 21.1)]),
        ("RotBox(10,20,8,2,90)", [(10.9, 23.9), (9.1, 16.1)], [(13, 20)]),
        ("box(0,0,8,2,45)", [(2.5, 2.5)], [(2.5, -2.5)]),
        ("Annulus(0,0,2,5)", [(3, 0), (0, -4.9)], [(1.9, 0), (5.1, 0)]),
        ("Pie(0,0,2,5,0,90)", [(3, 1)], [(3, -1), (-3, 1), (1, 0.5)]),
        ("Pie(0,0,2,5,300,60)", [(3, 1), (3, -1)], [(-3, 0)]),
        ("Sector(0,0,90,180)", [(-1000, 1)], [(1, 1)]),
        ("Polygon(0,0,4,0,4,4,2,1,0,4)", [(0.5, 2), (3.5, 2)], [(2, 2), (5, 1)]),
        ("Polygon(0,0,4,0,0,4,0,0)", [(1, 1)], [(3, 3)]),
        ("Field()", [(1e5, -1e5)], []),
    ],
)
def test_each_shape_contains_what_it_should(text, inside, outside):
    region = parse_region(text)
    points = np.array([*inside, *outside], dtype=float)
    assert region.contains(*points.T).tolist() == [True] * len(inside) + [False] * len(outside)
    extent = region.extent
    for x, y in inside:
        assert extent.x_min <= x <= extent.x_max
        assert extent.y_min <= y <= extent.y_max


def test_shapes_are_joined_and_excluded_and_the_ampersand_binds_closer():
    region = parse_region(" Circle(0,0,5) & !Circle(0,0,2) | Box(20,0,2,2)&Box(21,0,2,2)")
    points = np.array([(0.0, 3.0), (0.0, 1.0), (20.5, 0.0), (19.5, 0.0)])
    assert region.contains(*points.T).tolist() == [True, False, True, False]
    assert region.extent == Extent(-5, 21, -5, 5)


def test_what_is_left_by_an_excluded_shape_has_no_limits():
    region = parse_region("Field()&!Circle(0,0,2)")
    assert region.extent == WHOLE_SKY
    assert region.contains(np.array([1.0, 3.0]), np.array([0.0, 0.0])).tolist() == [False, True]


def test_shapes_that_do_not_meet_contain_nothing():
    assert parse_region("Circle(0,0,2)&Circle(9,9,2)").extent == NOTHING
    assert parse_region("Circle(0,0,2)&Circle(9,9,2)|Circle(9,9,1)").extent == Extent(8, 10, 8, 10)


def test_the_extent_of_a_turned_shape_touches_it():
    for text in ("Ellipse(3,4,8,2,30)", "RotBox(3,4,8,2,30)"):
        region = parse_region(text)
        x, y = np.meshgrid(np.arange(-6, 12, 0.01), np.arange(-5, 13, 0.01))
        inside = region.contains(x, y)
        extent = region.extent
        assert x[inside].min() == pytest.approx(extent.x_min, abs=0.02)
        assert x[inside].max() == pytest.approx(extent.x_max, abs=0.02)
        assert y[inside].min() == pytest.approx(extent.y_min, abs=0.02)
        assert y[inside].max() == pytest.approx(extent.y_max, abs=0.02)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "MASK&Ellipse(13935.4,15332.2,53.1,41.3,117.8)",
        "TABLE",
        "Circle(1,2)",
        'Circle(10:00:00,2:00:00,5")',
        "Circle(1,2,nan)",
        "Circle(1,2,3)&",
        "Circle(1,2,3) Circle(4,5,6)",
        "Circle(1,2,3",
        "Polygon(1,2,3,4)",
        "Polygon(1,2,3,4,5,6,7)",
        "Field(1)",
        "Point(1,2)",
    ],
)
def test_text_that_is_no_region_is_refused(text):
    with pytest.raises(RegionError, match=r"is not a region; shapes are annulus, box, circle"):
        parse_region(text)


def test_a_long_region_is_not_shown_whole():
    with pytest.raises(RegionError) as refused:
        parse_region(f"Polygon({','.join(['1'] * 1001)})")
    assert len(refused.value.message) < 100
