"""Aspect solutions are read and interpolated, and give events their positions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.aspect import event_positions, read_aspect
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.geometry import Pointing


def aspect_file(path: Path, **columns: list[float]) -> Path:
    table = fits.BinTableHDU.from_columns(
        [fits.Column(name, "D", array=np.asarray(values, dtype=float)) for name, values in columns.items()],
        name="ASPSOL",
    )
    table.writeto(path)
    return path


@pytest.mark.parametrize("obsid", [90001, 90002, 90003, 90004, 90005])
def test_positions_are_those_of_the_simulation(shared_data: Path, obsid: int) -> None:
    (path,) = (shared_data / f"sim/{obsid}").glob("primary/*_evt2.fits.gz")
    with fits.open(path, memmap=False) as hdus:
        header, events = hdus["EVENTS"].header, np.array(hdus["EVENTS"].data)
    pointing = Pointing.of(header)
    if pointing.detector is ACIS:  # others were moved within the pixel by their grade
        events = events[events["fltgrade"] == 0]
    chip = events[pointing.detector.chip_column]
    aspect = read_aspect(sorted(path.parent.glob("pcad*_asol1.fits.gz")))
    found = event_positions(pointing, aspect, chip, events["chipx"], events["chipy"], events["time"])
    for name in ("detx", "dety", "x", "y"):
        assert np.abs(getattr(found, name) - events[name]).max() < 0.003, name


def test_an_aspect_solution_in_two_files_is_one(shared_data: Path) -> None:
    paths = sorted((shared_data / "sim/90007/primary").glob("pcad*_asol1.fits.gz"))
    first, second = (read_aspect([path]) for path in paths)
    both = read_aspect(paths[::-1])
    assert np.array_equal(both.time, np.concatenate([first.time, second.time]))


def test_angles_are_interpolated_across_360(tmp_path: Path) -> None:
    path = aspect_file(tmp_path / "a.fits", time=[0, 2], ra=[359.9, 0.1], dec=[1, 1], roll=[0.2, 359.8])
    attitude = read_aspect([path]).at(np.array([1.0]))
    assert attitude.ra % 360 == pytest.approx(0, abs=1e-9)
    assert attitude.roll == pytest.approx(0, abs=1e-9)
    assert attitude.dy == 0


def test_rows_that_are_not_numbers_are_left_out(tmp_path: Path) -> None:
    path = aspect_file(tmp_path / "a.fits", time=[0, 1, 2], ra=[1, np.nan, 3], dec=[1, 1, 1], roll=[2, 2, 2])
    assert read_aspect([path]).at(np.array([1.0])).ra == pytest.approx(2)


def test_an_aspect_solution_without_rows_is_refused(tmp_path: Path) -> None:
    path = aspect_file(tmp_path / "pcad.fits", time=[], ra=[], dec=[], roll=[])
    with pytest.raises(DataError, match=r"pcad.fits: the aspect solution is empty"):
        read_aspect([path])


def test_a_table_without_attitudes_is_refused(tmp_path: Path) -> None:
    path = aspect_file(tmp_path / "pcad.fits", time=[1.0], ra=[2.0])
    with pytest.raises(DataError, match=r"pcad.fits has no table with the columns time, ra, dec, roll"):
        read_aspect([path])


def test_the_attitude_is_constant_beyond_the_ends(tmp_path: Path) -> None:
    path = aspect_file(tmp_path / "a.fits", time=[0, 2], ra=[10, 12], dec=[1, 1], roll=[5, 5])
    assert read_aspect([path]).at(np.array([-5.0, 9.0])).ra.tolist() == [10, 12]


def test_a_row_that_two_files_share_is_used_once(tmp_path: Path) -> None:
    first = aspect_file(tmp_path / "a.fits", time=[0, 1], ra=[10, 11], dec=[1, 1], roll=[5, 5])
    second = aspect_file(tmp_path / "b.fits", time=[1, 2], ra=[11, 12], dec=[1, 1], roll=[5, 5])
    assert read_aspect([first, second]).time.tolist() == [0, 1, 2]


def test_vector_columns_are_refused(tmp_path: Path) -> None:
    columns = [fits.Column(name, "2D", array=np.ones((3, 2))) for name in ("time", "ra", "dec", "roll")]
    fits.BinTableHDU.from_columns(columns, name="ASPSOL").writeto(tmp_path / "pcad.fits")
    with pytest.raises(DataError, match=r"pcad\.fits: extension ASPSOL has a vector column"):
        read_aspect([tmp_path / "pcad.fits"])
