"""Good-time intervals: start <= t < stop, sorted and apart, whatever they were made of."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.gti import GoodTimes, Gti, good_time, make_gti, read_gtis


def intervals(gti: Gti) -> list[tuple[float, float]]:
    return list(zip(gti.start.tolist(), gti.stop.tolist(), strict=True))


def random_gti(random: np.random.Generator) -> Gti:
    start = random.integers(-2, 12, random.integers(0, 6)) * 1.0
    return make_gti(start, start + random.integers(-1, 4, len(start)))


@pytest.mark.parametrize(
    ("start", "stop", "expected"),
    [
        ([5, 1], [6, 2], [(1, 2), (5, 6)]),
        ([1, 2], [3, 4], [(1, 4)]),
        ([1, 3], [3, 4], [(1, 4)]),
        ([1, 2], [9, 3], [(1, 9)]),
        ([1, 5, 7], [1, 4, 8], [(7, 8)]),
        ([], [], []),
    ],
    ids=["sorted", "overlap", "touch", "inside", "empty and reversed", "none"],
)
def test_intervals_are_sorted_merged_and_never_empty(
    start: list[float], stop: list[float], expected: list[tuple[float, float]]
) -> None:
    assert intervals(make_gti(start, stop)) == expected


def test_the_start_is_inside_and_the_stop_is_not() -> None:
    gti = make_gti([1, 5], [2, 6])
    assert gti.contains([0.9, 1, 1.9, 2, 4, 5, 6, np.nan]).tolist() == [0, 1, 1, 0, 0, 1, 0, 0]


def test_intersection_contains_what_both_contain() -> None:
    random = np.random.default_rng(1)
    times = np.arange(-3, 17, 0.5)
    for _ in range(200):
        one, other = random_gti(random), random_gti(random)
        both = one.intersect(other)
        assert np.array_equal(both.contains(times), one.contains(times) & other.contains(times))
        assert np.all(both.start < both.stop)
        assert np.all(both.start[1:] > both.stop[:-1])


def test_good_time_of_a_bin_is_its_overlap() -> None:
    random = np.random.default_rng(2)
    for _ in range(200):
        gti = random_gti(random)
        edges = np.unique(random.uniform(-3, 17, 8))
        expected = [gti.intersect(make_gti(low, high)).total() for low, high in pairwise(edges)]
        np.testing.assert_allclose(good_time(gti, edges), expected, atol=1e-12)


def test_good_time_at_mission_times_loses_nothing() -> None:
    start = 828602308.49718
    gti = make_gti([start + 100.25], [start + 400.5])
    assert good_time(gti, start + np.array([0, 300, 600.0])).tolist() == [199.75, 100.5]


def test_shared_good_times_are_those_of_every_chip() -> None:
    shared = GoodTimes({1: make_gti([0], [10])}, shared=True)
    by_chip = GoodTimes({7: make_gti([5], [20]), 6: make_gti([8], [9])}, shared=False)
    for both in (shared.intersect(by_chip), by_chip.intersect(shared)):
        assert not both.shared
        assert {chip: intervals(gti) for chip, gti in both.by_chip.items()} == {7: [(5, 10)], 6: [(8, 9)]}


def test_a_chip_that_only_one_of_two_has_has_no_common_good_time() -> None:
    one = GoodTimes({7: make_gti([0], [10]), 6: make_gti([0], [10])}, shared=False)
    other = GoodTimes({7: make_gti([0], [5])}, shared=False)
    assert one.intersect(other).of(6).total() == 0
    assert one.intersect(other).of(7).total() == 5
    assert other.of(3).total() == 0


def test_flight_files_have_one_gti_per_chip_and_the_aimpoint_first(shared_data: Path) -> None:
    with fits.open(shared_data / "real/754/primary/acisf00754N001_evt2.fits.gz") as hdus:
        good_times = read_gtis(hdus)
    assert good_times is not None
    assert not good_times.shared
    assert list(good_times.by_chip) == [3, 0, 1, 2]
    assert good_times.first.total() == pytest.approx(19183.200018182397, abs=1e-6)
    assert len(good_times.of(1)) == 2


def test_the_one_gti_of_hrc_is_for_all_chips(shared_data: Path) -> None:
    with fits.open(shared_data / "sim/90003/secondary/hrcf90003_000N001_flt1.fits.gz") as hdus:
        good_times = read_gtis(hdus)
    assert good_times is not None
    assert good_times.shared


def gti_hdu(*columns: str, times: list[float] | None = None, **keywords: int) -> fits.BinTableHDU:
    table = [fits.Column(name, "1D", array=[0.0] if times is None else times) for name in columns]
    hdu = fits.BinTableHDU.from_columns(table, name="GTI")
    hdu.header.update(keywords)
    return hdu


@pytest.mark.parametrize(
    ("hdus", "message"),
    [
        ([gti_hdu("START")], "no column STOP"),
        ([gti_hdu("START", "STOP", times=[np.nan])], "START of extension GTI holds values that are not"),
        (
            [gti_hdu("START", "STOP", CCD_ID=7), gti_hdu("START", "STOP", CCD_ID=7)],
            "two GTI extensions for chip 7",
        ),
    ],
    ids=["column", "number", "chip"],
)
def test_what_is_wrong_with_a_gti_extension_is_named(hdus: list[fits.BinTableHDU], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_gtis(hdus)


def test_a_file_without_gtis_has_none() -> None:
    assert read_gtis([fits.PrimaryHDU()]) is None


def test_without_ccd_id_the_ccd_comes_from_the_block_name() -> None:
    hdu = gti_hdu("start", "stop", EXTVER=1)
    hdu.header["HDUNAME"] = "GTI6"
    good_times = read_gtis([hdu])
    assert good_times is not None
    assert (list(good_times.by_chip), good_times.shared) == ([6], False)
