"""Calibration files give the mirror's area and the efficiencies of pixels at an energy and time."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.caldb import mirror_area, quantum_efficiency, transmission_map, uniformity_map

from ..caldb import CONTAMINATION, MIRROR, QE, add_contamination, add_mirror, add_uniformity


def test_the_mirror_has_the_area_of_all_its_shells(tmp_path):
    add_mirror(tmp_path)
    assert mirror_area(tmp_path / "data/chandra/default/axeffa" / MIRROR, 1.0) == pytest.approx(750)


def test_the_efficiency_of_a_chip_is_that_of_its_table(shared_data):
    path = shared_data / f"real/calibration/{QE}.gz"
    for chip in (3, 7):
        table = fits.getdata(path, chip + 1)
        expected = np.interp(1.0, table["ENERGY"].astype(float), table["QE"].astype(float))
        assert quantum_efficiency(path, chip, 1.0) == pytest.approx(expected)


def test_the_contamination_depends_on_time_and_pixel(tmp_path):
    add_contamination(tmp_path, [7])
    path = tmp_path / "data/chandra/acis/contam" / CONTAMINATION
    transmission = transmission_map(path, 7, 5e8, 1.0)
    # Half way in time: tau0 + tau1 fxy = 0.2 + 0.1 x 0.5 for the first layer at CHIPX 225, CHIPY 512, and
    # 0.2 elsewhere; 0.1 for the second layer.
    assert transmission[511, 224] == pytest.approx(np.exp(-(1.8 * 0.25 + 0.1 * 0.1)), rel=1e-6)
    others = np.delete(transmission.ravel(), 511 * 1024 + 224)
    np.testing.assert_allclose(others, np.exp(-(1.8 * 0.2 + 0.1 * 0.1)), rtol=1e-6)
    assert transmission_map(path, 7, 0.0, 1.0).min() == 1


def test_a_chip_that_a_calibration_file_does_not_have_is_named(tmp_path):
    add_contamination(tmp_path, [7])
    path = tmp_path / "data/chandra/acis/contam" / CONTAMINATION
    with pytest.raises(DataError, match=rf"{CONTAMINATION} has no table with CCD_ID = 3"):
        transmission_map(path, 3, 5e8, 1.0)


def test_the_uniformity_is_interpolated_in_energy_and_belongs_to_the_right_pixels(tmp_path):
    cells = np.ones((2, 4, 4))
    cells[1, 0, 3] = 0.5  # low CHIPY, high CHIPX, at 3 keV
    path = add_uniformity(tmp_path, 7, [1.0, 3.0], cells)
    relative = uniformity_map(path, 7, 2.0)
    assert relative.shape == (1024, 1024)
    assert relative[0, 1023] == relative[255, 768] == pytest.approx(0.75)
    assert relative[1023, 0] == relative[256, 1023] == relative[0, 767] == 1
    assert uniformity_map(path, 7, 9.0)[0, 1023] == pytest.approx(0.5)


def test_a_uniformity_that_is_no_square_map_is_refused(tmp_path):
    path = add_uniformity(tmp_path, 7, [1.0, 3.0], np.ones((2, 2, 4)))
    with pytest.raises(DataError, match="QEU is not a map of square cells"):
        uniformity_map(path, 7, 2.0)
