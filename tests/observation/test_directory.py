"""An ObsID directory is read as an observation with exposures, or refused with the reason."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from chandra_runner.errors import DataError
from chandra_runner.observation.directory import read_observation

from ..obsid_files import index, write_raw

EVT1, EVT2 = "secondary/acisf00042_000N001_evt1.fits", "primary/acisf00042N001_evt2.fits"
ASOL = "primary/pcadf00042_000N001_asol1.fits"


@pytest.mark.parametrize(
    ("obsid", "stems"),
    [
        (90001, {"E001": "acisf90001"}),
        (90003, {"E001": "hrcf90003"}),
        (90006, {"e1": "acisf90006e1", "e2": "acisf90006e2"}),
        (90007, {"E000": "acisf90007_000", "E001": "acisf90007_001"}),
    ],
)
def test_exposures_have_the_names_that_ciao_gives_them(
    shared_data: Path, obsid: int, stems: dict[str, str]
) -> None:
    observation = read_observation(shared_data / f"sim/{obsid}", obsid)
    assert {exposure.id: exposure.stem for exposure in observation.exposures} == stems


@pytest.mark.parametrize(
    ("obsid", "reason"),
    [(90008, "oif.fits lists no aspect solution"), (90009, "oif.fits lists no EVT1")],
)
def test_an_observation_that_is_not_active_has_the_reason(shared_data: Path, obsid: int, reason: str) -> None:
    observation = read_observation(shared_data / f"sim/{obsid}", obsid)
    assert (observation.active, observation.reason, observation.exposures) == (False, reason, ())


def test_without_oif_fits_files_and_event_headers_are_enough(shared_data: Path) -> None:
    observation = read_observation(shared_data / "real/28229", 28229)
    assert observation.active
    assert (observation.detector, observation.datamode, observation.readmode) == ("ACIS-67", "FAINT", "TIMED")
    assert observation.ra_nom == pytest.approx(266.418, abs=1e-3)
    (exposure,) = observation.exposures
    assert (exposure.id, exposure.stem) == ("E001", "acisf28229")
    assert sorted(exposure.files) == ["bpix1", "evt2", "flt1", "fov1", "msk1", "pbk0"]


@pytest.mark.parametrize("name", [EVT1, EVT2])
def test_without_oif_fits_one_event_file_of_either_level_is_enough(tmp_path: Path, name: str) -> None:
    assert read_observation(write_raw(tmp_path, name), 42).active


def test_without_oif_fits_and_events_there_is_nothing_to_reduce(tmp_path: Path) -> None:
    observation = read_observation(write_raw(tmp_path, ASOL), 42)
    assert (observation.active, observation.reason) == (
        False,
        "there is no evt1 or evt2 file, and no oif.fits",
    )


def test_files_may_be_in_any_folder(tmp_path: Path) -> None:
    names = ["acisf00042N001_evt2.fits", "secondary/acisf00042_000N001_bpix1.fits"]
    (exposure,) = read_observation(write_raw(tmp_path, *names), 42).exposures
    assert exposure.files == {"evt2": (names[0],), "bpix1": (names[1],)}


def test_obsids_have_five_digits_in_names(tmp_path: Path) -> None:
    (exposure,) = read_observation(write_raw(tmp_path, EVT2), 42).exposures
    assert exposure.stem == "acisf00042"


def test_of_two_versions_the_one_that_oif_fits_lists_is_taken(tmp_path: Path) -> None:
    newer = EVT2.replace("N001", "N002")
    write_raw(tmp_path, EVT1, EVT2, newer, ASOL)
    index(tmp_path, EVT1, newer, ASOL)
    (exposure,) = read_observation(tmp_path, 42).exposures
    assert exposure.files["evt2"] == (newer,)


def test_a_file_beside_its_compressed_copy_is_refused_by_both_names(tmp_path: Path) -> None:
    write_raw(tmp_path, EVT2)
    (tmp_path / f"{EVT2}.gz").write_bytes(gzip.compress((tmp_path / EVT2).read_bytes()))
    with pytest.raises(DataError, match=f"{EVT2} and {EVT2}.gz both exist"):
        read_observation(tmp_path, 42)


def test_a_directory_of_another_obsid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"{EVT2} belongs to ObsID 42"):
        read_observation(write_raw(tmp_path, EVT2), 43)


def test_an_index_of_another_obsid_is_refused(tmp_path: Path) -> None:
    write_raw(tmp_path, EVT1, EVT2, ASOL)
    index(tmp_path, EVT1, EVT2, ASOL, OBS_ID="43")
    with pytest.raises(DataError, match=r"oif\.fits belongs to ObsID 43"):
        read_observation(tmp_path, 42)


def test_listed_files_that_are_missing_are_named(tmp_path: Path) -> None:
    write_raw(tmp_path, EVT2)
    index(tmp_path, EVT1, EVT2, ASOL, "secondary/acisf00042_000N001_mtl1.fits")
    notes = read_observation(tmp_path, 42).notes
    names = "acisf00042_000N001_evt1.fits, pcadf00042_000N001_asol1.fits"
    assert notes == (f"oif.fits lists files that are missing: {names}",)


def test_an_exposure_without_events_is_an_error_that_names_what_is_missing(tmp_path: Path) -> None:
    other = EVT1.replace("_000", "_001")
    write_raw(tmp_path, EVT1, EVT2, ASOL)
    index(tmp_path, EVT1, other, EVT2, ASOL)
    with pytest.raises(DataError, match=r"exposure E001 has no event file.*acisf00042_001N001_evt1"):
        read_observation(tmp_path, 42)


def test_an_index_cannot_lead_out_of_the_directory(tmp_path: Path) -> None:
    write_raw(tmp_path / "secret", EVT2)
    inside = write_raw(tmp_path / "42", EVT1, ASOL)
    index(inside, EVT1, f"../secret/{EVT2}", str(tmp_path / "secret" / EVT2), ASOL)
    observation = read_observation(inside, 42)
    assert "evt2" not in observation.exposures[0].files


def test_an_instrument_that_cannot_be_reduced_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the instrument is EPHIN"):
        read_observation(write_raw(tmp_path, EVT2, INSTRUME="EPHIN"), 42)
