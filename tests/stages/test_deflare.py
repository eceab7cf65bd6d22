"""deflare cuts the flares and leaves the quiet time, and says where it cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.gti import Gti, read_gtis
from chandra_runner.stages.deflare import Deflare, run_native
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.outcome import Excluded

from ..obsid_files import write_table
from .jobs import Chain, make_job

SOFT, HARD = 500.0, 7000.0


@pytest.fixture(scope="session")
def repro(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Job]:
    """Level 2 of a simulated ObsID, as chandra_repro makes it."""
    done: dict[int, Job] = {}

    def reduce(obsid: int) -> Job:
        if obsid not in done:
            raw, directory = shared_data / f"sim/{obsid}", tmp_path_factory.mktemp(str(obsid))
            done[obsid] = Chain(raw, directory, obsid).reproduce()
        return done[obsid]

    return reduce


def task(directory: Path, events: dict[str, Path], obsid: int = 42, **changes: Any) -> Job:
    """A task of the stage for these event lists, by exposure."""
    products = tuple(Product("events", path, exposure) for exposure, path in events.items())
    inputs = {("chandra_repro", "events"): products}
    return make_job(Deflare, directory, directory, inputs, obsid, **changes)


def events_of(job: Job) -> dict[str, Path]:
    return {product.exposure: product.path for product in job.products if product.role == "events"}


def quiet_times(job: Job, exposure: str) -> Gti:
    path = next(p.path for p in job.products if (p.role, p.exposure) == ("gti", exposure))
    with fits.open(path) as hdus:
        good_times = read_gtis(hdus)
    assert good_times is not None
    assert good_times.shared
    return good_times.first


def flare_profile(flares: list[dict[str, float]], time: np.ndarray) -> np.ndarray:
    """Background in units of the quiet one, less 1: the formula of the simulation (sim/truth)."""
    profile = np.zeros(len(time))
    for k, flare in enumerate(flares):
        phase = (time - flare["start"]) / (flare["stop"] - flare["start"])
        rise = np.clip(np.minimum(phase / 0.15, (1 - phase) / 0.25), 0, 1)
        profile += (flare["peak_factor"] - 1) * rise * (1 + 0.2 * np.sin(2 * np.pi * phase * (3 + k) + k))
    return profile


def fractions(path: Path, flares: list[dict[str, float]], quiet: Gti) -> tuple[float, float]:
    """How much is cut of the time with a true rate over 1.5 times the quiet one, and kept of the other time.

    The profile is the simulation's; quiet rate and size of the flares are those of the events themselves.
    """
    with fits.open(path) as hdus:
        table, header, good_times = hdus["EVENTS"].data, hdus["EVENTS"].header, read_gtis(hdus)
    assert good_times is not None
    good = good_times.first
    chosen = (table["energy"] >= SOFT) & (table["energy"] < HARD) & good.contains(table["time"])
    seconds = np.arange(header["TSTART"] + 0.5, header["TSTOP"])
    seconds = seconds[good.contains(seconds)]
    shape, at_events = flare_profile(flares, seconds), flare_profile(flares, table["time"][chosen])
    rate = np.count_nonzero(at_events == 0) / np.count_nonzero(shape == 0)
    excess = (np.count_nonzero(at_events) - rate * np.count_nonzero(shape)) / shape.sum()
    flaring = rate + excess * shape > 1.5 * rate
    kept = quiet.contains(seconds)
    return float(np.mean(~kept[flaring])), float(np.mean(kept[~flaring]))


@pytest.mark.parametrize(
    ("obsid", "exposure", "obi", "bin_size"),
    [
        (90001, "E001", None, 200),
        (90002, "E001", None, 200),
        (90007, "E000", "0", 100),
        (90007, "E001", "1", 100),
    ],
)
def test_nine_tenths_of_the_flares_are_cut_and_of_the_quiet_time_kept(
    shared_data: Path,
    tmp_path: Path,
    repro: Callable[[int], Job],
    obsid: int,
    exposure: str,
    obi: str | None,
    bin_size: float,
) -> None:
    truth = json.loads((shared_data / f"sim/truth/{obsid}.json").read_text())
    flares = (truth["obis"][obi] if obi else truth)["flares"]
    events = events_of(repro(obsid))
    job = task(tmp_path, events, obsid, time_bin_size=bin_size * u.s)
    run_native(job)
    cut, kept = fractions(events[exposure], flares, quiet_times(job, exposure))
    assert cut >= 0.9
    assert kept >= 0.9


def test_each_exposure_has_its_light_curve_good_times_and_plot(
    tmp_path: Path, repro: Callable[[int], Job]
) -> None:
    job = task(tmp_path, events_of(repro(90007)), 90007)
    run_native(job)
    made = {(product.role, product.exposure): product.path.name for product in job.products}
    assert made == {
        (role, exposure): f"acisf90007_{exposure[1:]}_{ending}"
        for exposure in ("E000", "E001")
        for role, ending in (("lightcurve", "ltc1.fits"), ("gti", "deflare_gti.fits"), ("plot", "ltc1.png"))
    }
    assert all((job.directory / name).stat().st_size > 0 for name in made.values())
    assert {role for role, _ in made} == set(Deflare.makes)


def test_the_same_events_give_the_same_bytes(tmp_path: Path, repro: Callable[[int], Job]) -> None:
    jobs = [task(tmp_path / name, events_of(repro(90002)), 90002) for name in ("one", "two")]
    for job in jobs:
        run_native(job)
    first, second = ([product.path.read_bytes() for product in job.products] for job in jobs)
    assert len(first) == 3
    assert first == second


def test_method_clean_fails_with_the_words_of_ciao_where_flares_dominate(
    tmp_path: Path, repro: Callable[[int], Job]
) -> None:
    job = task(tmp_path, events_of(repro(90002)), 90002, method="clean")
    words = r"Unable to calculate an initial GTI mean rate level via sigma clipping; the unclipped"
    with pytest.raises(DataError, match=words):
        run_native(job)


def test_method_clean_takes_a_quiet_rate(tmp_path: Path, repro: Callable[[int], Job]) -> None:
    job = task(tmp_path, events_of(repro(90002)), 90002, method="clean", mean=3200 * u.ct / u.ks)
    run_native(job)
    assert 8000 < quiet_times(job, "E001").total() < 8800


def test_hrc_events_need_no_energies(tmp_path: Path, repro: Callable[[int], Job]) -> None:
    job = task(tmp_path, events_of(repro(90003)), 90003)
    run_native(job)
    header = fits.getheader(job.directory / "hrcf90003_ltc1.fits", "LIGHTCURVE")
    assert {key: header[key] for key in header if "DSTYP" in key} == {"DSTYP1": "TIME"}
    (warning,) = job.warnings
    assert "with only 25 bins, allowed_sigma 3 can drop no more than 2" in warning


def write_events(path: Path, *rates: float) -> Path:
    """Bins of 200 s with these rates, count/s."""
    counts = [round(200 * rate) for rate in rates]
    times = [1000.0 + 200.0 * (i + np.arange(n) / max(n, 1)) for i, n in enumerate(counts)]
    time = np.concatenate(times)
    columns = {"time": ("1D", time), "energy": ("1E", np.full(len(time), 1000.0))}
    return write_table(path, columns, "EVENTS", TSTOP=1000.0 + 200.0 * len(rates), DTCOR=1.0)


def test_an_exposure_without_good_time_is_left_out_with_a_warning(tmp_path: Path) -> None:
    live = write_events(tmp_path / "acisf00042e1_repro_evt2.fits", *[1.0, 1.1] * 20)
    dead = write_events(tmp_path / "acisf00042e2_repro_evt2.fits", *[0.0] * 40)
    job = task(tmp_path / "out", {"e1": live, "e2": dead})
    run_native(job)
    assert {product.exposure for product in job.products} == {"e1"}
    assert "e2: No rows with a count rate > 0; this exposure is left out" in job.warnings


def test_no_good_time_in_any_exposure_excludes_the_observation(tmp_path: Path) -> None:
    dead = {name: write_events(tmp_path / f"acisf00042{name}_repro_evt2.fits", 0, 0) for name in ("e1", "e2")}
    job = task(tmp_path / "out", dead)
    with pytest.raises(Excluded, match=r"no good time left: e1: No rows.*; e2: No rows"):
        run_native(job)
    assert not job.products
    assert not list(job.directory.iterdir())


@pytest.mark.parametrize(
    ("rates", "changes", "error", "message"),
    [
        ([1.0], {}, DataError, "the light curve must have at least two bins, but has 1"),
        ([1, 0, 1, 1, 0, 1], {}, Excluded, r"minlength \(3\)"),
        (
            [1, 9, 9, 9],
            {"method": "clean", "mean": 1 * u.ct / u.s, "minfrac": 0.5},
            Excluded,
            "only 1 of 4 bins",
        ),
    ],
)
def test_zero_good_time_excludes_and_a_useless_light_curve_fails(
    tmp_path: Path, rates: list[float], changes: dict[str, Any], error: type[Exception], message: str
) -> None:
    path = write_events(tmp_path / "acisf00042_repro_evt2.fits", *rates)
    with pytest.raises(error, match=message):
        run_native(task(tmp_path / "out", {"E001": path}, **changes))


def test_method_clean_with_stddev_keeps_a_bin_without_counts_where_the_limit_is_negative(
    tmp_path: Path,
) -> None:
    path = write_events(tmp_path / "acisf00042_repro_evt2.fits", 0.02, 0, 0.02, 0.5)
    job = task(tmp_path / "out", {"E001": path}, method="clean", mean=0.02 * u.ct / u.s, stddev=3.0)
    run_native(job)
    assert quiet_times(job, "E001").edges().tolist() == [1000.0, 1600.0]


def test_exposed_bins_without_counts_are_warned_of(tmp_path: Path) -> None:
    path = write_events(tmp_path / "acisf00042_repro_evt2.fits", *[0.01, 0.015] * 15, 0, *[0.01] * 9)
    job = task(tmp_path / "out", {"E001": path})
    run_native(job)
    (warning,) = job.warnings
    assert "1 of 40 bins were exposed but have no counts" in warning
