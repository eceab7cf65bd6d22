"""Products have checksums that hold, the same bytes each time, and no trace of when they were made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner import __version__
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.writer import DataSum, add_provenance, encode_checksum, event_writer, write_fits

from ..event_files import acis_columns, assert_sound, table_bytes, write_events


def copy(source: Path, target: Path, rows: int) -> Path:
    with (
        EventFile.open(source) as events,
        event_writer(target, events.primary, events.header, events.extension_bytes) as writer,
    ):
        for chunk in events.chunks(rows):
            writer.write(chunk)
    return target


@pytest.mark.parametrize("rows", [1, 3, 64, 401])
def test_an_event_list_written_in_chunks_is_whole(tmp_path: Path, rows: int) -> None:
    source = write_events(tmp_path / "evt.fits", acis_columns(401))
    target = copy(source, tmp_path / "copy.fits", rows)
    assert table_bytes(target) == table_bytes(source)
    assert_sound(target)


def test_an_event_list_without_rows_is_sound(tmp_path: Path) -> None:
    with (
        EventFile.open(write_events(tmp_path / "evt.fits")) as events,
        event_writer(tmp_path / "none.fits", events.primary, events.header, events.extension_bytes),
    ):
        pass
    assert table_bytes(tmp_path / "none.fits") == (b"", 0)
    assert_sound(tmp_path / "none.fits")


def test_real_headers_are_written_as_they_were(tmp_path: Path, shared_data: Path) -> None:
    source = shared_data / "real/28229/primary/acisf28229N001_evt2.fits.gz"
    target = copy(source, tmp_path / "copy.fits", 5000)
    assert_sound(target)
    before, after = fits.getheader(source, "EVENTS"), fits.getheader(target, "EVENTS")
    sums = ["CHECKSUM", "DATASUM"]
    assert fits.HeaderDiff(before, after, ignore_keywords=sums, ignore_comments=sums).identical
    assert [card.image for card in before.cards if card.keyword not in sums] == [
        card.image for card in after.cards if card.keyword not in sums
    ]


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    source = write_events(tmp_path / "evt.fits")
    with pytest.raises(FileExistsError):
        copy(source, source, 100)
    with pytest.raises(OSError, match="exists"):
        write_fits(source, [fits.PrimaryHDU()])


def test_small_files_are_sound_and_the_same_each_time(tmp_path: Path) -> None:
    def hdus() -> list[fits.PrimaryHDU | fits.BinTableHDU]:
        table = fits.BinTableHDU.from_columns([fits.Column("A", "1E", array=[1, 2])], name="TABLE")
        add_provenance(table.header, ["made"])
        return [fits.PrimaryHDU(np.ones((3, 4), dtype="f4")), table]

    for name in ("one.fits", "two.fits"):
        write_fits(tmp_path / name, hdus())
        assert_sound(tmp_path / name)
    assert (tmp_path / "one.fits").read_bytes() == (tmp_path / "two.fits").read_bytes()


def test_provenance_has_the_program_and_the_steps_but_no_date() -> None:
    header = fits.Header({"CREATOR": "someone", "DATE": "2001-01-01"})
    add_provenance(header, ["first", "second"])
    assert header["CREATOR"] == f"chandra_runner {__version__}"
    assert "DATE" not in header
    assert list(header["HISTORY"]) == [
        f"chandra_runner {__version__}: {line}" for line in ("first", "second")
    ]


def test_the_data_sum_does_not_depend_on_the_pieces() -> None:
    random = np.random.default_rng(1)
    data = random.integers(0, 256, 10_003, dtype=np.uint8).tobytes()
    expected = fits.ImageHDU(np.frombuffer(data.ljust(10_080, b"\0"), dtype=np.uint8))
    expected.add_datasum()
    for sizes in ([1], [3], [5, 1, 1], [4096]):
        total, at, i = DataSum(), 0, 0
        while at < len(data):
            size = sizes[i % len(sizes)]
            total.add(data[at : at + size])
            at, i = at + size, i + 1
        assert str(total.value) == expected.header["DATASUM"]


def test_checksums_are_letters_and_digits_that_stand_for_the_complement() -> None:
    random = np.random.default_rng(2)
    for total in [0, 0xFFFFFFFF, *random.integers(0, 1 << 32, 2000).tolist()]:
        text = encode_checksum(total)
        assert text.isascii()
        assert text.isalnum()
        decoded = DataSum()
        decoded.add((text[1:] + text[0]).encode())
        zeros = DataSum()
        zeros.add(b"0" * 16)
        assert (decoded.value - zeros.value - (0xFFFFFFFF - total)) % 0xFFFFFFFF == 0
