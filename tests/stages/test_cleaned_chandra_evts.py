"""cleaned_chandra_evts, native: the same rows as CFITSIO's filter, with true exposures and plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits

from chandra_runner.stages.outcome import Excluded

from ..event_files import (
    acis_columns,
    assert_sound,
    cfitsio_filter,
    cfitsio_good_times,
    table_bytes,
    write_events,
)
from .jobs import Chain, product


def quiet_times(path: Path, start: list[float], stop: list[float]) -> Path:
    """A GTI file as deflare makes it: one for all chips."""
    columns = [fits.Column("START", "1D", "s", array=start), fits.Column("STOP", "1D", "s", array=stop)]
    fits.HDUList([fits.PrimaryHDU(), fits.BinTableHDU.from_columns(columns, name="GTI")]).writeto(path)
    return path


def reproduced(shared_data: Path, tmp_path: Path, obsid: int) -> tuple[Chain, Path]:
    """A chain after chandra_repro, and its events."""
    kind = "sim" if obsid > 90000 else "real"
    run = Chain(shared_data / kind / str(obsid), tmp_path / "work", obsid)
    return run, product(run.reproduce(), "events")


def without_a_flare(events: Path, path: Path) -> Path:
    """Good times that leave out a tenth of the observation."""
    header = fits.getheader(events, "EVENTS")
    start, stop = header["TSTART"], header["TSTOP"]
    flare = start + 0.4 * (stop - start)
    return quiet_times(path, [start, flare + 0.1 * (stop - start)], [flare, stop])


def small(tmp_path: Path, **changes: Any) -> Chain:
    """A chain after chandra_repro of a small level-1 list."""
    (tmp_path / "raw").mkdir()
    write_events(tmp_path / "raw" / "acisf00042_000N001_evt1.fits", **changes)
    run = Chain(tmp_path / "raw", tmp_path / "work", 42)
    run.reproduce()
    return run


@pytest.mark.parametrize(
    ("obsid", "chips"),
    [(754, (3, 0, 1, 2)), (28229, (7, 6)), (90001, (3, 0, 1, 2, 6)), (90005, (7, 4, 5, 6, 8, 9))],
)
def test_acis_rows_are_those_of_cfitsio(
    shared_data: Path, tmp_path: Path, obsid: int, chips: tuple[int, ...]
) -> None:
    run, level2 = reproduced(shared_data, tmp_path, obsid)
    quiet = without_a_flare(level2, tmp_path / "quiet.fits")
    made = product(run.clean({"E001": quiet}, allowed_grades=[0, 2, 3, 4]), "events")
    expression = (
        "energy>=500&&energy<7000&&(grade==0||grade==2||grade==3||grade==4)&&"
        f"status==b{'0' * 32}&&gtifilter('{quiet}[GTI]',time,'START','STOP')&&"
        f"{cfitsio_good_times(level2, chips)}"
    )
    theirs = cfitsio_filter(level2, tmp_path / "theirs.fits", expression)
    assert table_bytes(made) == table_bytes(theirs)
    assert 0 < table_bytes(made)[1] < 0.9 * table_bytes(level2)[1]
    assert_sound(made)


@pytest.mark.parametrize("obsid", [90003, 90004])
def test_hrc_rows_are_those_of_cfitsio(shared_data: Path, tmp_path: Path, obsid: int) -> None:
    run, level2 = reproduced(shared_data, tmp_path, obsid)
    quiet = without_a_flare(level2, tmp_path / "quiet.fits")
    job = run.clean({"E001": quiet})
    gti = f"gtifilter('{quiet}[GTI]',time,'START','STOP')"
    theirs = cfitsio_filter(level2, tmp_path / "theirs.fits", f"status==b{'0' * 32}&&{gti}")
    assert table_bytes(product(job, "events")) == table_bytes(theirs)
    assert_sound(product(job, "events"))
    assert "HRC events have no energies; lo_en and hi_en are not used" in job.warnings[0]
    assert "status_zero removed " in job.warnings[1]


def test_hrc_status_can_be_left_as_it_is(shared_data: Path, tmp_path: Path) -> None:
    run, level2 = reproduced(shared_data, tmp_path, 90003)
    quiet = quiet_times(tmp_path / "quiet.fits", [0], [1e10])
    job = run.clean({"E001": quiet}, status_zero=False, lo_en=None, hi_en=None)
    assert table_bytes(product(job, "events")) == table_bytes(level2)
    assert job.warnings == []


def test_exposures_follow_the_good_times(shared_data: Path, tmp_path: Path) -> None:
    run, level2 = reproduced(shared_data, tmp_path, 90001)
    made = product(run.clean({"E001": without_a_flare(level2, tmp_path / "quiet.fits")}), "events")
    assert made.name == "acisf90001_clean_evt2.fits"
    with fits.open(made) as hdus:
        header = hdus["EVENTS"].header
        chips = [hdu.ver for hdu in hdus[2:]]
        for chip in chips:
            data = hdus["GTI", chip].data
            ontime = float(np.sum(data["STOP"] - data["START"]))
            assert header[f"ONTIME{chip}"] == pytest.approx(ontime, rel=1e-15)
            assert (
                header[f"EXPOSUR{chip}"]
                == header[f"LIVTIME{chip}"]
                == header[f"ONTIME{chip}"] * header["DTCOR"]
            )
    assert chips == [3, 0, 1, 2, 6]
    assert (header["ONTIME"], header["EXPOSURE"]) == (header["ONTIME3"], header["EXPOSUR3"])
    assert header["ONTIME"] == pytest.approx(29332.3 - 3000, abs=500)


def test_without_limits_no_energy_is_cut(shared_data: Path, tmp_path: Path) -> None:
    run, level2 = reproduced(shared_data, tmp_path, 28229)
    quiet = quiet_times(tmp_path / "quiet.fits", [0], [1e10])
    made = product(run.clean({"E001": quiet}, lo_en=None, hi_en=None), "events")
    assert table_bytes(made) == table_bytes(level2)


def test_energies_are_taken_in_any_unit(tmp_path: Path) -> None:
    run = small(tmp_path)
    quiet = {"E001": quiet_times(tmp_path / "quiet.fits", [0], [1e10])}
    made = product(run.clean(quiet, lo_en=1005 * u.eV, hi_en=0.005 * u.MeV), "events")
    energy = fits.getdata(made, "EVENTS")["energy"]
    assert 1005 <= energy.min() < 1500
    assert 4500 < energy.max() < 5000
    header = fits.getheader(made, "EVENTS")
    assert "1005:5000" in [header[key] for key in header if key.startswith("DSVAL")]


def test_grades_that_are_gone_already_are_warned_of(tmp_path: Path) -> None:
    run = small(tmp_path)
    quiet = {"E001": quiet_times(tmp_path / "quiet.fits", [0], [1e10])}
    job = run.clean(quiet, allowed_grades=[0, 1, 7])
    assert job.warnings == ["allowed_grades: chandra_repro has already removed grade 1, 7"]
    assert set(fits.getdata(product(job, "events"), "EVENTS")["grade"]) == {0}


def test_a_missing_status_column_is_said(tmp_path: Path) -> None:
    columns = acis_columns()
    del columns["status"]
    run = small(tmp_path, columns=columns)
    quiet = {"E001": quiet_times(tmp_path / "quiet.fits", [0], [1e10])}
    assert "status_zero is not applied" in run.clean(quiet).warnings[0]


def test_an_exposure_that_deflare_left_out_is_left_out(shared_data: Path, tmp_path: Path) -> None:
    run = Chain(shared_data / "sim/90007", tmp_path / "work", 90007)
    run.reproduce()
    job = run.clean({"E001": quiet_times(tmp_path / "quiet.fits", [0], [1e10])})
    assert [made.exposure for made in job.products] == ["E001"]
    assert job.warnings == ["E000: deflare found no good time; no cleaned event list is made"]


@pytest.mark.parametrize("stop", [None, 1.0])
def test_without_good_time_there_is_nothing_to_do(tmp_path: Path, stop: float | None) -> None:
    run = small(tmp_path)
    quiet = {} if stop is None else {"E001": quiet_times(tmp_path / "quiet.fits", [0], [stop])}
    with pytest.raises(Excluded, match="no exposure has good time left"):
        run.clean(quiet)
    assert not list((tmp_path / "work" / "cleaned_chandra_evts" / "products").iterdir())
