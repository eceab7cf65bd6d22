"""Pixels detect by the efficiency of their chip, its uniformity, contamination and dead area."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.calibration_files import Calibration, find_calibration, select_calibration
from chandra_runner.native.count_image import count_images
from chandra_runner.native.detector_response import (
    AcisResponse,
    ChipPosition,
    HrcResponse,
    find_aimpoint,
)
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.effective_area import vignetting
from chandra_runner.native.exposure_map import exposure_map
from chandra_runner.native.field_of_view import Companions, load_field_of_view
from chandra_runner.native.geometry import Attitude, Pointing
from chandra_runner.native.grid import parse_grid
from chandra_runner.native.psf import off_axis_map
from chandra_runner.native.quantum_efficiency import mean_quantum_efficiency

from ..caldb import QE, add_uniformity, make_caldb
from .fields import events_path, field_of

POINTING = Pointing(ACIS, (-0.684, 0.0, -190.14), 10.0, 20.0, 30.0)
SPOT = ChipPosition(7, 225.0, 512.0)


def response_of(files):
    return AcisResponse(files, time=5e8, frame_time=3.24104, first_row=1)


def test_the_response_is_the_product_of_all_efficiencies(shared_data, tmp_path):
    caldb = make_caldb(tmp_path, shared_data, [7])
    add_uniformity(caldb, 7, [0.5, 9.0], np.full((2, 4, 4), 0.9))
    files = select_calibration(find_calibration(caldb, Calibration), "2013-01-01")
    assert set(files) == set(Calibration)
    depth = 1.8 * 0.25 + 0.1 * 0.1  # see test_caldb
    efficiency = mean_quantum_efficiency(7, 1.0)
    assert response_of(files).at(SPOT, 1.0) == pytest.approx(0.9 * efficiency * np.exp(-depth), rel=0.01)
    assert response_of(files).at(SPOT, 1.0) / response_of({}).at(SPOT, 1.0) == pytest.approx(
        0.9 * np.exp(-depth), rel=0.01
    )


def test_chips_differ_by_efficiency_and_dead_area(shared_data):
    path = shared_data / f"real/calibration/{QE}.gz"
    response = response_of({Calibration.EFFICIENCY: path})
    s3, s2 = (response.of_chip(chip, 2.3) for chip in (7, 6))
    assert np.ptp(s3) == 0
    assert s3[0, 0] / s2[0, 0] == pytest.approx(1.26 / 0.979, rel=2e-3)
    assert s3[-1, 0] / s2[-1, 0] == pytest.approx(1.26 / 0.960, rel=2e-3)


def test_the_dead_area_can_be_left_out(shared_data):
    position = ChipPosition(3, 900.0, 1024.0)
    with_it, without = (response_of({}).at(position, 2.3, dead_area=dead) for dead in (True, False))
    assert without == pytest.approx(mean_quantum_efficiency(3, 2.3))
    assert with_it / without == pytest.approx(0.96, abs=1e-3)


def test_all_pixels_of_the_hrc_are_equal():
    assert HrcResponse().of_chip(0, 1.5) == HrcResponse().at(ChipPosition(0, 1.0, 1.0), 1.5) == 1


@pytest.mark.parametrize(("obsid", "chip"), [("90001", 3), ("90002", 7)])
def test_the_axis_meets_the_aimpoint_chip(shared_data, obsid, chip):
    field = field_of(shared_data / "sim" / obsid)
    numbers = tuple(each.number for each in field.chips)
    aim = find_aimpoint(field.pointing, numbers, field.mean)
    assert aim.chip == chip
    assert 1 < aim.chipx < 1024
    assert 1 < aim.chipy < 1024


def test_an_aimpoint_between_chips_is_that_of_the_nearest():
    aim = find_aimpoint(POINTING, (9, 6), Attitude(10.0, 20.0, 30.0))
    assert aim.chip == 6
    assert aim.chipx == 1024


def test_each_chip_of_flight_data_agrees_with_ciao(shared_data):
    """ObsID 754: counts by CIAO's flux image are CIAO's exposure map, made in 2002 with CIAO 2.2.

    The four chips differ by less than 2.5 % from their mean. The efficiencies of chips 0 and 1 relative to
    those of chips 2 and 3 are those of the calibration of that time, which is not at hand.
    """
    flux = fits.getdata(shared_data / "real/reference/754/acisf00754_2.1-10keV_flux.img.gz").astype(float)
    grid, energy = parse_grid("3142:5258:4,3278:5238:4"), 2.5
    with EventFile.open(events_path(shared_data / "real/754")) as events:
        field = load_field_of_view(events, Companions())
        counts = count_images(events.chunks(), grid, [(2100.0, 10000.0)])[0]
        response = AcisResponse({}, time=events.tstart, frame_time=events.header["TIMEDEL"], first_row=1)
    mirror = vignetting(energy, off_axis_map(field.pointing, grid, field.mean))
    ours = {
        chip.number: mirror
        * exposure_map(
            field.pointing, grid, [replace(chip, good=chip.good * response.of_chip(chip.number, energy))]
        )
        for chip in field.chips
    }
    total = sum(ours.values())
    lit = (flux > 0) & (counts > 0)
    ratios = []
    for own in ours.values():
        alone = lit & (own == total) & (own > 0.8 * own.max())
        blocks = [
            np.where(alone, image, 0)[: 7 * 70, : 7 * 75].reshape(70, 7, 75, 7).sum(axis=(1, 3))
            for image in (np.divide(counts, flux, where=lit, out=np.zeros_like(flux)), own, alone)
        ]
        many = blocks[2] > 20
        ratios.append(np.median(blocks[0][many] / blocks[1][many]))
    np.testing.assert_allclose(ratios / np.mean(ratios), 1, atol=0.025)
