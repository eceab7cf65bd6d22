"""Level 2 has the cuts of chandra_repro, DTCOR from dtf1, events sorted by time, a filter file for CIAO."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.native.event_selection import ANY_STATUS, HeaderUpdate, select_events
from chandra_runner.native.level2 import (
    HRC_STATUS,
    level2_selection,
    mean_live_fraction,
    read_good_times,
    sort_events,
    status_bits,
    write_level2_gti,
)

from ..event_files import acis_columns, assert_sound, table_bytes, write_events

GOOD_TIMES = GoodTimes({7: make_gti([1000], [1500])}, shared=False)


def test_level_2_of_acis_has_good_grades_and_status_zero(tmp_path: Path) -> None:
    with EventFile.open(write_events(tmp_path / "evt.fits")) as events:
        selection = level2_selection(events, GOOD_TIMES, very_faint=False)
    assert (selection.status, selection.grades, selection.energy) == (ANY_STATUS, (0, 2, 3, 4, 6), None)


@pytest.mark.parametrize(("instrument", "detector"), [("ACIS", "ACIS-67"), ("HRC", "HRC-I")])
def test_events_without_sky_position_are_not_in_level_2(
    tmp_path: Path, instrument: str, detector: str
) -> None:
    columns = acis_columns() | {"x": ("1E", np.arange(400.0)), "y": ("1E", np.arange(400.0))}
    columns["x"][1][:200:2], columns["y"][1][1:200:2] = np.nan, np.nan
    columns |= {"grade": ("1I", np.zeros(400)), "status": ("32X", np.zeros((400, 32), dtype=bool))}
    source = write_events(tmp_path / "evt.fits", columns, INSTRUME=instrument, DETNAM=detector)
    with EventFile.open(source) as events:
        all_times = GoodTimes({1: make_gti([1000], [2000])}, shared=True)
        selection = level2_selection(events, all_times, very_faint=False)
        report = select_events(events, tmp_path / "out.fits", selection, HeaderUpdate((), 0.9))
    assert (report.rows_out, report.dropped) == (200, {"finite x": 100, "finite y": 100})
    with fits.open(tmp_path / "out.fits") as hdus:
        assert hdus["EVENTS"].data["x"].tolist() == list(range(200, 400))


@pytest.mark.parametrize("detector", ["HRC-I", "HRC-S"])
def test_level_2_of_hrc_uses_the_status_bits_of_its_detector(tmp_path: Path, detector: str) -> None:
    path = write_events(tmp_path / "evt.fits", INSTRUME="HRC", DETNAM=detector)
    with EventFile.open(path) as events:
        selection = level2_selection(events, GOOD_TIMES, very_faint=False)
    bits = HRC_STATUS[detector]
    assert len(bits) == 32
    assert selection.grades is None
    assert [31 - i for i in range(32) if bits[i] == "0"] == [
        i for i in range(31, -1, -1) if selection.status >> i & 1
    ]


def test_status_masks_have_bit_31_at_the_left() -> None:
    assert status_bits("0" + "x" * 30 + "0") == 0x80000001


def test_an_unknown_instrument_is_named(tmp_path: Path) -> None:
    path = write_events(tmp_path / "evt.fits", INSTRUME="XRT", DETNAM="PC")
    with EventFile.open(path) as events, pytest.raises(DataError, match="DETNAM is 'PC'"):
        level2_selection(events, GOOD_TIMES, very_faint=False)


def dead_times(path: Path, *names: str) -> Path:
    columns = dict(zip(names, ([0.0, 1, 2, 3, 4], [0.5, 0.7, 0.9, np.nan, 0.1]), strict=True))
    table = [fits.Column(name, "1D", array=array) for name, array in columns.items()]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(table, name="DTF")]).writeto(path)
    return path


def test_the_live_fraction_is_the_mean_over_good_time(tmp_path: Path) -> None:
    path = dead_times(tmp_path / "dtf.fits", "Time", "dtf")
    assert mean_live_fraction(path, make_gti([1], [4])) == pytest.approx(0.8)
    assert mean_live_fraction(path, make_gti([10], [11])) is None


def test_a_dead_time_file_with_impossible_numbers_is_refused(tmp_path: Path) -> None:
    columns = [fits.Column(name, "1D", array=array) for name, array in (("TIME", [0, 1]), ("DTF", [1.5, 1]))]
    fits.BinTableHDU.from_columns(columns, name="DTF").writeto(tmp_path / "dtf.fits")
    with pytest.raises(DataError, match=r"dtf\.fits: the live fraction \(DTCOR\) is 1\.25, not above 0"):
        mean_live_fraction(tmp_path / "dtf.fits", make_gti([0], [4]))


def test_a_dead_time_file_without_its_columns_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"dtf\.fits has no table with the columns TIME, DTF"):
        mean_live_fraction(dead_times(tmp_path / "dtf.fits", "TIME", "RATE"), make_gti([1], [4]))


def test_sorting_keeps_rows_whole_and_the_order_of_equal_times(tmp_path: Path) -> None:
    columns = acis_columns()
    columns["time"] = ("1D", np.random.default_rng(3).integers(1000, 1020, 400).astype(float))
    source = write_events(tmp_path / "evt.fits", columns)
    sort_events(source, tmp_path / "sorted.fits")
    with fits.open(source) as hdus:
        rows = hdus["EVENTS"].data.view(np.ndarray)
        expected = rows[np.argsort(rows["time"], kind="stable")].tobytes()
    assert table_bytes(tmp_path / "sorted.fits")[0] == expected
    assert_sound(tmp_path / "sorted.fits")


def test_the_filter_file_has_the_form_of_those_of_ciao(tmp_path: Path, shared_data: Path) -> None:
    reference = shared_data / "real/reference/28229/acisf28229_repro_flt2.fits.gz"
    source = shared_data / "real/28229/primary/acisf28229N001_evt2.fits.gz"
    good_times = read_good_times(reference)
    with EventFile.open(source) as events:
        write_level2_gti(tmp_path / "flt2.fits", events, good_times, events.dtcor, ["test"])
    assert_sound(tmp_path / "flt2.fits")
    with fits.open(tmp_path / "flt2.fits") as ours, fits.open(reference) as theirs:
        assert [(hdu.name, hdu.ver) for hdu in ours] == [(hdu.name, hdu.ver) for hdu in theirs]
        assert ours["FILTER"].columns.names == theirs["FILTER"].columns.names
        for key in (
            "DSTYP1",
            "DSVAL1",
            "DSFORM1",
            "DSREF1",
            "2DSREF1",
            "DSTYP2",
            "DSVAL2",
            "DSFORM2",
            "2DSVAL2",
        ):
            assert ours["FILTER"].header[key] == theirs["FILTER"].header[key]
        for chip in (7, 6):
            assert ours["GTI", chip].data.tobytes() == theirs["GTI", chip].data.tobytes()


def test_a_filter_for_all_chips_names_none(tmp_path: Path, shared_data: Path) -> None:
    with EventFile.open(shared_data / "sim/90003/primary/hrcf90003N001_evt2.fits.gz") as events:
        write_level2_gti(tmp_path / "flt2.fits", events, events.good_times, events.dtcor, ["test"])
    assert_sound(tmp_path / "flt2.fits")
    header = fits.getheader(tmp_path / "flt2.fits", "FILTER")
    assert (header["DSREF1"], header["TFIELDS"], "DSTYP2" in header) == (":GTI", 1, False)
    assert read_good_times(tmp_path / "flt2.fits").shared


def test_a_file_without_good_times_is_named(tmp_path: Path) -> None:
    path = write_events(tmp_path / "evt.fits", gtis={})
    with pytest.raises(DataError, match=r"evt\.fits has no GTI extension"):
        read_good_times(path)
