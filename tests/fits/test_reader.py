"""FITS files of any origin are read within bounds, and damage is an error that names the file."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import naming_file, read_hdus, read_header, unpack

from ..event_files import acis_columns, replace_card, write_events


def packed(path: Path) -> Path:
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes(), 1))
    return target


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_events(tmp_path / "evt.fits")


def test_a_file_is_read_whole_whether_it_is_gzipped_or_not(path: Path) -> None:
    for hdus in (read_hdus(path), read_hdus(packed(path))):
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "EVENTS", "GTI", "GTI"]
        energy = hdus["EVENTS"].data["energy"]
        np.testing.assert_array_equal(energy, acis_columns()["energy"][1].astype("f4"))


def test_an_unpacked_file_has_the_bytes_that_were_packed(path: Path, tmp_path: Path) -> None:
    for number, source in enumerate((path, packed(path))):
        unpack(source, tmp_path / f"{number}.fits")
        assert (tmp_path / f"{number}.fits").read_bytes() == path.read_bytes()


def test_a_truncated_file_is_not_unpacked(path: Path, tmp_path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(DataError, match=r"evt\.fits\.gz is truncated: the data of GTI"):
        unpack(packed(path), tmp_path / "copy.fits")


@pytest.mark.parametrize("name", ["", "EVENTS"])
def test_the_header_is_that_of_the_named_or_the_first_extension(path: Path, name: str) -> None:
    assert read_header(path, name)["EXTNAME"] == "EVENTS"
    assert read_header(packed(path), "GTI")["HDUNAME"] == "GTI7"


def test_a_missing_extension_is_named(path: Path) -> None:
    with pytest.raises(DataError, match=r"evt\.fits has no extension REGION"):
        read_header(path, "REGION")
    fits.PrimaryHDU().writeto(path.with_name("empty.fits"))
    with pytest.raises(DataError, match=r"empty\.fits has no extension$"):
        read_header(path.with_name("empty.fits"))


def test_a_bad_value_that_is_not_needed_does_not_make_a_file_unusable(path: Path) -> None:
    replace_card(path, "CREATOR", "an unquoted value")
    header = read_header(path)
    assert header["TSTART"] == 1000.0
    assert "unquoted" in str(header["CREATOR"])


def test_unprintable_bytes_in_a_header_are_blanks(path: Path) -> None:
    replace_card(path, "CREATOR", "'some\x00one'")
    assert read_header(path)["CREATOR"] == "some one"


def test_messages_get_the_name_of_the_file_and_keep_their_hint(path: Path) -> None:
    with pytest.raises(DataError, match=r"^evt\.fits: it is wrong; repair it$"), naming_file(path):
        raise DataError("it is wrong", "repair it")


@pytest.mark.parametrize("size", [1, 30, 500, -1, -9])
def test_a_truncated_gzip_file_is_an_error(path: Path, size: int) -> None:
    cut = packed(path)
    cut.write_bytes(cut.read_bytes()[:size])
    with pytest.raises(DataError, match=r"evt.fits.gz is (a damaged gzip|not a FITS) file"):
        read_hdus(cut)


@pytest.mark.parametrize("place", [0.5, -5], ids=["data", "checksum"])
def test_a_damaged_gzip_file_is_an_error(path: Path, place: float) -> None:
    cut = packed(path)
    data = bytearray(cut.read_bytes())
    data[int(place * len(data)) if place > 0 else int(place)] ^= 0xFF
    cut.write_bytes(data)
    with pytest.raises(DataError, match=r"evt\.fits\.gz"):
        read_hdus(cut)


def test_bytes_where_an_extension_should_begin_are_an_error(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data.replace(b"XTENSION", b"XTENSIOM", 3).replace(b"XTENSIOM", b"XTENSION", 1))
    with pytest.raises(DataError, match=r"evt\.fits is damaged: no extension begins at byte \d+"):
        read_hdus(path)
    path.write_bytes(data + bytes(2880))
    assert len(read_hdus(path)) == 4


def test_a_missing_file_or_a_directory_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.fits", tmp_path):
        with pytest.raises(DataError, match=f"{path.name} cannot be read"):
            read_hdus(path)
