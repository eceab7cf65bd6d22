"""Light curves equal those of CIAO's dmextract to the count."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import good_time, read_gtis
from chandra_runner.native.light_curve import (
    Band,
    count_events,
    light_curve,
    read_light_curve,
    time_edges,
    write_light_curve,
)

from ..obsid_files import write_table

SOURCES = ("11843", "13851", "15043")
BANDS = {"2-4": (2000.0, 4000.0), "4-8": (4000.0, 8000.0)}
EVENTS = {
    "time": ("1D", [1000.0, 1099.9, 1100.0, 1250.0, 1399.0]),
    "energy": ("1E", [500.0, 6999.9, 7000.0, 499.9, 1000.0]),
}


@pytest.fixture(params=[(source, band) for source in SOURCES for band in BANDS], ids="-".join)
def reference(request: pytest.FixtureRequest, shared_data: Path) -> tuple[Path, Path, Band]:
    """An event list, the light curve that CIAO made of it, and the band."""
    source, band = request.param
    folder = shared_data / "real/reference/ltc1"
    return (
        folder / f"{source}_source_evt2.fits.gz",
        folder / f"{source}_{band}keV_300s_ltc1.fits.gz",
        BANDS[band],
    )


def test_counts_are_equal_and_exposure_to_microseconds(reference: tuple[Path, Path, Band]) -> None:
    path, made_by_ciao, band = reference
    expected = read_light_curve(made_by_ciao)
    with EventFile.open(path) as events:
        curve = light_curve(events, 300.0, band)
    np.testing.assert_array_equal(curve.counts, expected.counts)
    # TSTART in the header is rounded by 2 to 4 microseconds.
    np.testing.assert_allclose(curve.time_min, expected.time_min, rtol=0, atol=5e-6)
    np.testing.assert_allclose(curve.exposure, expected.exposure, rtol=0, atol=5e-6)


def test_from_the_same_start_exposure_and_rates_are_equal(reference: tuple[Path, Path, Band]) -> None:
    path, made_by_ciao, band = reference
    expected, table = read_light_curve(made_by_ciao), fits.getdata(made_by_ciao, 1)
    edges = expected.time_min[0] + 300.0 * np.arange(len(expected.counts) + 1)
    with EventFile.open(path) as events:
        exposure = good_time(events.good_times.first, edges) * events.dtcor
        counts = count_events(events, edges, band)
    np.testing.assert_allclose(exposure, expected.exposure, rtol=1e-9, atol=0)
    np.testing.assert_array_equal(counts, expected.counts)
    np.testing.assert_array_equal(expected.rate, table["COUNT_RATE"])
    np.testing.assert_array_equal(expected.rate_error, table["COUNT_RATE_ERR"])
    np.testing.assert_array_equal(expected.counts_error, table["STAT_ERR"])
    np.testing.assert_array_equal(expected.time, table["TIME"])


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Five events in 400 s, 90 % live, without GTI extension."""
    return write_table(tmp_path / "evt2.fits", EVENTS, "EVENTS", TSTOP=1350.0, DTCOR=0.9)


def test_bins_begin_at_tstart_and_the_last_may_end_after_tstop(small: Path) -> None:
    with EventFile.open(small) as events:
        curve = light_curve(events, 100.0)
    assert curve.time_min.tolist() == [1000.0, 1100.0, 1200.0, 1300.0]
    assert curve.counts.tolist() == [2, 1, 1, 1]
    np.testing.assert_allclose(curve.exposure, [90, 90, 90, 45])
    np.testing.assert_allclose(curve.rate, [2 / 90, 1 / 90, 1 / 90, 1 / 45])


def test_a_band_includes_its_lower_edge_and_not_its_upper_one(small: Path) -> None:
    with EventFile.open(small) as events:
        assert light_curve(events, 100.0, (500.0, 7000.0)).counts.tolist() == [2, 0, 0, 1]


def test_a_bin_without_good_time_has_rate_0(tmp_path: Path) -> None:
    path = write_table(tmp_path / "evt2.fits", EVENTS, "EVENTS", DTCOR=1.0)
    gti = fits.BinTableHDU.from_columns(
        [fits.Column("START", "1D", array=[1000.0]), fits.Column("STOP", "1D", array=[1150.0])], name="GTI"
    )
    fits.append(path, gti.data, gti.header)
    with EventFile.open(path) as events:
        curve = light_curve(events, 100.0)
    assert curve.exposure[:3].tolist() == [100.0, 50.0, 0.0]
    assert (curve.counts[2], curve.rate[2], curve.rate_error[2]) == (1, 0.0, 0.0)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    path = write_table(tmp_path / "evt2.fits", {"time": EVENTS["time"]}, "EVENTS", DTCOR=1.0)
    with EventFile.open(path) as events, pytest.raises(DataError, match=r"evt2\.fits.*energy"):
        light_curve(events, 100.0, (500.0, 7000.0))


@pytest.mark.parametrize(("stop", "bin_size"), [(1000.0, 100.0), (900.0, 100.0), (2000.0, 1e-6)])
def test_absurd_numbers_of_bins_are_refused(stop: float, bin_size: float) -> None:
    with pytest.raises(DataError, match="time_bin_size"):
        time_edges(1000.0, stop, bin_size)


def test_a_written_light_curve_is_read_back_and_is_valid_fits(shared_data: Path, tmp_path: Path) -> None:
    target = tmp_path / "ltc1.fits"
    with EventFile.open(shared_data / "sim/90001/primary/acisf90001N001_evt2.fits.gz") as events:
        curve = light_curve(events, 200.0, (500.0, 7000.0))
        write_light_curve(target, curve, events, (500.0, 7000.0), ["a line"])
        good_times = events.good_times
    again = read_light_curve(target)
    for name in ("time_min", "time_max", "counts", "exposure", "area"):
        np.testing.assert_array_equal(getattr(again, name), getattr(curve, name))
    with fits.open(target, checksum=True) as hdus:
        header = hdus["LIGHTCURVE"].header
        assert (header["TIMEDEL"], header["TOTCTS"]) == (200.0, curve.counts.sum())
        assert header["EXPOSURE"] == pytest.approx(good_times.first.total() * header["DTCOR"])
        written = read_gtis(hdus)
        assert written is not None
        assert list(written.by_chip) == list(good_times.by_chip)


def subspace(path: Path, extension: str) -> dict[str, list[str]]:
    """Ranges or tables of each axis of the data subspace, by component."""
    header = fits.getheader(path, extension)
    axes = [(name.lower(), key[5:]) for key, name in header.items() if key.startswith("DSTYP")]
    keys = {name: [f"{c}DS{kind}{n}" for kind in ("VAL", "REF") for c in ("", *"2345")] for name, n in axes}
    return {name: [header[key] for key in found if key in header] for name, found in keys.items()}


def test_the_data_subspace_is_that_of_ciao(reference: tuple[Path, Path, Band], tmp_path: Path) -> None:
    path, made_by_ciao, band = reference
    with EventFile.open(path) as events:
        write_light_curve(tmp_path / "ltc1.fits", light_curve(events, 300.0, band), events, band, ())
    ours, theirs = subspace(tmp_path / "ltc1.fits", "LIGHTCURVE"), subspace(made_by_ciao, "LIGHTCURVE")
    # dmextract adds the full ranges of the other columns.
    assert {*subspace(path, "EVENTS"), "energy"} == ours.keys()
    assert ours == {axis: theirs[axis] for axis in ours}
    assert fits.getval(tmp_path / "ltc1.fits", "DSTYP1", "LIGHTCURVE") == "TIME"


def misplaced(time: np.ndarray, edges: np.ndarray, counts: np.ndarray) -> int:
    """Number of bins that do not hold the events between their edges."""
    return int(np.count_nonzero(np.diff(np.searchsorted(np.sort(time), edges)) != counts))


def test_counts_of_a_day_in_short_bins_agree_with_the_edges(tmp_path: Path) -> None:
    start, stop = 7e8 + 0.3, 7e8 + 86400.3
    time = np.random.default_rng(2).uniform(start, stop, 20_000)
    path = write_table(
        tmp_path / "evt2.fits", {"time": ("1D", time)}, "EVENTS", TSTART=start, TSTOP=stop, DTCOR=1.0
    )
    with EventFile.open(path) as events:
        curve = light_curve(events, 0.1)
    assert misplaced(time, np.append(curve.time_min, curve.time_max[-1]), curve.counts) == 0
    assert curve.counts.sum() == len(time)


def test_counts_of_754_in_short_bins_agree_with_the_edges(shared_data: Path, tmp_path: Path) -> None:
    path, target = shared_data / "real/754/primary/acisf00754N001_evt2.fits.gz", tmp_path / "ltc1.fits"
    with EventFile.open(path) as events:
        write_light_curve(target, light_curve(events, 0.1), events, None, ())
        time = np.concatenate([chunk["time"] for chunk in events.chunks()])
    table, header = fits.getdata(target, 1), fits.getheader(target, 1)
    edges = np.append(table["TIME_MIN"], table["TIME_MAX"][-1])
    assert misplaced(time, edges, table["COUNTS"]) == 0
    assert header["TIMEDEL"] == 0.1


@pytest.mark.skipif(shutil.which("fitsverify") is None, reason="fitsverify is not installed")
def test_fitsverify_finds_nothing(reference: tuple[Path, Path, Band], tmp_path: Path) -> None:
    path, _, band = reference
    with EventFile.open(path) as events:
        write_light_curve(tmp_path / "ltc1.fits", light_curve(events, 300.0, band), events, band, ["a line"])
    answer = subprocess.run(["fitsverify", "-q", tmp_path / "ltc1.fits"], capture_output=True, text=True)
    assert "verification OK" in answer.stdout


@pytest.mark.parametrize("missing", ["EXPOSURE", "COUNTS"])
def test_a_light_curve_without_a_column_is_refused_by_its_name(tmp_path: Path, missing: str) -> None:
    names = {"TIME_MIN", "TIME_MAX", "COUNTS", "EXPOSURE"} - {missing}
    path = write_table(tmp_path / "ltc1.fits", {name: ("1D", [1.0]) for name in names}, "LIGHTCURVE")
    with pytest.raises(DataError, match=rf"ltc1\.fits: LIGHTCURVE has no column {missing}"):
        read_light_curve(path)
