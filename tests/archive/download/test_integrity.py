"""A downloaded file is complete, or the check says what is wrong with it."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.archive.download import integrity
from chandra_runner.archive.download.integrity import check_integrity
from chandra_runner.errors import DataError


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A FITS file with an image and a table."""
    path = tmp_path_factory.mktemp("integrity") / "file.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("TIME", "1D", array=np.arange(1000.0))])
    fits.HDUList([fits.PrimaryHDU(np.zeros((50, 50))), table]).writeto(path)
    return path.read_bytes()


def check(directory: Path, name: str, content: bytes) -> None:
    """Check a file of that name and content."""
    path = directory / f"{name}.part"
    path.write_bytes(content)
    check_integrity(path, name)


@pytest.mark.parametrize("name", ["a_evt2.fits", "a_evt2.fit", "a.txt"])
def test_complete_files_pass(tmp_path: Path, content: bytes, name: str) -> None:
    check(tmp_path, name, content)
    check(tmp_path, f"{name}.gz", gzip.compress(content))
    half = len(content) // 2
    check(tmp_path, f"{name}.gz", gzip.compress(content[:half]) + gzip.compress(content[half:]))


def test_files_of_other_formats_are_only_read(tmp_path: Path) -> None:
    check(tmp_path, "00README", b"words")
    check(tmp_path, "movie.gz", gzip.compress(b"frames"))


@pytest.mark.parametrize(
    ("name", "cut", "message"),
    [
        ("a.fits", slice(0, 0), "it is empty"),
        ("a.fits.gz", slice(0, 0), "it is empty"),
        ("a.fits", slice(0, 100), "ends within a header"),
        ("a.fits", slice(0, -2880), "is truncated"),
        ("a.fits", slice(2880, None), "is not a FITS file"),
    ],
)
def test_files_that_are_not_complete_are_named(
    tmp_path: Path, content: bytes, name: str, cut: slice, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        check(tmp_path, name, content[cut])


@pytest.mark.parametrize("name", ["a.fits.gz", "a.txt.gz"])
def test_every_byte_of_a_compressed_file_counts(tmp_path: Path, content: bytes, name: str) -> None:
    packed = gzip.compress(content)
    for damaged in (packed[:-9], packed[:-1], packed[:-8] + bytes(8), b"x" + packed[1:], packed[:50] + b"!!"):
        with pytest.raises(DataError, match=r"its compression is damaged|is truncated"):
            check(tmp_path, name, damaged)


def test_a_file_may_not_uncompress_to_more_than_its_size_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrity, "SMALLEST_LIMIT", 1 << 20)
    zeros = gzip.compress(bytes(8 << 20))  # a thousandth of it
    with pytest.raises(DataError, match=r"it uncompresses to more than 1 MB, too much for its size"):
        check(tmp_path, "a.txt.gz", zeros)
    monkeypatch.setattr(integrity, "SMALLEST_LIMIT", 8 << 20)
    check(tmp_path, "a.txt.gz", zeros)
