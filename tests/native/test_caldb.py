"""On-axis areas follow from a CALDB: the real quantum efficiency, a made-up mirror and contamination."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.caldb import Aimpoint, caldb_area, find_aimpoint
from chandra_runner.native.detectors import ACIS, HRC_I
from chandra_runner.native.geometry import Attitude, Pointing

from .fields import field_of

POINTING = Pointing(ACIS, (-0.684, 0.0, -190.14), 10.0, 20.0, 30.0)
AIM = Aimpoint(7, 225.0, 512.0, 5e8)


def table(columns, **header):
    hdu = fits.BinTableHDU.from_columns(
        [fits.Column(name, form, array=np.asarray(array)) for name, (form, array) in columns.items()]
    )
    hdu.header.update(header)
    return hdu


@pytest.fixture
def caldb(shared_data, tmp_path):
    """A CALDB with the files that the area is made of."""
    default, acis = tmp_path / "data/chandra/default/axeffa", tmp_path / "data/chandra/acis"
    for directory in (default, acis / "qe", acis / "contam"):
        directory.mkdir(parents=True)
    energy = np.linspace(0.1, 10, 100)
    for version, scale in (("N0007", 9.0), ("N0008", 1.0)):  # the newest counts
        shells = [
            table(
                {"ENERG_LO": ("E", energy), "ENERG_HI": ("E", energy), "EFFAREA": ("E", scale * area)},
                SHELL=shell,
            )
            for shell, area in (("1000", 100 + 0 * energy), ("1111", 800 - 50 * energy))
        ]
        fits.HDUList([fits.PrimaryHDU(), *shells]).writeto(default / f"hrmaD1996-12-20axeffa{version}.fits")
    qe = "acisD1997-04-17qeN0006.fits"
    shutil.copy(shared_data / f"real/calibration/{qe}.gz", acis / "qe" / qe)
    maps = np.zeros((2, 1024, 1024), dtype="f4")
    maps[:, 511, 224] = 0.5  # at CHIPX 225, CHIPY 512
    layers = {
        "N_ENERGY": ("I", [2, 3]), "ENERGY": ("4E", [[0, 10, 0, 0], [0, 1, 10, 0]]),
        "MU": ("4E", [[2, 0, 9, 9], [1, 0.1, 0, 9]]),
        "N_TIME": ("I", [2, 2]), "TIME": ("3D", [[0, 1e9, 0], [0, 1e9, 0]]),
        "TAU0": ("3E", [[0, 0.4, 9], [0, 0.2, 9]]), "TAU1": ("3E", [[0, 0.2, 9], [0, 0, 9]]),
        "FXY": ("1048576E", maps.reshape(2, -1)),
    }  # fmt: skip
    contamination = table(layers, CCD_ID=7)
    contamination.writeto(acis / "contam/acisD1999-08-13contamN0014.fits")
    return tmp_path


def test_the_area_is_mirror_times_efficiency_times_transmission(shared_data, caldb):
    qe = fits.getdata(shared_data / "real/calibration/acisD1997-04-17qeN0006.fits.gz", 8)
    efficiency = np.interp(1.0, qe["ENERGY"].astype(float), qe["QE"].astype(float))
    # Half way in time: tau0 + tau1 fxy = 0.2 + 0.1 x 0.5 for the first layer, 0.1 for the second.
    depth = 1.8 * 0.25 + 0.1 * 0.1
    expected = 750 * efficiency * np.exp(-depth)
    assert caldb_area(caldb, POINTING, "NONE", AIM, 1.0) == pytest.approx(expected, rel=1e-5)


def test_missing_calibration_files_are_named(tmp_path):
    with pytest.raises(DataError, match="has no data/chandra/default/axeffa"):
        caldb_area(tmp_path, POINTING, "NONE", AIM, 1.0)


def test_a_chip_that_a_calibration_file_does_not_have_is_named(caldb):
    with pytest.raises(DataError, match=r"acisD1999-08-13contamN0014.fits has no table with CCD_ID = 3"):
        caldb_area(caldb, POINTING, "NONE", Aimpoint(3, 970.0, 975.0, 5e8), 1.0)


@pytest.mark.parametrize(
    ("detector", "grating", "name"), [(HRC_I, "NONE", "HRC-I"), (ACIS, "HETG", "ACIS with HETG")]
)
def test_only_acis_without_a_grating_has_an_area(tmp_path, detector, grating, name):
    pointing = Pointing(detector, (-1.0, 0.0, 127.0), 10.0, 20.0, 30.0)
    with pytest.raises(DataError, match=f"caldb does not apply to {name}; give an ARF"):
        caldb_area(tmp_path, pointing, grating, AIM, 1.0)


@pytest.mark.parametrize(("obsid", "chip"), [("90001", 3), ("90002", 7)])
def test_the_axis_meets_the_aimpoint_chip(shared_data, obsid, chip):
    field = field_of(shared_data / "sim" / obsid)
    numbers = tuple(each.number for each in field.chips)
    aim = find_aimpoint(field.pointing, numbers, field.mean, 0.0)
    assert aim.chip == chip
    assert 1 < aim.chipx < 1024
    assert 1 < aim.chipy < 1024


def test_an_aimpoint_between_chips_is_that_of_the_nearest():
    aim = find_aimpoint(POINTING, (9, 6), Attitude(10.0, 20.0, 30.0), 0.0)
    assert aim.chip == 6
    assert aim.chipx == 1024
