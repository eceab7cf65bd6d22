"""FITS files are divided into headers and data by their bytes alone, just as astropy divides them."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.blocks import (
    BLOCK,
    CARD,
    MAX_HEADER_BLOCKS,
    HduBlocks,
    iterate_headers,
    read_data,
    walk_fits,
)


def primary(*cards: str) -> bytes:
    """A primary header of these cards after SIMPLE."""
    lines = ("SIMPLE  =                    T", *cards, "END")
    text = "".join(line.ljust(CARD) for line in lines).encode()
    return text.ljust(-(-len(text) // BLOCK) * BLOCK)


def hdus_of(data: bytes, *, trailing_blanks: bool = False) -> list[HduBlocks]:
    stream = io.BytesIO(data)
    found = []
    for hdu in iterate_headers(stream, "a.fits", trailing_blanks=trailing_blanks):
        found.append(hdu)
        stream.seek(hdu.end)
    return found


@pytest.fixture(scope="module")
def mixed() -> bytes:
    """A file with an image, a table with a heap, an image without data, and one that fills its block."""
    column = fits.Column("list", "PJ()", array=np.array([[1, 2], [3]], dtype=object))
    file = io.BytesIO()
    fits.HDUList(
        [
            fits.PrimaryHDU(np.zeros((3, 5), ">i2")),
            fits.BinTableHDU.from_columns([column], name="Heap"),
            fits.ImageHDU(name="EMPTY"),
            fits.ImageHDU(np.zeros(BLOCK, "u1"), name="FULL"),
        ]
    ).writeto(file)
    return file.getvalue()


def test_places_and_sizes_are_those_of_astropy(mixed: bytes) -> None:
    with fits.open(io.BytesIO(mixed)) as hdus:
        places = [hdu.fileinfo() for hdu in hdus]
        sizes = [hdu.size for hdu in hdus]
    found = hdus_of(mixed)
    assert [(hdu.start, hdu.data_start) for hdu in found] == [(p["hdrLoc"], p["datLoc"]) for p in places]
    assert [hdu.end for hdu in found] == [p["datLoc"] + p["datSpan"] for p in places]
    assert [hdu.data_size for hdu in found] == sizes
    assert [hdu.name for hdu in found] == ["PRIMARY", "HEAP", "EMPTY", "FULL"]


@pytest.mark.parametrize(
    "name",
    [
        "real/28229/primary/acisf28229N001_evt2.fits.gz",
        "sim/90003/secondary/hrcf90003_000N001_evt1.fits.gz",
    ],
)
def test_flight_files_are_divided_as_by_astropy(shared_data: Path, name: str) -> None:
    with fits.open(shared_data / name) as hdus:
        expected = [(hdu.name, hdu.header.tostring().encode(), hdu.size) for hdu in hdus]
    found = hdus_of(gzip.decompress((shared_data / name).read_bytes()))
    assert [(hdu.name, hdu.header, hdu.data_size) for hdu in found] == expected


def test_random_groups_have_the_size_of_their_other_axes() -> None:
    axes = ("NAXIS   = 3", "NAXIS1  = 0", "NAXIS2  = 2", "NAXIS3  = 3")
    data = primary("BITPIX  = -32", *axes, "GROUPS  = T", "PCOUNT  = 5", "GCOUNT  = 7")
    assert [hdu.data_size for hdu in hdus_of(data)] == [4 * 7 * (5 + 2 * 3)]


def test_the_pieces_of_the_data_are_the_bytes_of_the_file(mixed: bytes) -> None:
    stream = io.BytesIO(mixed)
    pieces = []
    for hdu in iterate_headers(stream, "a.fits"):
        pieces += [hdu.header, *read_data(stream, hdu, "a.fits")]
    assert b"".join(pieces) == mixed


@pytest.mark.parametrize("missing", [1, BLOCK - 1, BLOCK, 2 * BLOCK - 1])
def test_a_file_that_ends_early_is_truncated(mixed: bytes, missing: int) -> None:
    with pytest.raises(
        DataError, match=r"^a\.fits is truncated: (the data of FULL should have 2880 bytes|it ends)"
    ):
        walk_fits(io.BytesIO(mixed[:-missing]), "a.fits")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a.fits is empty"),
        (b"<html>", "a.fits is not a FITS file"),
        (bytes(BLOCK), "a.fits is not a FITS file"),
        (primary("BITPIX  = 8", "NAXIS   = 0")[: BLOCK - 1], "a.fits is truncated: it ends within a header"),
        (primary("BITPIX  = 8", "NAXIS   = 0") + b"text", "no extension begins at byte 2880"),
        (primary("BITPIX  = 8"), "NAXIS is missing or not a whole number"),
        (primary("BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 1.5"), "NAXIS1 is missing or not a whole number"),
        (primary("BITPIX  = 8", "NAXIS   = 2", "NAXIS1  = 9"), "NAXIS2 is missing or not a whole number"),
        (primary("BITPIX  = T", "NAXIS   = 1", "NAXIS1  = 9"), "BITPIX is missing or not a whole number"),
        (primary("BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = -9"), "a header says its data have -9 bytes"),
    ],
)
def test_what_is_wrong_is_named(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message):
        walk_fits(io.BytesIO(data), "a.fits")


def test_a_header_without_end_is_read_only_up_to_a_limit() -> None:
    stream = io.BytesIO(b"SIMPLE  =".ljust(BLOCK) + b" " * (2 * MAX_HEADER_BLOCKS * BLOCK))
    with pytest.raises(DataError, match=f"a header has no END in its first {MAX_HEADER_BLOCKS} blocks"):
        walk_fits(stream, "a.fits")
    assert stream.tell() == MAX_HEADER_BLOCKS * BLOCK


@pytest.mark.parametrize("blanks", [bytes(BLOCK), b" " * BLOCK, bytes(100)])
def test_blanks_after_the_last_hdu_are_only_accepted_on_request(mixed: bytes, blanks: bytes) -> None:
    assert len(hdus_of(mixed + blanks, trailing_blanks=True)) == 4
    with pytest.raises(DataError, match="is damaged: no extension begins"):
        walk_fits(io.BytesIO(mixed + blanks), "a.fits")


def test_of_a_size_stated_twice_the_first_counts() -> None:
    data = primary("BITPIX  = 8", "NAXIS   = 1", "NAXIS1  = 9", "NAXIS1  = 99999")
    assert [hdu.data_size for hdu in hdus_of(data)] == [9]


def test_astropy_is_not_imported_for_the_blocks() -> None:
    modules = "chandra_runner.fits.blocks, chandra_runner.planning.digests"
    code = f"import sys, {modules}; print('astropy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
