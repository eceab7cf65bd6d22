"""Effective areas are those of ARFs, and vignetting is that of the calibration file."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.effective_area import arf_area, vignetting


@pytest.mark.parametrize("energy", [0.5, 1.5, 2.5, 6.0, 9.95])
def test_the_vignetting_is_that_of_the_calibration_file(shared_data, energy):
    table = fits.getdata(shared_data / "real/calibration/hrma_vignetting.fits.gz", 1)[0]
    angles = table["THETA"].astype(float)
    mean = table["VIGNET"].mean(axis=0, dtype=float)  # over the azimuth; energies are the last axis
    expected = [np.interp(energy, table["ENERG_LO"].astype(float), at_angle) for at_angle in mean]
    np.testing.assert_allclose(vignetting(energy, angles), expected, atol=1e-4)
    middle = vignetting(energy, np.array([7.5]))
    assert middle[0] == pytest.approx(np.mean([expected[2], expected[3]]), abs=1e-4)


def test_vignetting_is_none_on_axis_and_increases_with_energy():
    angle = np.array([0.0, 3.0, 8.0, 14.0])
    soft, hard = vignetting(1.0, angle), vignetting(8.0, angle)
    assert soft[0] == hard[0] == 1
    assert np.all(np.diff(soft) < 0)
    assert np.all(hard[1:] < soft[1:])


def test_an_arf_gives_its_area(shared_data):
    path = shared_data / "real/calibration/chandra_acis_i.arf"
    table = fits.getdata(path, "SPECRESP")
    row = 400
    middle = (float(table["ENERG_LO"][row]) + float(table["ENERG_HI"][row])) / 2
    assert arf_area(path, middle) == pytest.approx(table["SPECRESP"][row])
    assert 200 < arf_area(path, 2.3) < 300


def test_an_energy_that_an_arf_does_not_include_is_refused(shared_data):
    with pytest.raises(DataError, match=r"chandra_acis_i.arf does not include the energy 20 keV"):
        arf_area(shared_data / "real/calibration/chandra_acis_i.arf", 20.0)


def test_a_file_that_is_not_an_arf_is_refused(shared_data):
    with pytest.raises(DataError, match=r"hrma_vignetting.fits.gz has no table with the columns ENERG_LO"):
        arf_area(shared_data / "real/calibration/hrma_vignetting.fits.gz", 2.0)


def test_an_area_of_zero_is_refused(tmp_path):
    columns = [
        fits.Column(name, "E", array=np.array(values, dtype="f4"))
        for name, values in (("ENERG_LO", [1, 2]), ("ENERG_HI", [2, 3]), ("SPECRESP", [0, 0]))
    ]
    path = tmp_path / "empty.arf"
    fits.BinTableHDU.from_columns(columns, name="SPECRESP").writeto(path)
    with pytest.raises(DataError, match=r"empty.arf has the value 0 at 2 keV"):
        arf_area(path, 2.0)
