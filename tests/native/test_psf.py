"""PSF radii are those of their reference."""

from __future__ import annotations

import numpy as np
import pytest

from chandra_runner.native.detectors import ACIS
from chandra_runner.native.geometry import Attitude, Pointing
from chandra_runner.native.grid import parse_grid
from chandra_runner.native.psf import off_axis_map, psf_radius


def test_the_radius_of_90_percent():
    np.testing.assert_allclose(psf_radius(np.array([0.0, 5.0, 10.0]), 0.9), [1.0, 3.5, 11.0])


def test_a_larger_fraction_needs_a_larger_radius():
    assert psf_radius(np.array(0.0), 0.99) == pytest.approx(np.sqrt(2))
    assert psf_radius(np.array(0.0), 0.393) < 0.5


def test_the_off_axis_angle_is_zero_at_the_pointing():
    pointing = Pointing(ACIS, (-0.7, 0.0, -190.0), 10.0, -60.0, 30.0)
    grid = parse_grid("4094.5:4098.5:1,4094.5:4098.5:1")
    angle = off_axis_map(pointing, grid, Attitude(10.0, -60.0 + 1 / 3600, 30.0))
    # One arcsec to the north is 2.03 pixels up, at y = 4098.53; the first rows' pixels are at 4095 and 4098.
    assert np.unravel_index(angle.argmin(), grid.shape) in [(3, 1), (3, 2)]
    assert angle[0, 1] * 60 == pytest.approx(np.hypot(0.5, 3.5325) * 0.492, rel=1e-3)
