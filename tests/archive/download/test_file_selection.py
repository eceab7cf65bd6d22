"""Which files are needed, missing, or in another processing version: by index, record and archive."""

from __future__ import annotations

from pathlib import Path

import pytest

from chandra_runner.archive.download.download_record import DownloadRecord, FileOrigin
from chandra_runner.archive.download.file_selection import (
    FileSelection,
    interrupted_files,
    missing_files,
    other_versions,
    processing_versions,
    select_files,
)
from chandra_runner.archive.download.listing import ListedFile
from chandra_runner.archive.errors import ArchiveError

from ...obsid_files import index

EVT1, EVT2 = "secondary/acisf00042_000N001_evt1.fits", "primary/acisf00042N001_evt2.fits"
ASOL, MTL = "primary/pcadf00042N001_asol1.fits", "secondary/acisf00042_000N001_mtl1.fits"
ALL = FileSelection()
EVENTS = FileSelection(frozenset({"evt1", "evt2"}))


def put(directory: Path, *paths: str) -> Path:
    """Put files into a directory; their content does not matter."""
    for path in paths:
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_bytes(b"x")
    return directory


def listed(*paths: str) -> list[ListedFile]:
    """Files of an archive."""
    return [ListedFile(path, f"https://archive.example/{path}") for path in paths]


def names(*paths: str) -> list[str]:
    """File names, sorted."""
    return sorted(path.rpartition("/")[2] for path in paths)


def test_a_selection_has_its_kinds_and_the_index() -> None:
    paths = [EVT1, EVT2, ASOL, "oif.fits", "00README", "axaff00042N001_VV001_vv2.pdf"]
    assert [path for path in paths if path in EVENTS] == [EVT1, EVT2, "oif.fits"]
    assert [path for path in paths if path in ALL] == paths


def test_an_empty_directory_misses_its_index_first(tmp_path: Path) -> None:
    assert missing_files(tmp_path, ALL) == ["oif.fits"]
    assert missing_files(put(tmp_path, ASOL), EVENTS) == ["oif.fits"]


def test_a_directory_with_events_and_no_index_is_complete(tmp_path: Path) -> None:
    assert missing_files(put(tmp_path, EVT2), ALL) == []


def test_a_directory_with_a_damaged_index_is_complete(tmp_path: Path) -> None:
    assert missing_files(put(tmp_path, "oif.fits"), ALL) == []


def test_what_the_index_lists_may_be_in_any_folder_compression_and_version(tmp_path: Path) -> None:
    index(tmp_path, EVT1, EVT2, ASOL)
    put(tmp_path, "acisf00042_000N005_evt1.fits.gz", "secondary/acisf00042N001_evt2.fits")
    assert missing_files(tmp_path, ALL) == names(ASOL)


def test_in_a_directory_of_its_owner_only_kinds_that_change_products_are_missed(tmp_path: Path) -> None:
    index(tmp_path, EVT1, EVT2, ASOL, MTL)
    wanted = FileSelection(frozenset({"evt1", "asol1", "mtl1"}))
    assert missing_files(tmp_path, wanted) == names(EVT1, ASOL)
    assert missing_files(tmp_path, ALL) == names(EVT1, EVT2, ASOL, MTL)
    DownloadRecord(sources={"oif.fits": FileOrigin("https://archive.example/", "2026-01-01")}).write(tmp_path)
    assert missing_files(tmp_path, wanted) == names(EVT1, ASOL, MTL)


def test_an_interrupted_download_misses_what_it_had_pending(tmp_path: Path) -> None:
    assert interrupted_files(tmp_path) == []
    DownloadRecord(pending=[f"{EVT1}.gz", f"{EVT2}.gz"]).write(tmp_path)
    assert interrupted_files(tmp_path) == [f"{EVT1}.gz", f"{EVT2}.gz"]
    put(tmp_path, EVT1, f"{EVT2}.gz.part")  # unpacked by the user; and not complete
    assert interrupted_files(tmp_path) == [f"{EVT2}.gz"]


def test_only_files_that_are_not_there_are_selected(tmp_path: Path) -> None:
    entries = listed("oif.fits", f"{EVT1}.gz", f"{EVT2}.gz", f"{ASOL}.gz")
    assert select_files(entries, tmp_path, ALL) == entries
    put(tmp_path, "oif.fits", EVT2, f"secondary/{ASOL.rpartition('/')[2]}.gz")
    assert select_files(entries, tmp_path, EVENTS) == entries[1:2]
    assert select_files(entries, tmp_path, ALL) == entries[1:2]


def test_files_of_another_version_are_not_mixed_in(tmp_path: Path) -> None:
    put(tmp_path, EVT1, ASOL)
    entries = listed(EVT1.replace("N001", "N005"), EVT2)
    with pytest.raises(ArchiveError, match=r"^it has \S+N005_evt1.fits, but this directory has \S+N001_evt1"):
        select_files(entries, tmp_path, EVENTS)
    assert select_files(listed(EVT1, ASOL.replace("N001", "N005")), tmp_path, EVENTS) == []


def test_versions_are_the_numbers_after_n() -> None:
    here = ["acisf00042N001_evt2.fits", "acisf00042_000N002_evt1.fits", "oif.fits", "N003"]
    elsewhere = ["acisf00042N004_evt2.fits", "acisf00042_000N002_evt1.fits", "pcadf00042N004_asol1.fits"]
    assert other_versions(here, elsewhere) == {here[0]: elsewhere[0]}
    assert processing_versions(here) == "N001, N002"
    assert processing_versions(["oif.fits"]) == ""
