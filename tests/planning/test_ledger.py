"""The ledger knows manifests and digests, and reads a file again only when it may have changed."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from chandra_runner.planning import ledger as module
from chandra_runner.planning.digests import FileDigest, digest_bytes
from chandra_runner.planning.fingerprint import FingerprintParts
from chandra_runner.planning.ledger import Ledger

from .products import publish

PARTS = FingerprintParts("deflare", 1, "native", {}, {})


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """A raw file."""
    path = tmp_path / "data" / "11" / "primary" / "acisf00011N001_evt2.fits"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"events")
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are read to be digested."""
    paths: list[Path] = []

    def count(path: Path) -> FileDigest:
        paths.append(path)
        return digest_bytes(path)

    monkeypatch.setattr(module, "digest_bytes", count)
    monkeypatch.setattr(module, "digest_product", count)
    return paths


def open_ledger(root: Path) -> Ledger:
    return Ledger(root / "products", root / "data", 11)


def test_raw_files_are_read_once_and_again_only_after_a_change(
    tmp_path: Path, raw: Path, reads: list[Path]
) -> None:
    for _ in range(2):
        ledger = open_ledger(tmp_path)
        first = ledger.raw_files
        ledger.save()
    assert reads == [raw]
    raw.write_bytes(b"other events")
    changed = open_ledger(tmp_path).raw_files
    assert changed.keys() == first.keys()
    assert changed != first
    assert reads == [raw, raw]


def test_digests_of_an_inventory_count_for_files_that_are_older_than_it(
    tmp_path: Path, raw: Path, reads: list[Path]
) -> None:
    ledger, name = open_ledger(tmp_path), "primary/acisf00011N001_evt2.fits"
    ledger.record_raw_digests({name: "from the inventory"}, before_ns=raw.stat().st_mtime_ns + 1)
    assert ledger.raw_files == {name: "from the inventory"}
    assert reads == []


def test_a_file_that_changed_during_the_inventory_is_read_again(
    tmp_path: Path, raw: Path, reads: list[Path]
) -> None:
    ledger, name = open_ledger(tmp_path), "primary/acisf00011N001_evt2.fits"
    ledger.record_raw_digests({name: "from the inventory"}, before_ns=raw.stat().st_mtime_ns)
    assert ledger.raw_files == {name: digest_bytes(raw).digest}
    assert reads == [raw]


def test_an_inventory_is_of_the_directory_that_the_download_made(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    assert ledger.raw_files == {}
    path = tmp_path / "data" / "1" / "11" / "oif.fits"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"index")
    ledger.record_raw_digests({"oif.fits": "digest"}, before_ns=path.stat().st_mtime_ns + 1)
    assert ledger.raw_directory == path.parent
    assert ledger.raw_files == {"oif.fits": "digest"}


def test_damage_is_named_file_by_file(tmp_path: Path) -> None:
    directory = tmp_path / "products" / "11" / "deflare"
    manifest = publish(directory, PARTS, {"gti": "1", "plot": "2", "lightcurve": "3"})
    assert list(open_ledger(tmp_path).damage(manifest)) == []
    (directory / "gti.txt").unlink()
    (directory / "plot.txt").write_text("x")
    (directory / "lightcurve.txt").unlink()
    (directory / "lightcurve.txt").mkdir()
    missing, altered, unreadable = open_ledger(tmp_path).damage(manifest)
    assert missing == "product gti.txt is missing"
    assert altered == "product plot.txt was altered"
    assert unreadable.startswith("product lightcurve.txt cannot be read: ")


def test_a_manifest_is_read_again_when_it_was_replaced(tmp_path: Path) -> None:
    directory = tmp_path / "products" / "11" / "deflare"
    publish(directory, PARTS, {"gti": "1"})
    ledger = open_ledger(tmp_path)
    assert ledger.manifest("deflare").outputs[0].size == 1
    publish(directory, PARTS, {"gti": "more"})
    assert ledger.manifest("deflare").outputs[0].size == 4
    (directory / "manifest.json").write_text("{")
    assert ledger.manifest("deflare") is None


def test_new_products_replace_what_was_recorded_of_the_old(tmp_path: Path, reads: list[Path]) -> None:
    directory = tmp_path / "products" / "11" / "deflare"
    manifest = publish(directory, PARTS, {"gti": "1"})
    ledger = open_ledger(tmp_path)
    ledger.record_failure("deflare", "no")
    ledger.record(manifest, {"gti.txt": digest_bytes(directory / "gti.txt")})
    ledger.save()
    again = open_ledger(tmp_path)
    assert again.failure("deflare") == ""
    assert list(again.damage(manifest)) == []
    assert reads == []


def test_a_failure_is_remembered(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.record_failure("deflare", "the disk is full")
    ledger.save()
    assert open_ledger(tmp_path).failure("deflare") == "the disk is full"


@pytest.mark.parametrize(
    "text",
    ["", "[]", "null", '{"state": 1}', '{"state": 2, "files": {}, "manifests": {}, "failures": {"a": "b"}}'],
)
def test_a_state_file_that_cannot_be_used_counts_as_empty(tmp_path: Path, text: str) -> None:
    path = tmp_path / "products" / ".chandra-run" / "state" / "11.json"
    path.parent.mkdir(parents=True)
    path.write_text(text)
    assert open_ledger(tmp_path).failure("a") == ""


def test_nothing_is_written_where_nothing_changed(tmp_path: Path) -> None:
    open_ledger(tmp_path).save()
    assert not (tmp_path / "products").exists()
    ledger = open_ledger(tmp_path)
    ledger.record_failure("deflare", "no")
    ledger.save()
    path = tmp_path / "products" / ".chandra-run" / "state" / "11.json"
    assert json.loads(path.read_text())["failures"] == {"deflare": "no"}
    os.utime(path, (1, 1))
    open_ledger(tmp_path).save()
    assert path.stat().st_mtime == 1
