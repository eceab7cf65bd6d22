"""The aspect solution read from its file, and rebuilt from events."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.aspect import event_positions, read_aspect
from chandra_runner.native.dither import align_focal_plane, rebuild_aspect
from chandra_runner.native.geometry import Pointing, det_to_rays, rays_to_sky


def rebuilt(directory):
    """Pointing, all events and the aspect that they tell."""
    with EventFile.open(next(directory.glob("primary/*_evt2.fits.gz"))) as file:
        events = np.concatenate(list(file.chunks()))
        pointing = Pointing.of(file.header)
        return pointing, events, rebuild_aspect(pointing, [events], file.tstart, file.tstop)


@pytest.mark.parametrize("obsid", [90001, 90003, 90004, 90006])
def test_the_rebuilt_dither_is_the_aspect_solution(shared_data, obsid):
    directory = shared_data / f"sim/{obsid}"
    pointing, _, aspect = rebuilt(directory)
    true = read_aspect(sorted(directory.glob("primary/pcad*_asol1.fits.gz"))).at(aspect.time)
    away = (aspect.ra - true.ra + 180) % 360 - 180
    assert np.abs(away * np.cos(np.deg2rad(pointing.dec))).max() * 3600 < 0.02
    assert np.abs(aspect.dec - true.dec).max() * 3600 < 0.02
    assert np.abs(aspect.roll - true.roll).max() * 3600 < 1.1  # the roll's own dither, 1", is not seen


@pytest.mark.parametrize("name", ["real/754", "real/28229", "sim/90001", "sim/90003", "sim/90004"])
def test_the_rebuilt_dither_leads_events_back_to_their_sky_positions(shared_data, name):
    pointing, events, aspect = rebuilt(shared_data / name)
    time = events["time"].astype(float)
    x, y = rays_to_sky(
        pointing, det_to_rays(pointing.detector, events["detx"], events["dety"]), aspect.at(time)
    )
    off = np.hypot(x - events["x"], y - events["y"]) * pointing.detector.pixel
    assert np.quantile(off, 0.999) < 0.05
    assert off.max() < 0.15


def test_the_rebuilt_focal_plane_follows_the_flight_data(shared_data):
    """ObsID 754: DET is off the geometry by some 1.7 and 10 pixels, and drifts by one pixel."""
    pointing, events, aspect = rebuilt(shared_data / "real/754")
    chip, x, y = events["ccd_id"], events["chipx"], events["chipy"]
    found = event_positions(pointing, aspect, chip, x, y, events["time"].astype(float))
    for number in (0, 1, 2, 3):
        on_chip = events["ccd_id"] == number
        assert abs(np.median((events["detx"] - found.detx)[on_chip])) < 0.05
        assert abs(np.median((events["dety"] - found.dety)[on_chip])) < 0.08
    assert np.ptp(aspect.dz) > 0.02


def test_an_aspect_solution_is_aligned_with_the_events(shared_data):
    directory = shared_data / "sim/90002"
    pointing, events, _ = rebuilt(directory)
    aspect = read_aspect(sorted(directory.glob("primary/pcad*_asol1.fits.gz")))
    assert abs(align_focal_plane(pointing, aspect, events).dy[0]) < 1e-4
    back = align_focal_plane(pointing, aspect.moved(0.2, -0.1), events)
    assert back.dy[0] == pytest.approx(0, abs=1e-4)
    assert back.dz[0] == pytest.approx(0, abs=1e-4)


def test_an_aspect_solution_in_two_files_is_one(shared_data):
    paths = sorted((shared_data / "sim/90007/primary").glob("pcad*_asol1.fits.gz"))
    first, second = (read_aspect([path]) for path in paths)
    both = read_aspect(paths[::-1])
    assert np.array_equal(both.time, np.concatenate([first.time, second.time]))


def aspect_file(path, **columns):
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, "D", array=np.asarray(values, dtype=float)) for name, values in columns.items()],
        name="ASPSOL",
    )
    table.writeto(path)
    return path


def test_angles_are_interpolated_across_360(tmp_path):
    path = aspect_file(tmp_path / "a.fits", time=[0, 2], ra=[359.9, 0.1], dec=[1, 1], roll=[0.2, 359.8])
    there = read_aspect([path]).at(np.array([1.0]))
    assert there.ra % 360 == pytest.approx(0, abs=1e-9)
    assert there.roll == pytest.approx(0, abs=1e-9)
    assert there.dy == 0


def test_rows_without_numbers_do_not_count(tmp_path):
    path = aspect_file(tmp_path / "a.fits", time=[0, 1, 2], ra=[1, np.nan, 3], dec=[1, 1, 1], roll=[2, 2, 2])
    assert read_aspect([path]).at(np.array([1.0])).ra == pytest.approx(2)


def test_an_aspect_solution_without_rows_is_refused(tmp_path):
    path = aspect_file(tmp_path / "pcad.fits", time=[], ra=[], dec=[], roll=[])
    with pytest.raises(DataError, match=r"pcad.fits: the aspect solution is empty"):
        read_aspect([path])


def test_a_table_without_attitudes_is_refused(tmp_path):
    path = aspect_file(tmp_path / "pcad.fits", time=[1.0], ra=[2.0])
    with pytest.raises(DataError, match=r"pcad.fits has no table with the columns time, ra, dec, roll"):
        read_aspect([path])


def test_times_that_are_no_observation_are_refused(shared_data):
    pointing, events, _ = rebuilt(shared_data / "sim/90006")
    with pytest.raises(DataError, match="not that of an observation"):
        rebuild_aspect(pointing, [events], 0.0, 1e9)
