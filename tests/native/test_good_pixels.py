"""Good pixels follow from mask files and bad-pixel files, or from columns without events."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.detectors import ACIS, HRC_I, HRC_S
from chandra_runner.native.good_pixels import (
    Window,
    dead_columns,
    default_windows,
    good_fraction,
    read_bad_pixels,
    read_mask,
    rectangles,
)

NONE = rectangles([], [], [], [])
CHIP = ACIS.chip(7)


def write_tables(path, name, **columns):
    """A mask or bad-pixel file with one table, for chip 7."""
    table = fits.BinTableHDU.from_columns(
        [fits.Column(key, form, array=np.array(values)) for key, (form, values) in columns.items()], name=name
    )
    table.header["CCD_ID"] = 7
    table.writeto(path)
    return path


def test_the_window_of_a_subarray(shared_data):
    windows = read_mask(shared_data / "real/28229/secondary/acisf28229_000N001_msk1.fits.gz", ACIS)
    assert list(windows) == [6, 7]
    good = good_fraction(CHIP, windows[7], NONE)
    assert good.shape == (1024, 1024)
    assert np.all(good[449:575, 1:1023] == 1)  # rows 450 to 575, columns 2 to 1023
    assert good.sum() == 126 * 1022


def test_a_window_that_keeps_nothing_is_a_hole(shared_data):
    windows = read_mask(shared_data / "sim/90002/secondary/acisf90002_000N001_msk1.fits.gz", ACIS)
    good = good_fraction(CHIP, windows[8], NONE)
    assert np.all(good[300:440, 400:520] == 0)  # rows 301 to 440, columns 401 to 520
    assert good.sum() == 1022 * 1022 - 140 * 120


def test_a_window_that_keeps_every_fourth_event_has_a_quarter(tmp_path):
    path = write_tables(
        tmp_path / "msk1.fits",
        "MASK",
        SHAPE=("16A", ["rectangle", "rectangle", "!rectangle"]),
        COMPONENT=("I", [1, 2, 2]),
        CHIPX=("2I", [[1, 8], [1, 1024], [1, 8]]),
        CHIPY=("2I", [[1, 4], [1, 1024], [1, 4]]),
        SAMP_CYC=("I", [4, 0, 0]),
    )
    good = good_fraction(CHIP, read_mask(path, ACIS)[7], NONE)
    assert np.all(good[:4, :8] == 0.25)
    assert good.sum() == 8


def test_pixels_are_bad_if_one_of_the_lower_18_bits_is_set(tmp_path):
    bits = np.zeros((3, 32), dtype=bool)
    bits[0, 31] = True  # bit 0
    bits[1, 31 - 17] = True
    bits[2, 31 - 18] = True
    path = write_tables(
        tmp_path / "bpix1.fits",
        "BADPIX",
        CHIPX=("2I", [[5, 5], [6, 7], [9, 9]]),
        CHIPY=("2I", [[1, 1024], [3, 3], [9, 9]]),
        STATUS=("32X", bits),
    )
    assert read_bad_pixels(path, ACIS)[7].tolist() == [[5, 5, 1, 1024], [6, 7, 3, 3]]


def test_bad_pixels_of_a_flight_observation(shared_data):
    bad = read_bad_pixels(shared_data / "real/28229/primary/acisf28229_000N001_bpix1.fits.gz", ACIS)
    window = (Window(1.0, rectangles(1, 1024, 1, 1024), NONE),)
    good = good_fraction(CHIP, window, bad[7])
    assert np.all(good[:8] == 0)  # rows at the frame store
    assert np.all(good[:, 255:257] == 0)  # columns 256 and 257, between nodes
    assert 0.9 < good.mean() < 0.99


def test_hrc_bad_pixels_belong_to_their_segment(shared_data):
    bad_i = read_bad_pixels(shared_data / "sim/90003/primary/hrcf90003_000N001_bpix1.fits.gz", HRC_I)
    bad_s = read_bad_pixels(shared_data / "sim/90004/primary/hrcf90004_000N001_bpix1.fits.gz", HRC_S)
    assert list(bad_i) == [0]
    assert list(bad_s) == [1, 2, 3]
    chip = HRC_I.chip(0)
    good = good_fraction(chip, default_windows(chip, HRC_I, {}), bad_i[0], 8)
    assert good.shape == (2048, 2048)
    bad = 2 * 16 * 16384 + 4 * 9  # two edges, and four spots of 3 x 3
    assert (1 - good.astype(float)).sum() * 64 == pytest.approx(bad, abs=1)


@pytest.mark.parametrize("column", ["CHIP_ID", "CCD_ID"])
def test_bad_pixels_of_all_segments_in_one_table_belong_to_the_segment_of_their_row(tmp_path, column):
    path = write_tables(
        tmp_path / "bpix1.fits",
        "BADPIX",
        **{column: ("I", [1, 2, 2, 3])},
        CHIPX=("I", [10, 20, 21, 30]),
        CHIPY=("I", [1, 2, 2, 3]),
        STATUS=("J", [1, 1, 1 << 20, 1]),
    )
    bad = read_bad_pixels(path, HRC_S)
    assert {chip: boxes.tolist() for chip, boxes in bad.items()} == {
        1: [[10, 10, 1, 1]],
        2: [[20, 20, 2, 2]],
        3: [[30, 30, 3, 3]],
    }


def test_the_one_chip_of_hrc_i_has_all_bad_pixels(tmp_path):
    path = write_tables(
        tmp_path / "bpix1.fits",
        "BADPIX",
        CHIP_ID=("I", [1, 1]),
        CHIPX=("I", [10, 20]),
        CHIPY=("I", [1, 2]),
        STATUS=("J", [1, 1]),
    )
    assert read_bad_pixels(path, HRC_I)[0].tolist() == [[10, 10, 1, 1], [20, 20, 2, 2]]


def test_averaging_a_map_keeps_its_sum():
    bad = rectangles([3, 500], [17, 500], [5, 1], [9, 1024])
    window = (Window(1.0, rectangles(2, 1023, 2, 1023), NONE),)
    whole = good_fraction(CHIP, window, bad)
    assert good_fraction(CHIP, window, bad, 8).sum() * 64 == whole.sum()


def test_without_a_mask_the_window_is_that_of_the_header():
    good = good_fraction(CHIP, default_windows(CHIP, ACIS, {"FIRSTROW": 449, "NROWS": 128}), NONE)
    assert good.sum() == 126 * 1022
    assert np.all(good[449:575, 1:1023] == 1)
    assert good_fraction(CHIP, default_windows(CHIP, ACIS, {}), NONE).sum() == 1022 * 1022


def test_columns_without_events_among_full_ones_are_bad():
    counts = np.random.default_rng(1).poisson(30, 1024)
    counts[[99, 100, 500, 1023]] = 0
    assert dead_columns(CHIP, counts)[:, 0].tolist() == [100, 101, 501, 1024]


def test_columns_without_events_in_a_faint_field_are_not_bad():
    assert len(dead_columns(CHIP, np.random.default_rng(1).poisson(5, 1024))) == 0


def test_a_file_that_is_not_a_mask_is_refused(shared_data):
    with pytest.raises(DataError, match="has no extension MASK"):
        read_mask(shared_data / "real/28229/primary/acisf28229_000N001_bpix1.fits.gz", ACIS)


def test_a_mask_without_its_columns_is_refused(tmp_path):
    path = write_tables(tmp_path / "msk1.fits", "MASK", CHIPX=("2I", [[1, 2]]))
    with pytest.raises(DataError, match="extension MASK has no column CHIPY, SAMP_CYC"):
        read_mask(path, ACIS)


def test_a_chip_without_bad_pixels_has_an_empty_table(tmp_path):
    columns = {"CHIPX": ("2I", np.zeros((0, 2))), "CHIPY": ("2I", np.zeros((0, 2)))}
    path = write_tables(tmp_path / "bpix1.fits", "BADPIX", **columns, STATUS=("32X", np.zeros((0, 32))))
    assert read_bad_pixels(path, ACIS)[7].shape == (0, 4)


def test_a_mask_with_text_for_numbers_is_refused_with_its_name(tmp_path):
    columns = {"CHIPX": ("2I", [[1, 2]]), "CHIPY": ("2I", [[1, 2]])}
    path = write_tables(tmp_path / "msk1.fits", "MASK", **columns, SAMP_CYC=("4A", ["all"]))
    with pytest.raises(DataError, match=r"msk1.fits: column SAMP_CYC of extension MASK does not hold"):
        read_mask(path, ACIS)
