"""Synthetic observations are valid, always the same, and never mistaken for flight data."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from chandra_runner import parse_oif
from chandra_runner import synthetic as sample
from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes, read_gtis
from chandra_runner.native.aspect import event_positions, read_aspect
from chandra_runner.native.flares import clean_sigma
from chandra_runner.native.geometry import Pointing
from chandra_runner.native.light_curve import light_curve
from chandra_runner.observation.directory import read_observation
from chandra_runner.observation.raw_files import inventory, kind_of, list_files
from chandra_runner.synthetic.catalog import Sample, Source
from chandra_runner.synthetic.photons import flare_factor

EVERY = pytest.mark.parametrize("obsid", list(sample.OBSIDS))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All ObsIDs of the archive."""
    data = tmp_path_factory.mktemp("data")
    for obsid in sample.OBSIDS:
        sample.write_observation(obsid, data / str(obsid))
    return data


def files(directory: Path, kind: str) -> list[Path]:
    return [directory / path for path in list_files(directory) if kind_of(path) == kind]


def hdus(path: Path) -> Iterator[Any]:
    with fits.open(path, memmap=False) as opened:
        yield from opened


def events_of(path: Path) -> tuple[Any, fits.Header, GoodTimes]:
    with fits.open(path, memmap=False) as opened:
        gtis = read_gtis(opened[1:])
        assert gtis is not None
        return opened["EVENTS"].data, opened["EVENTS"].header, gtis


def column_wcs(header: fits.Header) -> WCS:
    """The celestial coordinates of the columns x and y, read from the header as any program would."""
    numbers = {header[f"TTYPE{n}"].lower(): n for n in range(1, header["TFIELDS"] + 1)}
    wcs = WCS(naxis=2)
    for field, keyword in (("ctype", "TCTYP"), ("crval", "TCRVL"), ("crpix", "TCRPX"), ("cdelt", "TCDLT")):
        setattr(wcs.wcs, field, [header[f"{keyword}{numbers[name]}"] for name in ("x", "y")])
    return wcs


@EVERY
def test_files_pass_fitsverify(made: Path, obsid: int) -> None:
    if not shutil.which("fitsverify"):
        pytest.skip("fitsverify is not installed")
    for path in list_files(made / str(obsid)):
        done = subprocess.run(["fitsverify", "-l", made / str(obsid) / path], capture_output=True, text=True)
        warnings = [line for line in done.stdout.splitlines() if line.startswith("*** Warning")]
        # The archive's own oif.fits has columns of these names.
        assert [line for line in warnings if "MEMBER_DATE-" not in line] == [], path
        assert "and 0 error(s)" in done.stdout


@EVERY
def test_the_same_bytes_each_time(made: Path, obsid: int, tmp_path: Path) -> None:
    sample.write_observation(obsid, tmp_path / "again")
    assert inventory(tmp_path / "again") == inventory(made / str(obsid))


@EVERY
def test_every_header_says_that_it_is_simulated(made: Path, obsid: int) -> None:
    for path in list_files(made / str(obsid)):
        for hdu in hdus(made / str(obsid) / path):
            assert hdu.header["ORIGIN"] == "SIMULATION"
            assert hdu.header["DATACLAS"] == "SIMULATED"
            assert hdu.header["OBJECT"].startswith("SIMULATED")
            assert hdu.header["OBS_ID"] == str(obsid)
            assert "not flight data" in str(hdu.header["HISTORY"])
            assert "DATE" not in hdu.header


@EVERY
def test_every_file_has_a_kind_and_is_in_the_index(made: Path, obsid: int) -> None:
    directory = made / str(obsid)
    paths = [path for path in list_files(directory) if path != "oif.fits"]
    assert all(kind_of(path) for path in paths)
    index = fits.getdata(directory / "oif.fits", 1)
    assert sorted(index["MEMBER_LOCATION"]) == sorted(path.removesuffix(".gz") for path in paths)
    for row in index:
        header = fits.getheader(directory / f"{row['MEMBER_LOCATION']}.gz", 1)
        assert (row["MEMBER_CONTENT"], row["MEMBER_NAME"]) == (header["CONTENT"], header["EXTNAME"])


@pytest.mark.parametrize(
    ("obsid", "instrument", "detector", "ids"),
    [
        (99001, "ACIS", "0123", ["E001"]),
        (99002, "ACIS", "67", ["E001"]),
        (99003, "HRC", "I", ["E001"]),
        (99004, "ACIS", "67", ["e1", "e2"]),
        (99005, "ACIS", "0123", ["E000", "E001"]),
    ],
)
def test_instruments_and_exposures_are_those_of_the_catalog(
    made: Path, obsid: int, instrument: str, detector: str, ids: list[str]
) -> None:
    (answer,) = parse_oif(made / str(obsid) / "oif.fits").values()
    assert answer["active"]
    assert answer["DETECTOR"] == detector
    assert answer["alt_exp_mode"] == (obsid == 99004)
    assert answer["sub_exp_ids"] == (ids if obsid == 99005 else ["E001"])
    observation = read_observation(made / str(obsid), obsid)
    assert (observation.instrument, observation.active, observation.notes) == (instrument, True, ())
    assert [exposure.id for exposure in observation.exposures] == ids
    for exposure in observation.exposures:
        assert {"evt1", "asol1", "bpix1", "fov1", "flt1", "msk1"} <= exposure.files.keys()
        # A merged level 2 is no exposure's own.
        assert ("evt2" in exposure.files) == (obsid != 99005)
        assert ("dtf1" in exposure.files) == (instrument == "HRC")


@EVERY
def test_positions_follow_from_chip_coordinates_and_the_aspect_solution(made: Path, obsid: int) -> None:
    directory = made / str(obsid)
    for path in files(directory, "evt1"):
        interval = path.name.split("_")[1][:3]
        aspect = read_aspect([p for p in files(directory, "asol1") if f"_{interval}N" in p.name])
        events, header, _ = events_of(path)
        pointing = Pointing.of(header)
        chip = events[pointing.detector.chip_column]
        place = event_positions(pointing, aspect, chip, events["chipx"], events["chipy"], events["time"])
        for name in ("detx", "dety", "x", "y"):
            assert np.max(np.abs(getattr(place, name) - events[name])) < 0.01


def source_cases() -> list[Any]:
    return [
        pytest.param(s, src, id=f"{s.obsid} {src.name}") for s in sample.OBSIDS.values() for src in s.sources
    ]


@pytest.mark.parametrize(("observation", "source"), source_cases())
def test_sources_are_at_their_catalog_positions(made: Path, observation: Sample, source: Source) -> None:
    for path in files(made / str(observation.obsid), "evt2"):
        events, header, _ = events_of(path)
        wcs = column_wcs(header)
        x, y = wcs.all_world2pix([observation.position(source)], 1)[0]
        pixel = abs(wcs.wcs.cdelt[1]) * 3600
        right, up = (events["x"] - x) * pixel, (events["y"] - y) * pixel
        near = np.hypot(right, up) < max(12, source.core)
        assert np.count_nonzero(near) >= 15
        assert np.hypot(np.median(right[near]), np.median(up[near])) < 1


@EVERY
def test_level_2_is_the_good_events_of_level_1(made: Path, obsid: int) -> None:
    directory = made / str(obsid)
    hrc = obsid == 99003
    for path in files(directory, "evt2"):
        tag = path.name.partition("N001")[2].removesuffix("evt2.fits.gz")
        level_1 = [events_of(p) for p in files(directory, "evt1") if p.name.endswith(f"{tag}evt1.fits.gz")]
        level_2, header, _ = events_of(path)
        assert header["CONTENT"] == "EVT2"
        kept = []
        for events, _, gtis in level_1:
            chip = np.zeros(len(events)) if hrc else events["ccd_id"]
            good = np.any(
                [(chip == c) & gtis.of(c).contains(events["time"]) for c in np.unique(chip)], axis=0
            )
            # HRC: those of CIAO's level-2 status bits that occur here.
            bad = events["status"][:, [19, 23]] if hrc else events["status"]
            assert 0.02 < np.mean(events["status"].any(axis=1)) < 0.05
            assert np.mean(good) < 1
            good &= ~bad.any(axis=1)
            kept.append(events[good] if hrc else events[good & np.isin(events["grade"], (0, 2, 3, 4, 6))])
        for name in level_2.names:
            assert np.array_equal(np.concatenate([events[name] for events in kept]), level_2[name])
        assert np.all(np.diff(level_2["time"]) >= 0)


@EVERY
def test_exposure_keywords_are_those_of_the_good_times(made: Path, obsid: int) -> None:
    directory = made / str(obsid)
    for path in (*files(directory, "evt1"), *files(directory, "evt2")):
        _, header, gtis = events_of(path)
        assert header["ONTIME"] == pytest.approx(gtis.first.total())
        for chip, gti in ({} if gtis.shared else gtis.by_chip).items():
            assert header[f"ONTIME{chip}"] == pytest.approx(gti.total())
            assert header[f"LIVTIME{chip}"] == pytest.approx(gti.total() * header["DTCOR"])
        assert header["LIVETIME"] == header["EXPOSURE"] == pytest.approx(header["ONTIME"] * header["DTCOR"])
        assert header["TSTART"] < gtis.first.start[0] < gtis.first.stop[-1] < header["TSTOP"]
    for path in files(directory, "flt1"):
        twin = directory / "secondary" / path.name.replace("flt1", "evt1")
        _, _, gtis = events_of(twin)
        of_filter = read_gtis(hdus(path))
        assert of_filter is not None
        assert list(of_filter.by_chip) == list(gtis.by_chip)
        assert all(np.array_equal(of_filter.of(chip).edges(), g.edges()) for chip, g in gtis.by_chip.items())


@EVERY
def test_events_are_inside_their_chips_field_of_view(made: Path, obsid: int) -> None:
    directory = made / str(obsid)
    for path in files(directory, "fov1"):
        events, _, _ = events_of(directory / "secondary" / path.name.replace("fov1", "evt1"))
        table = fits.getdata(path, 1)
        column = "CHIP_ID" if obsid == 99003 else "CCD_ID"
        for row in table:
            on_chip = events[events[column] == row[column]]
            corners = np.column_stack([row["X"], row["Y"]])
            side = np.diff(corners, axis=0)
            x, y = (np.subtract.outer(on_chip[name], corners[:-1, i]) for i, name in enumerate(("x", "y")))
            assert np.min(side[:, 0] * y - side[:, 1] * x) > 0
            # Dither and all, it is no larger than the chip and 20 arcsec on each side.
            assert np.ptp(corners, axis=0).max() < (1024 * 2**0.5 + 80 if obsid != 99003 else 2**0.5 * 16384)


@pytest.mark.parametrize("obsid", [99001, 99002, 99004, 99005])
def test_acis_events_on_listed_bad_pixels_are_flagged(made: Path, obsid: int) -> None:
    directory = made / str(obsid)
    for path in files(directory, "bpix1"):
        events, _, _ = events_of(directory / "secondary" / path.name.replace("bpix1", "evt1"))
        on_bad = np.zeros(len(events), dtype=bool)
        for hdu in hdus(path):
            for row in [] if hdu.data is None else hdu.data:
                (x0, x1), (y0, y1) = row["CHIPX"], row["CHIPY"]
                inside = (events["chipx"] >= x0) & (events["chipx"] <= x1)
                inside &= (events["chipy"] >= y0) & (events["chipy"] <= y1)
                on_bad |= inside & (events["ccd_id"] == hdu.header["CCD_ID"])
                # Hot spots, a hot column, edge columns, edge rows.
                assert np.flatnonzero(row["STATUS"][::-1]).tolist() in ([0], [8], [14], [17])
        assert np.array_equal(on_bad, events["status"][:, 31 - 4])
        assert on_bad.any() or obsid != 99001


@pytest.mark.parametrize(("obsid", "width"), [(99001, 5), (99002, 3)])
def test_pulse_heights_around_the_center_agree_with_the_grade(made: Path, obsid: int, width: int) -> None:
    events, _, _ = events_of(files(made / str(obsid), "evt1")[0])
    assert events["phas"].shape[1:] == (width, width)
    middle = width // 2
    inner = events["phas"][:, middle - 1 : middle + 2, middle - 1 : middle + 2].reshape(-1, 9) > 13
    weights = [1, 2, 4, 8, 0, 16, 32, 64, 128]
    assert np.array_equal(inner @ weights, events["fltgrade"])
    assert np.all(inner[:, 4])


def test_acis_events_are_in_the_middle_of_their_frame_on_pixels_that_are_read(made: Path) -> None:
    events, header, _ = events_of(files(made / "99002", "evt1")[0])
    frame = (events["time"] - header["TSTART"]) / header["TIMEDEL"] + 0.5
    assert np.max(np.abs(frame - events["expno"])) < 1e-4
    assert events["chipy"].min() >= header["FIRSTROW"] + 1
    assert events["chipy"].max() <= header["FIRSTROW"] + header["NROWS"] - 2


def test_the_flares_stand_out_at_the_settings_of_the_quickstart(made: Path) -> None:
    (interval,) = sample.OBSIDS[99001].intervals
    with EventFile.open(files(made / "99001", "evt2")[0]) as events:
        curve, good = light_curve(events, 100, (500, 7000)), events.good_times.first
    quiet = clean_sigma(curve.time_min, curve.time_max, curve.rate, allowed_sigma=3, min_length=3)
    time = interval.start + np.arange(0.5, interval.span)
    time = time[good.contains(time)]
    # Background is 0.58 of the quiet rate.
    flaring = 0.58 * (flare_factor(interval.flares, time - interval.start) - 1) > 0.5
    kept = quiet.gti.contains(time)
    assert 0.1 < np.mean(flaring) < 0.15
    assert np.mean(~kept[flaring]) > 0.9
    assert np.mean(kept[~flaring]) > 0.95


def test_a_real_obsid_is_refused(tmp_path: Path) -> None:
    assert all(obsid > 90_000 for obsid in sample.OBSIDS)
    with pytest.raises(DataError, match="no ObsID 493; its ObsIDs are 99001"):
        sample.write_observation(493, tmp_path / "493")
    assert not list(tmp_path.iterdir())


def test_a_directory_with_data_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "99002").mkdir()
    (tmp_path / "99002" / "mine.txt").write_text("mine")
    with pytest.raises(OSError, match="not empty"):
        sample.write_observation(99002, tmp_path / "99002")
    assert [path.name for path in tmp_path.rglob("*")] == ["99002", "mine.txt"]


def test_an_empty_or_linked_directory_is_filled(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    (tmp_path / "99003").symlink_to("store")
    sample.write_observation(99003, tmp_path / "99003")
    assert (tmp_path / "99003").is_symlink()
    assert len(list_files(tmp_path / "99003")) == 9
    assert sorted(path.name for path in tmp_path.iterdir()) == ["99003", "store"]


def test_nothing_is_left_if_it_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("chandra_runner.synthetic.files.write_fits", fail)
    with pytest.raises(OSError, match="No space"):
        sample.write_observation(99003, tmp_path / "99003")
    assert not list(tmp_path.iterdir())
