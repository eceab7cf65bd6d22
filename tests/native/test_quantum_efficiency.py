"""The package's quantum efficiencies are those of the calibration file that they were sampled from."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.quantum_efficiency import mean_quantum_efficiency

from ..caldb import QE


@pytest.mark.parametrize("chip", range(10))
def test_the_table_reproduces_the_calibration_file_to_1_percent(shared_data, chip):
    table = fits.getdata(shared_data / f"real/calibration/{QE}.gz", chip + 1)
    energies = np.geomspace(0.31, 9.9, 200)
    expected = np.interp(energies, table["ENERGY"].astype(float), table["QE"].astype(float))
    ours = [mean_quantum_efficiency(chip, energy) for energy in energies]
    np.testing.assert_allclose(ours, expected, rtol=0.011)


@pytest.mark.parametrize(
    ("energy", "ratio"), [(0.4, 6.65), (0.92, 1.52), (1.56, 1.10), (2.3, 1.26), (3.8, 1.06)]
)
def test_back_illuminated_chips_are_more_efficient_at_low_energies(energy, ratio):
    s3, s2 = (mean_quantum_efficiency(chip, energy) for chip in (7, 6))
    assert s3 / s2 == pytest.approx(ratio, rel=0.02)


def test_an_energy_below_the_table_is_refused():
    with pytest.raises(DataError, match=r"does not include the energy 0.2 keV"):
        mean_quantum_efficiency(7, 0.2)
