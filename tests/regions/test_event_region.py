"""The region of an event list is the one to which CIAO cut it, chip by chip."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.regions.event_region import is_cut, region_of_chip
from chandra_runner.regions.extent import Extent
from chandra_runner.regions.region import RegionError

SOURCES = "real/reference/ltc1/{}_source_evt2.fits.gz"


def header(**keywords: str) -> fits.Header:
    return fits.Header({key.removeprefix("k"): value for key, value in keywords.items()})


@pytest.mark.parametrize("obsid", ["11843", "15043", "13851"])
def test_the_region_of_a_list_that_ciao_cut_contains_all_of_its_events(shared_data, obsid):
    events, found = fits.getdata(shared_data / SOURCES.format(obsid), "EVENTS", header=True)
    assert is_cut(found)
    x, y = (np.asarray(events[name], dtype=float) for name in ("x", "y"))
    for chip in np.unique(events["ccd_id"]):
        region = region_of_chip(found, "ccd_id", chip)
        # The header has six digits of each number.
        assert np.count_nonzero(~region.contains(x, y)) <= 1e-3 * len(x)
        assert region.extent.x_max - region.extent.x_min < 1000


def test_the_region_of_an_image_of_the_archive_is_its_field_of_view(shared_data):
    found = fits.getheader(shared_data / "real/22136/primary/acisf22136N001_full_img2.fits.gz")
    region = region_of_chip(found, "ccd_id", 7)
    assert len(region.alternatives) == 6
    assert region.extent == Extent(2596.03, 7257.24, 2203.1, 5585.8)


def test_an_event_list_of_the_archive_is_not_cut(shared_data):
    path = shared_data / "real/3591/primary/acisf03591N003_evt2.fits.gz"
    found = fits.getheader(path, "EVENTS")
    assert not is_cut(found)
    assert region_of_chip(found, "ccd_id", 3) is None


def test_a_header_without_subspace_has_no_region():
    assert region_of_chip(fits.Header(), "chip_id", 0) is None


@pytest.mark.parametrize("name", ["sky(x,y)", "SKY", "pos(x, y)", "pos"])
def test_the_name_of_the_position_column_varies(name):
    found = header(DSTYP1="time", DSVAL1="TABLE", DSTYP2=name, DSVAL2="Circle(10,20,5)")
    assert is_cut(found)
    assert region_of_chip(found, "ccd_id", 7).extent == Extent(5, 15, 15, 25)


def test_chips_have_the_regions_of_their_components():
    found = header(
        DSTYP1="ccd_id", DSVAL1="7:7", k2DSVAL1="6:6", k3DSVAL1="6:6", k4DSVAL1="5:5",
        DSTYP2="sky(x,y)", DSVAL2="Circle(10,20,5)", k2DSVAL2="Box(0,0,2,2)", k3DSVAL2="Box(5,0,2,2)",
    )  # fmt: skip
    assert region_of_chip(found, "ccd_id", 7).extent == Extent(5, 15, 15, 25)
    assert region_of_chip(found, "ccd_id", 6).extent == Extent(-1, 6, -1, 1)
    # A component without a value of its own has that of the first.
    assert region_of_chip(found, "ccd_id", 5).extent == Extent(5, 15, 15, 25)
    assert region_of_chip(found, "ccd_id", 3) is None


def test_ranges_of_x_and_y_are_a_region():
    found = header(DSTYP1="x", DSVAL1="10:20,30:40", DSTYP2="y", DSVAL2="5:")
    region = region_of_chip(found, "ccd_id", 7)
    points = np.array([(15.0, 6.0), (25.0, 6.0), (35.0, 1e4), (15.0, 4.0)])
    assert region.contains(*points.T).tolist() == [True, False, True, False]


@pytest.mark.parametrize(("name", "value"), [("sky", "TABLE"), ("sky", "MASK&Circle(1,2,3)"), ("x", "TABLE")])
def test_a_region_that_cannot_be_read_is_an_error(name, value):
    found = header(DSTYP1=name, DSVAL1=value)
    assert is_cut(found)
    with pytest.raises(RegionError, match="is not a"):
        region_of_chip(found, "ccd_id", 7)
