"""Event files are read as they are on disk, chunk by chunk, and their headers are checked against them."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile

from ..event_files import acis_columns, replace_card, table_bytes, write_events


def packed(path: Path) -> Path:
    target = path.with_name(path.name + ".gz")
    target.write_bytes(gzip.compress(path.read_bytes(), 1))
    return target


def events_of(path: Path, rows: int = 1000) -> bytes:
    with EventFile.open(path) as events:
        return b"".join(chunk.tobytes() for chunk in events.chunks(rows))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return write_events(tmp_path / "evt.fits")


@pytest.mark.parametrize(
    "name",
    [
        "real/754/primary/acisf00754N001_evt2.fits.gz",
        "real/reference/ltc1/13851_source_evt2.fits.gz",
        "sim/90001/secondary/acisf90001_000N001_evt1.fits.gz",
        "sim/90003/secondary/hrcf90003_000N001_evt1.fits.gz",
    ],
)
def test_chunks_are_the_rows_of_the_file(shared_data: Path, name: str) -> None:
    assert events_of(shared_data / name, 7000) == table_bytes(shared_data / name)[0]


@pytest.mark.parametrize("rows", [1, 7, 400, 1000])
def test_the_size_of_chunks_changes_nothing(path: Path, rows: int) -> None:
    assert events_of(path, rows) == events_of(packed(path), rows) == table_bytes(path)[0]


def test_columns_have_lower_case_names_and_their_shapes(tmp_path: Path) -> None:
    columns = {name.upper(): column for name, column in acis_columns().items()}
    with EventFile.open(write_events(tmp_path / "evt.fits", columns)) as events:
        assert events.dtype.names == tuple(acis_columns())
        assert events.dtype["phas"].shape == (9,)
        assert events.dtype["status"].shape == (4,)
        events.require("time", "status")


def test_good_times_and_other_extensions_are_read_with_the_events(path: Path) -> None:
    with EventFile.open(packed(path)) as events:
        assert list(events.gtis) == [7, 6]
        assert [hdu.name for hdu in events.extensions] == ["GTI", "GTI"]
        assert (events.instrument, events.nrows, events.tstart, events.tstop, events.dtcor) == (
            "ACIS", 400, 1000.0, 2000.0, 0.9,
        )  # fmt: skip
        assert events.notes == ()


def test_without_dtcor_the_live_fraction_follows_from_livetime(tmp_path: Path) -> None:
    with EventFile.open(write_events(tmp_path / "evt.fits", DTCOR=None, LIVETIME=4.0)) as events:
        assert events.dtcor == 0.8


@pytest.mark.parametrize(
    ("keywords", "dtcor"),
    [
        ({"DTCOR": 0.0}, "0"),
        ({"DTCOR": 1.0001}, "1.0001"),
        ({"DTCOR": -0.5}, "-0.5"),
        ({"DTCOR": None, "LIVETIME": 9.0, "ONTIME": 6.0}, "1.5"),
    ],
)
def test_a_live_fraction_that_cannot_be_is_refused(
    tmp_path: Path, keywords: dict[str, object], dtcor: str
) -> None:
    with (
        EventFile.open(write_events(tmp_path / "evt.fits", **keywords)) as events,
        pytest.raises(DataError, match=rf"evt\.fits: the live fraction \(DTCOR\) is {dtcor}, not above 0"),
    ):
        _ = events.dtcor


@pytest.mark.parametrize(
    ("keyword", "value", "stated"),
    [("TELESCOP", "XMM", "'XMM'"), ("TIMEUNIT", "d", "'d'"), ("MJDREF", 50807.0, "50807.0")],
)
def test_times_that_are_not_chandras_are_refused(
    tmp_path: Path, keyword: str, value: object, stated: str
) -> None:
    path = write_events(tmp_path / "evt.fits", **{keyword: value})
    with (
        pytest.raises(DataError, match=rf"evt\.fits: {keyword} is {stated}, but Chandra's is"),
        EventFile.open(path),
    ):
        pass


def test_without_gtis_all_of_the_observation_is_good_and_a_note_says_so(tmp_path: Path) -> None:
    with EventFile.open(write_events(tmp_path / "evt.fits", gtis={})) as events:
        assert events.good_times.shared
        assert (events.good_times.first.start, events.good_times.first.stop) == ([1000], [2000])
        assert events.notes == ("evt.fits has no GTI extension: TSTART to TSTOP is taken as good time",)


def test_a_missing_status_column_is_noted(tmp_path: Path) -> None:
    columns = acis_columns()
    del columns["status"]
    with EventFile.open(write_events(tmp_path / "evt.fits", columns)) as events:
        assert "no column status" in events.notes[0]
        assert events.status_mask(0xFF) == 0


def test_missing_columns_and_keywords_are_named(tmp_path: Path) -> None:
    with EventFile.open(write_events(tmp_path / "evt.fits", TSTART=None, TSTOP="late")) as events:
        with pytest.raises(DataError, match=r"evt.fits: EVENTS has no column chipx, tg_r"):
            events.require("time", "chipx", "tg_r")
        with pytest.raises(DataError, match="keyword TSTART is missing"):
            _ = events.tstart
        with pytest.raises(DataError, match="keyword TSTOP is 'late', not a number"):
            _ = events.tstop


def test_scaled_columns_are_refused_where_their_numbers_matter(path: Path) -> None:
    with fits.open(path, mode="update") as hdus:
        hdus["EVENTS"].header["TZERO3"] = 100.0
    with EventFile.open(path) as events:
        events.require("time")
        with pytest.raises(DataError, match="column energy is scaled"):
            events.require("energy")


def test_a_file_without_events_says_what_it_has(tmp_path: Path) -> None:
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(name="PICTURE")]).writeto(tmp_path / "evt.fits")
    with (
        pytest.raises(DataError, match=r"evt.fits has no extension EVENTS, only PRIMARY, PICTURE"),
        EventFile.open(tmp_path / "evt.fits"),
    ):
        pass


@pytest.mark.parametrize("size", [0, 1, 100, 2880, 2900, 5760, 8640, 20000])
def test_a_truncated_file_is_an_error_that_names_it(path: Path, size: int) -> None:
    whole = path.read_bytes()
    for name, data in (("cut.fits", whole[:size]), ("cut.fits.gz", gzip.compress(whole[:size]))):
        cut = path.with_name(name)
        cut.write_bytes(data)
        with pytest.raises(DataError, match=r"cut\.fits"):
            events_of(cut)


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("rows", [10**12, 10**7, -1])
def test_a_header_that_claims_too_much_allocates_nothing(path: Path, compressed: bool, rows: int) -> None:
    replace_card(path, "NAXIS2", f"{rows:>20}")
    lying = packed(path) if compressed else path
    tracemalloc.start()
    with pytest.raises(DataError, match=r"evt.fits(.gz)?( is truncated|: )"):
        events_of(lying)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 30e6


def test_an_extension_of_half_a_gigabyte_is_not_read(path: Path) -> None:
    picture = fits.ImageHDU(name="PICTURE").header
    picture.update(NAXIS=1, BITPIX=8)
    picture.insert("NAXIS", ("NAXIS1", 1 << 30), after=True)
    with path.open("ab") as stream:
        stream.write(picture.tostring().encode())
        stream.truncate(stream.tell() + (1 << 30))
    with pytest.raises(DataError, match="PICTURE claims 1073741824 bytes"):
        events_of(path)


@pytest.mark.parametrize(
    ("keyword", "card", "message"),
    [
        ("TFORM1", "'1Q'", "columns of EVENTS are not valid"),
        ("TFORM1", "'2D'", "do not fill rows of"),
        ("TFIELDS", "              999999", "columns of EVENTS are not valid"),
        ("TTYPE2", "'time'", "columns of EVENTS are not valid"),
        ("PCOUNT", "                   8", "not a binary table of fixed-length columns"),
        ("NAXIS2", "'many'", "does not say how large"),
    ],
)
def test_invalid_headers_are_named(path: Path, keyword: str, card: str, message: str) -> None:
    replace_card(path, keyword, card)
    with pytest.raises(DataError, match=message):
        events_of(path)


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    path = write_events(tmp_path / "evt.fits", acis_columns(300_000))
    for source in (path, packed(path)):
        tracemalloc.start()
        with EventFile.open(source) as events:
            assert sum(len(chunk) for chunk in events.chunks(10_000)) == 300_000
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < path.stat().st_size / 3


def test_the_map_has_all_rows(path: Path) -> None:
    with EventFile.open(path) as events:
        assert events.map().tobytes() == table_bytes(path)[0]
