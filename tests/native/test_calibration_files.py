"""Of the files of a CALDB, the newest version counts, and of several epochs that of the observation."""

from __future__ import annotations

import pytest

from chandra_runner.native.calibration_files import (
    Calibration,
    find_calibration,
    missing_calibration,
    select_calibration,
)


@pytest.fixture
def caldb(tmp_path):
    def add(*names):
        for name in names:
            path = tmp_path / "data/chandra" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path

    return add


def test_of_each_epoch_the_highest_version_counts(caldb):
    directory = caldb(
        "acis/qeu/acisD2000-01-29qeuN0006.fits",
        "acis/qeu/acisD2000-01-29qeuN0007.fits",
        "acis/qeu/acisD2010-02-01qeuN0007.fits",
        "acis/qeu/acisD2000-01-29ctiN0009.fits",
        "acis/qe/acisD1997-04-17qeN0006.fits",
    )
    found = find_calibration(directory, [Calibration.UNIFORMITY])
    assert [path.name for path in found] == ["acisD2000-01-29qeuN0007.fits", "acisD2010-02-01qeuN0007.fits"]


@pytest.mark.parametrize(
    ("date", "name"),
    [
        ("2000-01-29T00:00:00", "acisD2000-01-29qeuN0007.fits"),
        ("2009-09-13", "acisD2000-01-29qeuN0007.fits"),
        ("2010-02-01T10:00:00", "acisD2010-02-01qeuN0007.fits"),
        ("1999-12-01", None),
    ],
)
def test_the_epoch_is_that_of_the_observation(caldb, date, name):
    directory = caldb("acis/qeu/acisD2000-01-29qeuN0007.fits", "acis/qeu/acisD2010-02-01qeuN0007.fits")
    selected = select_calibration(find_calibration(directory, Calibration), date)
    assert [path.name for path in selected.values()] == ([name] if name else [])


def test_what_an_effective_area_lacks_is_named(caldb):
    directory = caldb("default/axeffa/hrmaD1996-12-20axeffaN0008.fits")
    assert missing_calibration(directory) == ["data/chandra/acis/qe", "data/chandra/acis/contam"]
    caldb("acis/qe/acisD1997-04-17qeN0006.fits", "acis/contam/acisD1999-08-13contamN0014.fits")
    assert missing_calibration(directory) == []
