"""The rectangle around a field of view is that of its chips, from the file or from their dither."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.field_extent import fov_extent
from chandra_runner.native.field_of_view import Companions, load_field_of_view

from .fields import companions, events_path

OBSIDS = ["sim/90001", "sim/90002", "sim/90003", "sim/90004", "real/28229"]


def edges(extent):
    return np.array([extent.x_min, extent.x_max, extent.y_min, extent.y_max])


@pytest.mark.parametrize("name", OBSIDS)
def test_without_a_field_of_view_file_the_extent_is_that_of_the_chips_and_their_dither(shared_data, name):
    directory = shared_data / name
    with EventFile.open(events_path(directory)) as events:
        alone = load_field_of_view(events, Companions())
        positions = np.concatenate([chunk[["x", "y"]] for chunk in events.chunks()])
    from_file = edges(fov_extent(companions(directory).fov, [chip.number for chip in alone.chips]))
    # The archive's file of 28229 goes 7 pixels further than CIAO's own later one, to 4228.2.
    tolerance = 8 if name == "real/28229" else 3 if name < "sim/90003" else 20
    assert np.abs(edges(alone.extent) - from_file).max() < tolerance
    assert alone.extent.x_min < positions["x"].min() < positions["x"].max() < alone.extent.x_max
    assert alone.extent.y_min < positions["y"].min() < positions["y"].max() < alone.extent.y_max


def test_a_field_of_view_file_without_polygons_is_refused(shared_data):
    path = companions(shared_data / "sim/90002").mask
    with pytest.raises(DataError, match=r"msk1.fits.gz has no polygon of chip 6, 7; is it a field-of-view"):
        fov_extent(path, (6, 7))


def test_the_extent_is_that_of_the_chips_in_the_event_list(shared_data):
    """ObsID 3591: chip 6 lies apart from the four of ACIS-I."""
    path = companions(shared_data / "real/3591").fov
    assert edges(fov_extent(path, (6,))) == pytest.approx([1718.5, 3106.1, 3341.5, 4730.3], abs=0.1)
    assert fov_extent(path, (0, 1, 2, 3)).x_min == pytest.approx(3037.8, abs=0.1)
    with pytest.raises(DataError, match="no polygon of chip 7"):
        fov_extent(path, (7,))


def test_polygons_that_name_no_chip_count_for_all(shared_data, tmp_path):
    path = companions(shared_data / "real/3591").fov
    with fits.open(path) as hdus:
        hdus["FOV"].columns.del_col("CCD_ID")
        hdus["FOV"].writeto(tmp_path / "fov1.fits")
    assert fov_extent(tmp_path / "fov1.fits", (6,)) == fov_extent(path, (0, 1, 2, 3, 6))
