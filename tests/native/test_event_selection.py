"""A selection keeps the rows that CFITSIO's row filter keeps, and its header agrees with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.native.event_selection import (
    ANY_STATUS,
    HeaderUpdate,
    Selection,
    SelectionReport,
    in_good_time,
    is_particle,
    select_events,
    status_text,
    status_words,
)

from ..event_files import (
    acis_columns,
    assert_sound,
    cfitsio_filter,
    cfitsio_good_times,
    table_bytes,
    write_events,
)

HEADER_UPDATE = HeaderUpdate(("test",), 0.9)


def select(
    source: Path, target: Path, header_update: HeaderUpdate = HEADER_UPDATE, **cuts: object
) -> SelectionReport:
    with EventFile.open(source) as events:
        selection = Selection(**({"good_times": events.good_times} | cuts))
        return select_events(events, target, selection, header_update)


def column(path: Path, name: str) -> np.ndarray:
    with fits.open(path, memmap=False) as hdus:
        return np.array(hdus["EVENTS"].data[name])


@pytest.mark.parametrize("form", ["1I", "1J"])
def test_ranges_of_integer_energies_keep_both_ends(tmp_path: Path, form: str) -> None:
    columns = acis_columns(rows=6) | {"energy": (form, [499, 500, 1000, 6999, 7000, 7001])}
    columns["time"] = ("1D", np.arange(1100.0, 1106.0))
    columns["ccd_id"] = ("1I", np.full(6, 7))
    source = write_events(tmp_path / "evt.fits", columns)
    select(source, tmp_path / "out.fits", energy=(500, 7000))
    assert column(tmp_path / "out.fits", "energy").tolist() == [500, 1000, 6999, 7000]


def test_each_cut_keeps_what_it_says(tmp_path: Path) -> None:
    source = write_events(tmp_path / "evt.fits")
    low, high = np.sort(column(source, "energy"))[[100, 300]].astype(float)
    report = select(
        source, tmp_path / "out.fits", status=ANY_STATUS, grades=(0, 2, 3, 4, 6), energy=(low, high)
    )
    energy, grade, ccd = (column(source, name) for name in ("energy", "grade", "ccd_id"))
    time = column(source, "time")
    good = ((ccd == 7) & (time < 1400)) | (
        (ccd == 6) & (((time >= 1100) & (time < 1500)) | ((time >= 1600) & (time < 1900)))
    )
    cuts = {
        "time": good,
        "status": ~column(source, "status").any(axis=1),
        "grade": np.isin(grade, [0, 2, 3, 4, 6]),
        "energy": (energy >= low) & (energy < high),
    }
    left, dropped = np.ones(len(time), dtype=bool), {}
    for name, keep in cuts.items():
        dropped[name] = int(np.sum(left & ~keep))
        left = left & keep
    assert 0 < left.sum() < 200
    assert column(tmp_path / "out.fits", "time").tolist() == time[left].tolist()
    assert report == SelectionReport(400, int(left.sum()), dropped, True)
    assert str(report).startswith(
        f"{left.sum()} of 400 events kept; time dropped {dropped['time']}, status dropped "
    )
    assert_sound(tmp_path / "out.fits")


@pytest.mark.parametrize(
    ("name", "chips"),
    [
        ("real/754/primary/acisf00754N001_evt2.fits.gz", (3, 0, 1, 2)),
        ("real/28229/primary/acisf28229N001_evt2.fits.gz", (7, 6)),
        ("sim/90001/secondary/acisf90001_000N001_evt1.fits.gz", (3, 0, 1, 2, 6)),
        ("sim/90002/secondary/acisf90002_000N001_evt1.fits.gz", (7, 2, 3, 5, 6, 8)),
    ],
)
def test_acis_rows_are_those_of_cfitsio(
    shared_data: Path, tmp_path: Path, name: str, chips: tuple[int, ...]
) -> None:
    with EventFile.open(shared_data / name) as events:
        middle = (events.tstart + events.tstop) / 2
        cut = GoodTimes({1: make_gti([0, middle + 500.5], [middle, 1e10])}, shared=True)
        selection = Selection(events.good_times.intersect(cut), ANY_STATUS, (0, 2, 3, 4, 6), (500, 7000))
        report = select_events(events, tmp_path / "ours.fits", selection, HEADER_UPDATE)
    grades = "||".join(f"grade=={grade}" for grade in (0, 2, 3, 4, 6))
    expression = (
        f"energy>=500&&energy<7000&&({grades})&&status==b{'0' * 32}&&"
        f"{cfitsio_good_times(tmp_path / 'ours.fits', chips)}"
    )
    theirs = cfitsio_filter(shared_data / name, tmp_path / "theirs.fits", expression)
    assert table_bytes(tmp_path / "ours.fits") == table_bytes(theirs)
    assert report.dropped["time"] > 100
    assert report.dropped["energy"] > 100
    assert_sound(tmp_path / "ours.fits")


def test_hrc_rows_are_those_of_cfitsio(shared_data: Path, tmp_path: Path) -> None:
    name = "sim/90003/secondary/hrcf90003_000N001_evt1.fits.gz"
    report = select(shared_data / name, tmp_path / "ours.fits", status=ANY_STATUS)
    gti = f"gtifilter('{tmp_path / 'ours.fits'}[GTI]',time,'START','STOP')"
    theirs = cfitsio_filter(shared_data / name, tmp_path / "theirs.fits", f"status==b{'0' * 32}&&{gti}")
    assert table_bytes(tmp_path / "ours.fits") == table_bytes(theirs)
    assert report.dropped["time"] > 100
    assert_sound(tmp_path / "ours.fits")


@pytest.mark.filterwarnings("ignore::astropy.wcs.FITSFixedWarning")  # of dates, which are not looked at
@pytest.mark.parametrize(
    "name", ["real/754/primary/acisf00754N001_evt2.fits.gz", "sim/90003/primary/hrcf90003N001_evt2.fits.gz"]
)
def test_celestial_coordinates_are_unchanged(shared_data: Path, tmp_path: Path, name: str) -> None:
    select(shared_data / name, tmp_path / "out.fits")
    before, after = (fits.getheader(path, "EVENTS") for path in (shared_data / name, tmp_path / "out.fits"))
    place = [before[f"TTYPE{n}"] for n in range(1, before["TFIELDS"] + 1)].index("x") + 1
    skies = [WCS(header, keysel=["pixel"], colsel=[place, place + 1]) for header in (before, after)]
    positions = [sky.all_pix2world([[4000.0, 4100.0], [1.0, 8000.0]], 1) for sky in skies]
    assert skies[0].wcs.ctype[0] == "RA---TAN"
    np.testing.assert_array_equal(*positions)
    changed = {
        key for key in before if before[key] != after.get(key) and key not in ("", "COMMENT", "HISTORY")
    }
    assert {key.rstrip("0123456789") for key in changed} <= {
        "CREATOR", "DATE", "CHECKSUM", "DATASUM", "DTCOR", "ORIGIN",
        "ONTIME", "LIVETIME", "EXPOSURE", "LIVTIME", "EXPOSUR",
    }  # fmt: skip


def test_exposure_keywords_are_those_of_the_good_times(tmp_path: Path) -> None:
    select(write_events(tmp_path / "evt.fits"), tmp_path / "out.fits", HeaderUpdate((), 0.5))
    with fits.open(tmp_path / "out.fits") as hdus:
        header = hdus["EVENTS"].header
        ontime = {
            chip: float(np.sum(hdus["GTI", chip].data["STOP"] - hdus["GTI", chip].data["START"]))
            for chip in (7, 6)
        }
    assert ontime == {7: 400.0, 6: 700.0}
    assert (header["ONTIME"], header["ONTIME7"], header["ONTIME6"]) == (400, 400, 700)
    assert (header["LIVETIME"], header["EXPOSURE"], header["LIVTIME6"], header["EXPOSUR6"]) == (
        200,
        200,
        350,
        350,
    )
    assert (header["DTCOR"], header["TSTART"], header["TSTOP"]) == (0.5, 1000, 2000)
    assert "ONTIME3" not in header


def test_gtis_have_the_names_of_ciao_and_the_aimpoint_stays_first(tmp_path: Path) -> None:
    select(write_events(tmp_path / "evt.fits"), tmp_path / "out.fits")
    with fits.open(tmp_path / "out.fits") as hdus:
        names = [(hdu.name, hdu.ver, hdu.header["HDUNAME"], hdu.header["CCD_ID"]) for hdu in hdus[2:]]
    assert names == [("GTI", 7, "GTI7", 7), ("GTI", 6, "GTI6", 6)]


def test_a_gti_for_all_chips_has_no_number(shared_data: Path, tmp_path: Path) -> None:
    select(shared_data / "sim/90003/primary/hrcf90003N001_evt2.fits.gz", tmp_path / "out.fits")
    header = fits.getheader(tmp_path / "out.fits", "GTI")
    assert (header["HDUNAME"], "CCD_ID" in header) == ("GTI", False)
    assert header["ONTIME"] == pytest.approx(4885.650000035763, abs=1e-6)


def test_the_header_records_the_cuts(tmp_path: Path) -> None:
    header_update = HeaderUpdate(("energies cut",), 0.9, {"BPIXFILE": "b.fits"})
    select(
        write_events(tmp_path / "evt.fits"),
        tmp_path / "out.fits",
        header_update,
        energy=(500, 7000),
        grades=(0, 2),
        status=3,
    )
    header = fits.getheader(tmp_path / "out.fits", "EVENTS")
    space = {header[f"DSTYP{n}"]: header[f"DSVAL{n}"] for n in (1, 2)}
    assert space == {"grade": "0:0,2:2", "energy": "500:7000"}
    assert header["STATFILT"] == "x" * 30 + "00"
    assert header["BPIXFILE"] == "b.fits"
    assert "energies cut" in header["HISTORY"][-1]


def test_other_extensions_are_copied(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "real/reference/ltc1/13851_source_evt2.fits.gz"
    select(source, tmp_path / "out.fits")
    with fits.open(source) as before, fits.open(tmp_path / "out.fits") as after:
        assert [hdu.name for hdu in before] == [hdu.name for hdu in after]
        assert before["REGION"].data.tobytes() == after["REGION"].data.tobytes()
    assert_sound(tmp_path / "out.fits")


@pytest.mark.parametrize(
    "cuts", [{"energy": (1e6, 2e6)}, {"good_times": GoodTimes({7: make_gti([], [])}, False)}]
)
def test_a_selection_of_nothing_is_a_sound_file(tmp_path: Path, cuts: dict[str, object]) -> None:
    report = select(write_events(tmp_path / "evt.fits"), tmp_path / "out.fits", **cuts)
    assert report.rows_out == 0
    assert table_bytes(tmp_path / "out.fits")[1] == 0
    assert_sound(tmp_path / "out.fits")


@pytest.mark.parametrize(("swapped", "in_order"), [([5, 4], False), ([100, 99], False), ([7, 7], True)])
def test_times_that_go_back_are_noticed_within_and_between_chunks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swapped: list[int], in_order: bool
) -> None:
    columns = acis_columns()
    time = columns["time"][1]
    time[swapped] = time[swapped[::-1]]
    source = write_events(tmp_path / "evt.fits", columns, {None: ([0], [9999])})
    monkeypatch.setattr(EventFile.chunks, "__defaults__", (100,))
    assert select(source, tmp_path / "out.fits").in_order == in_order


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    columns = acis_columns()
    del columns["energy"]
    source = write_events(tmp_path / "evt.fits", columns)
    with pytest.raises(DataError, match=r"evt\.fits: EVENTS has no column energy"):
        select(source, tmp_path / "out.fits", energy=(500, 7000))


def test_limits_are_not_rounded_to_the_precision_of_the_column(tmp_path: Path) -> None:
    columns = acis_columns(3)
    energy = np.float32(1000.1)
    columns["energy"] = ("1E", [energy] * 3)
    source = write_events(tmp_path / "evt.fits", columns, {None: ([0], [9999])})
    assert select(source, tmp_path / "a.fits", energy=(float(energy) + 1e-9, 2000)).rows_out == 0
    assert select(source, tmp_path / "b.fits", energy=(float(energy), 2000)).rows_out == 3
    assert select(source, tmp_path / "c.fits", energy=(500, float(energy))).rows_out == 0


def test_events_are_in_the_good_times_of_their_own_chip() -> None:
    good_times = GoodTimes({7: make_gti([0], [10]), 6: make_gti([5, 20], [8, 30])}, shared=False)
    time = np.array([0, 5, 7.9, 8, 10, 25, np.nan])
    for chip, expected in ((7, [1, 1, 1, 1, 0, 0, 0]), (6, [0, 1, 1, 0, 0, 1, 0]), (3, [0] * 7)):
        assert in_good_time(good_times, time, np.full(7, chip, ">i2")).tolist() == expected
    for together, expected in (([6.0, 7.0], [1, 1]), ([12.0, 13.0], [0, 0]), ([6.0, np.nan], [1, 0])):
        assert in_good_time(good_times, np.array(together), np.array([6, 7], ">i2")).tolist() == expected


def test_status_bits_are_counted_from_the_right() -> None:
    status = np.array([[0x80, 0, 0, 1]], dtype=np.uint8)
    assert status_words(status).tolist() == [0x80000001]
    assert status_text(0x80000001) == "0" + "x" * 30 + "0"


def test_an_event_with_a_bright_outer_pixel_is_a_particle() -> None:
    islands = np.zeros((27, 25), dtype=">i2")
    islands[np.arange(25), np.arange(25)] = 14
    islands[25] = 13
    outer = [i for i in range(25) if i // 5 in (0, 4) or i % 5 in (0, 4)]
    assert np.flatnonzero(is_particle(islands)).tolist() == outer
