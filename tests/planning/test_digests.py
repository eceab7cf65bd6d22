"""Digests: of the bytes, and of the content that later stages see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.planning import digests
from chandra_runner.planning.digests import digest_bytes, digest_product, digest_shared_file


def write(path: Path, value: float = 1.0, **cards: str) -> Path:
    """A FITS file with a table, and such cards in its header."""
    table = fits.BinTableHDU(np.array([(value,)], dtype=[("rate", ">f8")]))
    table.header.update(cards)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path, overwrite=True)
    return path


def test_content_leaves_out_what_only_records_the_making(tmp_path: Path) -> None:
    old = write(tmp_path / "old.fits", DATE="2026-01-01", CREATOR="one", OBJECT="Cas A")
    new = write(tmp_path / "new.fits", DATE="2026-12-31", CREATOR="two", OBJECT="Cas A")
    with fits.open(new, mode="update", checksum=True) as file:
        file[1].header["HISTORY"] = "a line of history"
    assert digest_product(old).digest != digest_product(new).digest
    assert digest_product(old).content == digest_product(new).content


def test_content_leaves_out_all_of_a_value_that_is_continued(tmp_path: Path) -> None:
    short = write(tmp_path / "short.fits", CREATOR="a tool", OBJECT="Cas A " * 20)
    long = write(tmp_path / "long.fits", CREATOR="a tool with a long name " * 9, OBJECT="Cas A " * 20)
    other = write(tmp_path / "other.fits", CREATOR="a tool", OBJECT="Cas A " * 19 + "Tycho ")
    assert b"CONTINUE" in long.read_bytes()
    assert digest_product(short).content == digest_product(long).content
    assert digest_product(short).content != digest_product(other).content


@pytest.mark.parametrize("change", [{"value": 2.0}, {"OBJECT": "Tycho"}])
def test_content_sees_data_and_all_other_cards(tmp_path: Path, change: dict[str, float | str]) -> None:
    plain = write(tmp_path / "plain.fits", OBJECT="Cas A")
    changed = write(tmp_path / "changed.fits", **{"OBJECT": "Cas A", **change})
    assert digest_product(plain).content != digest_product(changed).content


def test_many_lines_of_history_do_not_change_the_content(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain.fits")
    long = write(tmp_path / "long.fits")
    with fits.open(long, mode="update") as file:
        for number in range(100):
            file[1].header["HISTORY"] = f"line {number}"
    assert digest_product(plain).content == digest_product(long).content


def test_other_files_are_digested_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "plot.png"
    path.write_bytes(b"DATE    = no header")
    assert digest_product(path) == digest_bytes(path)


def test_a_file_that_observations_share_is_read_once_until_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def digest(path: Path) -> digests.FileDigest:
        read.append(path)
        return digest_bytes(path)

    monkeypatch.setattr(digests, "digest_bytes", digest)
    path = tmp_path / "calibration.fits"
    path.write_bytes(b"old")
    assert digest_shared_file(path) == digest_shared_file(path)
    assert len(read) == 1
    path.write_bytes(b"newer")
    assert digest_shared_file(path) == digest_bytes(path)
    assert len(read) == 2


@pytest.mark.parametrize("length", [0, 100, 2880 + 5, 2880 * 2 + 80, -1])
def test_a_file_that_is_cut_off_is_refused(tmp_path: Path, length: int) -> None:
    path = write(tmp_path / "cut.fits")
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match=r"cut\.fits is (truncated|empty)"):
        digest_product(path)


def test_a_file_that_is_no_fits_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "text.fits"
    path.write_text("END".ljust(80) * 36)
    with pytest.raises(DataError, match=r"text\.fits is not a FITS file"):
        digest_product(path)


def test_images_and_variable_length_tables_are_walked_whole(tmp_path: Path, shared_data: Path) -> None:
    path = tmp_path / "image.fits"
    column = fits.Column("list", "PJ()", array=np.array([[1, 2], [3]], dtype=object))
    table = fits.BinTableHDU.from_columns([column])
    fits.HDUList([fits.PrimaryHDU(np.zeros((3, 5), ">i2")), table]).writeto(path)
    assert digest_product(path).stat.size == path.stat().st_size
