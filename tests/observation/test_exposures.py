"""Files belong to exposures by their names, otherwise by their times."""

from __future__ import annotations

from pathlib import Path

import pytest

from chandra_runner.errors import DataError
from chandra_runner.observation.directory import read_observation
from chandra_runner.observation.exposures import group_files

from ..obsid_files import write_raw

FIRST, SECOND = "secondary/acisf00042_000N001_evt1.fits", "secondary/acisf00042_001N001_evt1.fits"
MERGED = "primary/acisf00042N001_evt2.fits"


def intervals(directory: Path) -> dict[str, tuple[str, ...]]:
    """Two observing intervals, 1000-2000 s and 5000-6000 s, and their merged level 2."""
    write_raw(directory, FIRST, TSTART=1000.0, TSTOP=2000.0)
    write_raw(directory, SECOND, TSTART=5000.0, TSTOP=6000.0)
    return {"evt1": (FIRST, SECOND), "evt2": (MERGED,)}


def test_interleaved_exposures_share_files_that_name_neither(shared_data: Path) -> None:
    e1, e2 = read_observation(shared_data / "sim/90006", 90006).exposures
    assert e1.files["evt1"] == ("secondary/acisf90006_000N001_e1_evt1.fits.gz",)
    assert e2.files["evt2"] == ("primary/acisf90006N001_e2_evt2.fits.gz",)
    assert e1.files["asol1"] == e2.files["asol1"] == ("primary/pcadf90006_000N001_asol1.fits.gz",)


def test_observing_intervals_have_their_own_files_and_not_the_merged_events(shared_data: Path) -> None:
    first, second = read_observation(shared_data / "sim/90007", 90007).exposures
    assert "evt2" not in first.files
    assert "evt2" not in second.files
    assert second.files["flt1"] == ("secondary/acisf90007_001N001_flt1.fits.gz",)
    # These are named by their times: 112660631 s is in the second interval.
    assert first.files["pbk0"] == ("secondary/acisf112029479N001_pbk0.fits.gz",)
    assert second.files["osol1"] == ("secondary/aspect/pcadf112660631N001_osol1.fits.gz",)


@pytest.mark.parametrize(
    ("span", "exposures"),
    [
        ((900.0, 1100.0), ["000"]),
        ((5999.0, 7000.0), ["001"]),
        ((1500.0, 5500.0), ["000", "001"]),
        ((2000.0, 5000.0), []),
    ],
)
def test_a_file_without_an_interval_in_its_name_belongs_to_those_that_it_overlaps(
    tmp_path: Path, span: tuple[float, float], exposures: list[str]
) -> None:
    name = "secondary/acisf001000N001_pbk0.fits"
    write_raw(tmp_path, name, TSTART=span[0], TSTOP=span[1])
    groups = group_files(tmp_path, {**intervals(tmp_path), "pbk0": (name,)}, [])
    assert [tag for tag, files in groups.items() if "pbk0" in files] == exposures


def test_a_file_without_times_may_belong_to_every_interval(tmp_path: Path) -> None:
    name = "secondary/acisf001000N001_pbk0.fits"
    write_raw(tmp_path, name, TSTART=None, TSTOP=None)
    groups = group_files(tmp_path, {**intervals(tmp_path), "pbk0": (name,)}, [])
    assert [files["pbk0"] for files in groups.values()] == [(name,), (name,)]


def test_a_listed_interval_without_files_is_an_exposure_too(tmp_path: Path) -> None:
    write_raw(tmp_path, FIRST)
    groups = group_files(tmp_path, {"evt1": (FIRST,)}, [FIRST, SECOND])
    assert {tag: dict(files) for tag, files in groups.items()} == {"000": {"evt1": (FIRST,)}, "001": {}}


def test_headers_are_not_read_for_a_single_exposure(tmp_path: Path) -> None:
    assert group_files(tmp_path / "missing", {"evt1": (FIRST,), "evt2": (MERGED,)}, []) == {
        "": {"evt1": (FIRST,), "evt2": (MERGED,)}
    }


def test_an_exposure_may_have_several_aspect_solutions_but_one_mask(tmp_path: Path) -> None:
    asol = ("primary/pcadf1_asol1.fits", "primary/pcadf2_asol1.fits")
    assert group_files(tmp_path, {"evt2": (MERGED,), "asol1": asol}, [])[""]["asol1"] == asol
    with pytest.raises(DataError, match=r"2 msk1 files: a_msk1\.fits, b_msk1\.fits; keep only the newer"):
        group_files(tmp_path, {"evt2": (MERGED,), "msk1": ("a_msk1.fits", "b_msk1.fits")}, [])


def test_two_versions_of_a_file_without_oif_fits_are_refused(tmp_path: Path) -> None:
    newer = MERGED.replace("N001", "N002")
    write_raw(tmp_path, MERGED, newer)
    with pytest.raises(DataError, match=f"there are 2 evt2 files: {MERGED}, {newer}"):
        read_observation(tmp_path, 42)
