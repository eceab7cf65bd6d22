"""The record of downloads survives being written and read; one that is damaged counts as none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chandra_runner.archive.download.download_record import NAME, DownloadRecord, FileOrigin

ORIGIN = FileOrigin("https://archive.example/a.fits", "2026-01-31T12:00:00+00:00")


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    record = DownloadRecord(["primary/b.fits"], {"a.fits": ORIGIN})
    record.write(tmp_path / "42")
    assert DownloadRecord.read(tmp_path / "42") == record
    assert [path.name for path in (tmp_path / "42").iterdir()] == [NAME]


def test_a_directory_without_a_record_has_an_empty_one(tmp_path: Path) -> None:
    assert DownloadRecord.read(tmp_path) == DownloadRecord()
    assert DownloadRecord.read(tmp_path / "missing") == DownloadRecord()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"pending": []}',
        '{"pending": 3, "sources": {}}',
        '{"pending": [], "sources": []}',
        '{"pending": [], "sources": {"a.fits": "https://archive.example/"}}',
        '{"pending": [], "sources": {"a.fits": {"url": "x"}}}',
        '{"pending": [], "sources": {"a.fits": {"url": "x", "fetched": "y", "by": "z"}}}',
    ],
)
def test_a_damaged_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / NAME).write_text(text)
    assert DownloadRecord.read(tmp_path) == DownloadRecord()


def test_its_text_can_be_limited_to_some_files_and_is_sorted() -> None:
    other = FileOrigin("sample", "2026-02-01T12:00:00+00:00")
    record = DownloadRecord(sources={"b.fits": other, "a.fits": ORIGIN, "c.fits": ORIGIN})
    assert list(json.loads(record.text())["sources"]) == ["a.fits", "b.fits", "c.fits"]
    limited = json.loads(record.text(["b.fits", "a.fits", "unknown.fits"]))
    assert limited == {
        "pending": [],
        "sources": {
            "a.fits": {"url": ORIGIN.url, "fetched": ORIGIN.fetched},
            "b.fits": {"url": "sample", "fetched": other.fetched},
        },
    }
