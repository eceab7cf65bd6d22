"""Data that do not match their checksum are found, wherever they are in a file."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.checksums import damaged_hdus
from chandra_runner.fits.event_file import EventFile

from ..event_files import write_events


def with_checksums(path: Path) -> Path:
    """A small event file with DATASUM in each HDU."""
    with fits.open(write_events(path.with_name("plain.fits"))) as hdus:
        hdus.writeto(path, checksum=True)
    return path


def flip_a_byte(path: Path, name: str) -> None:
    """Change one byte of the data of the first HDU of a name."""
    with fits.open(path) as hdus:
        at = hdus[name].fileinfo()["datLoc"] + 5
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", ["EVENTS", "GTI"])
@pytest.mark.parametrize("compressed", [False, True])
def test_one_flipped_byte_is_found(tmp_path: Path, name: str, compressed: bool) -> None:
    path = with_checksums(tmp_path / "evt.fits")
    assert damaged_hdus(path) == ()
    flip_a_byte(path, name)
    if compressed:
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert damaged_hdus(path) == (name,)


def test_data_without_a_checksum_pass(tmp_path: Path) -> None:
    assert damaged_hdus(write_events(tmp_path / "evt.fits")) == ()


def test_flight_files_match_their_checksums(shared_data: Path) -> None:
    files = sorted((shared_data / "real/28229").glob("*/*.fits.gz"))
    assert len(files) >= 5
    assert [damaged_hdus(path) for path in files] == [()] * len(files)


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    path = with_checksums(tmp_path / "evt.fits")
    path.write_bytes(path.read_bytes()[:-2880])
    with pytest.raises(DataError, match=r"evt\.fits is truncated"):
        damaged_hdus(path)


def test_an_event_list_says_so_where_it_was_asked_to_check(tmp_path: Path) -> None:
    path = with_checksums(tmp_path / "evt.fits")
    flip_a_byte(path, "EVENTS")
    with EventFile.open(path) as events:
        assert events.notes == ()
    with EventFile.open(path, check_datasum=True) as events:
        (note,) = events.notes
    assert note == "evt.fits: EVENTS does not match its DATASUM: the file may be damaged"
