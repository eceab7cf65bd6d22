"""Chip, DET and sky coordinates agree with simulated and flight events."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.aspect import read_aspect
from chandra_runner.native.detectors import ACIS, HRC_I, HRC_S
from chandra_runner.native.geometry import (
    Attitude,
    Pointing,
    chip_to_focal,
    det_to_rays,
    off_axis_angle,
    rays,
    rays_to_chip,
    rays_to_det,
    rays_to_sky,
    sky_to_rays,
)

SIMULATED = {90001: ACIS, 90002: ACIS, 90003: HRC_I, 90004: HRC_S, 90005: ACIS}


def events_of(directory):
    path = next(directory.glob("primary/*_evt2.fits.gz"))
    with fits.open(path, memmap=False) as hdus:
        return hdus["EVENTS"].header, np.array(hdus["EVENTS"].data)


def aspect_of(directory):
    return read_aspect(sorted(directory.glob("primary/pcad*_asol1.fits.gz")))


@pytest.mark.parametrize("obsid", SIMULATED)
def test_det_gives_the_sky_positions_of_the_simulation(shared_data, obsid):
    header, events = events_of(shared_data / f"sim/{obsid}")
    pointing = Pointing.of(header)
    attitude = aspect_of(shared_data / f"sim/{obsid}").at(events["time"])
    ray = det_to_rays(pointing.detector, events["detx"], events["dety"])
    x, y = rays_to_sky(pointing, ray, attitude)
    assert pointing.detector is SIMULATED[obsid]
    rounding = np.spacing(np.float32(pointing.detector.size))  # the columns are 4-byte floats
    assert np.abs(x - events["x"]).max() < 0.001 + rounding
    assert np.abs(y - events["y"]).max() < 0.001 + rounding


def test_det_of_a_flight_observation(shared_data):
    header, events = events_of(shared_data / "real/28229")
    pointing = Pointing.of(header)
    for chip, mean_x, largest_x in ((6, 0.012, 0.019), (7, 0.024, 0.069)):
        on_chip = events[(events["ccd_id"] == chip) & (events["fltgrade"] == 0)]
        detx, dety = rays_to_det(
            ACIS, rays(chip_to_focal(pointing, chip, on_chip["chipx"], on_chip["chipy"]))
        )
        assert np.mean(on_chip["detx"] - detx) == pytest.approx(mean_x, abs=0.001)
        assert np.mean(on_chip["dety"] - dety) == pytest.approx(-0.0144, abs=0.001)
        assert np.abs(on_chip["detx"] - detx).max() == pytest.approx(largest_x, abs=0.002)
        assert np.abs(on_chip["dety"] - dety).max() < 0.0165


@pytest.mark.parametrize("detector", [ACIS, HRC_I, HRC_S], ids=lambda d: d.name)
def test_sky_to_chip_is_the_inverse_of_chip_to_sky(detector):
    pointing = Pointing(detector, (-0.7, 0.1, 126.0), 359.9, 71.0, 123.4)
    attitude = Attitude(359.95, 71.03, 123.6, dy=0.4, dz=-0.7, dtheta=0.05)
    generator = np.random.default_rng(3)
    for number, chip in detector.chips.items():
        chipx = generator.uniform(0.5, chip.nx + 0.5, 50)
        chipy = generator.uniform(0.5, chip.ny + 0.5, 50)
        ray = rays(chip_to_focal(pointing, number, chipx, chipy), attitude)
        back = sky_to_rays(pointing, *rays_to_sky(pointing, ray, attitude), attitude)
        np.testing.assert_allclose(rays_to_chip(pointing, number, back, attitude)[0], chipx, atol=1e-8)
        np.testing.assert_allclose(rays_to_chip(pointing, number, back, attitude)[1], chipy, atol=1e-8)


def test_the_off_axis_angle_is_zero_on_the_axis_and_increases_with_distance():
    assert off_axis_angle(ACIS, np.array([4096.5]), np.array([4096.5])) == pytest.approx(0)
    angle = off_axis_angle(ACIS, np.array([4096.5 + 300 / 0.492]), np.array([4096.5]))
    assert angle == pytest.approx(5, rel=1e-5)


def test_missing_pointing_keywords_are_named():
    header = {"DETNAM": "ACIS-7", "SIM_X": 0.0, "SIM_Y": 0.0, "SIM_Z": -190.0, "RA_NOM": 1.0}
    with pytest.raises(DataError, match="no DEC_NOM, ROLL_NOM"):
        Pointing.of(header)


def test_a_pointing_that_is_not_a_number_is_refused():
    names = ("SIM_X", "SIM_Y", "SIM_Z", "RA_NOM", "DEC_NOM", "ROLL_NOM")
    with pytest.raises(DataError, match="no RA_NOM"):
        Pointing.of({"DETNAM": "ACIS-7", **dict.fromkeys(names, 1.0), "RA_NOM": float("nan")})
