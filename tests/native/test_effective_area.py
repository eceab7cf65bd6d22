"""Vignetting is that of the calibration file."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.native.effective_area import vignetting


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
