"""An ObsID directory is known by its files, wherever the archive's layouts put them."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from chandra_runner.errors import DataError
from chandra_runner.observation import raw_files as module
from chandra_runner.observation.raw_files import (
    EXPOSURE_KINDS,
    KINDS,
    KINDS_REPORTED_MISSING,
    RawFile,
    find_directory,
    inventory,
    kind_of,
    list_files,
)


def make(directory: Path, *paths: str) -> Path:
    for path in paths:
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(path)
    return directory


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("acisf00754N005_evt2.fits.gz", "evt2"),
        ("acisf00754N005_evt2.fits", "evt2"),
        ("secondary/acisf90007_001N001_evt1.fits.gz", "evt1"),
        ("acisf90006_000N001_e2_msk1.fits.gz", "msk1"),
        ("pcadf90001_000N001_asol1.fits.gz", "asol1"),
        ("acisf456007320N001_6_bias0.fits.gz", "bias0"),
        ("hrcf90003_000N001_dtf1.fits.gz", "dtf1"),
        ("acisf90001N001_full_img2.fits.gz", "img2"),
        ("orbitf456003720N001_eph1.fits.gz", "eph1"),
        ("evt2.fits", "evt2"),
        ("oif.fits", "oif"),
        ("00README", ""),
        ("acisf00754N005_full_img2.jpg", ""),
        ("acisf00754_evt2.fits.gz.part", ""),
        ("hrcf00754_000N005_dtfstat1.fits", ""),
        ("evt2.fits/notes.txt", ""),
    ],
)
def test_kind_is_the_file_type_at_the_end_of_the_name(name: str, kind: str) -> None:
    assert kind_of(name) == kind


def test_every_kind_is_described_and_found_in_names() -> None:
    for name, kind in KINDS.items():
        assert kind_of(f"acisf00042_000N001_{name}.fits.gz") == name
        assert kind.description


def test_only_files_of_exposures_are_reported_missing() -> None:
    assert KINDS_REPORTED_MISSING < EXPOSURE_KINDS < set(KINDS)
    assert set(KINDS) - EXPOSURE_KINDS == {"oif", "bias0", "aqual1", "eph1", "img2"}
    assert {"osol1", "mtl1", "pbk0"} == EXPOSURE_KINDS - KINDS_REPORTED_MISSING


def test_every_simulated_fits_file_has_a_kind(shared_data: Path) -> None:
    for directory in (shared_data / "sim" / "90001", shared_data / "sim" / "90003"):
        files = list_files(directory)
        assert len(files) > 15
        assert [path for path in files if not kind_of(path)] == []


def test_files_are_listed_with_size_and_digest_in_order_of_path(tmp_path: Path) -> None:
    make(tmp_path, "secondary/aspect/b_osol1.fits", "oif.fits", "primary/a_evt2.fits")
    files = inventory(tmp_path)
    assert [(file.path, file.kind) for file in files] == [
        ("oif.fits", "oif"),
        ("primary/a_evt2.fits", "evt2"),
        ("secondary/aspect/b_osol1.fits", "osol1"),
    ]
    assert files[0] == RawFile("oif.fits", "oif", 8, hashlib.sha256(b"oif.fits").hexdigest())


def test_hidden_files_half_downloads_and_what_ciao_made_are_no_raw_data(tmp_path: Path) -> None:
    make(tmp_path, "primary/a_evt2.fits", ".DS_Store", "primary/.a_evt2.fits.swp", "primary/b_evt2.fits.part")
    make(tmp_path, "repro/acisf00754_repro_evt2.fits", "oif.fits~")
    assert list_files(tmp_path) == ("primary/a_evt2.fits",)


def test_links_are_followed_but_not_in_circles(tmp_path: Path) -> None:
    store = make(tmp_path / "store", "primary/a_evt2.fits", "deep/c_evt1.fits")
    (tmp_path / "493").symlink_to(store)
    (store / "primary" / "again").symlink_to(store / "primary")
    (store / "secondary").symlink_to(store / "deep")
    (store / "deep" / "up").symlink_to(store)
    assert list_files(tmp_path / "493") == ("primary/a_evt2.fits", "secondary/c_evt1.fits")


def test_a_dangling_link_is_named(tmp_path: Path) -> None:
    (tmp_path / "a_evt2.fits").symlink_to("gone.fits")
    with pytest.raises(DataError, match=r"a_evt2\.fits is a link to gone\.fits"):
        inventory(tmp_path)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, "a_evt2.fits")

    def refuse(self: Path, mode: str) -> None:
        raise PermissionError(13, os.strerror(13))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(DataError, match=r"a_evt2\.fits cannot be read: Permission denied; check"):
        inventory(tmp_path)


def test_a_directory_with_far_too_many_files_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_FILES", 2)
    make(tmp_path, "1", "2", "3")
    with pytest.raises(DataError, match="more than 2 files: it is not an ObsID directory"):
        list_files(tmp_path)


@pytest.mark.parametrize("place", ["493", "3/493", "byobsid/3/493"])
def test_an_observation_is_found_in_each_layout(tmp_path: Path, place: str) -> None:
    make(tmp_path, f"{place}/primary/a_evt2.fits")
    assert find_directory(tmp_path, 493) == tmp_path / place
    assert find_directory(tmp_path, 494) is None


def test_a_folder_for_a_last_digit_is_not_taken_for_an_observation(tmp_path: Path) -> None:
    make(tmp_path, "3/493/oif.fits", "3/3/oif.fits")
    assert find_directory(tmp_path, 3) == tmp_path / "3" / "3"


def test_an_empty_directory_does_not_hide_the_data_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "493" / "primary").mkdir(parents=True)
    assert find_directory(tmp_path, 493) is None
    make(tmp_path, "3/493/oif.fits")
    assert find_directory(tmp_path, 493) == tmp_path / "3" / "493"
