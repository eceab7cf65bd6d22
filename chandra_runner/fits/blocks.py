"""The blocks of FITS files: headers, the cards in them, and the size of the data behind them.

Only bytes are looked at (FITS standard 4.0, sections 3.1, 3.3, 4.1 and 4.4.1). This is the one place
that knows the layout of a file: digests, the check of downloads and the reader build on
`iterate_headers`. It does without astropy, because a command that only computes digests should
start at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from io import BufferedIOBase
from math import prod
from typing import BinaryIO

from chandra_runner.errors import DataError

BLOCK = 2880
"""Headers and data fill whole blocks of this size, bytes."""
CARD = 80
"""Bytes of one line of a header."""
CHUNK = 1 << 20
"""Data are read in pieces of at most this size, bytes."""
MAX_HEADER_BLOCKS = 4000
"""Larger headers are refused: real ones stay under 100 blocks, even with the history of years."""

_PRIMARY = b"SIMPLE  ="
_EXTENSION = b"XTENSION="
_END = b"END".ljust(8)
_SIZE_CARD = re.compile(rb"(BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS) *= +([-+]?\d+|[TF])(?=[ /]|$)")
_NAME_CARD = re.compile(rb"EXTNAME = *'([^']*)'")


@dataclass(frozen=True)
class HduBlocks:
    """One header-data unit as it is on disk.

    Parameters
    ----------
    header : bytes
        All blocks of the header, padding included.
    start : int
        Byte of the uncompressed file at which the header begins.
    data_size : int
        Bytes of data, without the padding.
    """

    header: bytes
    start: int
    data_size: int

    @property
    def data_start(self) -> int:
        """Byte at which the data begin."""
        return self.start + len(self.header)

    @property
    def end(self) -> int:
        """Byte after the data and their padding."""
        return self.data_start + padded(self.data_size)

    @cached_property
    def name(self) -> str:
        """EXTNAME in capitals; PRIMARY for a first HDU without one, else empty."""
        for card in cards(self.header):
            if match := _NAME_CARD.match(card):
                return match[1].decode("ascii", "replace").strip().upper()
        return "" if self.start else "PRIMARY"


def padded(size: int) -> int:
    """Return a number of bytes rounded up to whole blocks."""
    return -(-size // BLOCK) * BLOCK


def cards(header: bytes) -> Iterator[bytes]:
    """Split a header into its cards of 80 bytes, END and padding included."""
    return (header[i : i + CARD] for i in range(0, len(header), CARD))


def iterate_headers(
    stream: BinaryIO | BufferedIOBase, name: str, *, trailing_blanks: bool = False
) -> Iterator[HduBlocks]:
    """Go through the headers of a FITS file, from the first to the end of the file.

    At each step the stream is at the first byte of the data. Before the next step the caller
    moves it to `HduBlocks.end`, by reading (`read_data`) or by seeking.

    Parameters
    ----------
    stream : binary file
        The uncompressed file, at its first byte. It is only read, so that it may be a pipe.
    name : str
        Name of the file, for messages.
    trailing_blanks : bool
        Whether blocks of blanks or zeros may follow the last HDU. Some writers leave them; but they
        are also what is left of the rest of a file after a crash.

    Raises
    ------
    DataError
        The file is not a FITS file, is empty or ends within a header, or a header is damaged.
    """
    start = 0
    while block := stream.read(BLOCK):
        if start and trailing_blanks and not block.strip(b" \0"):
            return
        expected = _EXTENSION if start else _PRIMARY
        if block[: len(expected)] != expected[: len(block)]:
            what = f"damaged: no extension begins at byte {start}" if start else "not a FITS file"
            raise DataError(f"{name} is {what}")
        header = _read_header(stream, block, name)
        hdu = HduBlocks(header, start, _data_size(header, name))
        yield hdu
        start = hdu.end
    if not start:
        raise DataError(f"{name} is empty")


def read_data(stream: BinaryIO, hdu: HduBlocks, name: str) -> Iterator[bytes]:
    """Read the data at which `iterate_headers` is, padding included, in pieces.

    Raises
    ------
    DataError
        The file ends before the data and their padding do.
    """
    left = padded(hdu.data_size)
    while left > 0:
        chunk = stream.read(min(CHUNK, left))
        if not chunk:
            raise truncated(hdu, name)
        left -= len(chunk)
        yield chunk


def walk_fits(stream: BinaryIO, name: str) -> None:
    """Read a FITS file from its first header to its end, to see that it is whole.

    Raises
    ------
    DataError
        The file is truncated, damaged, empty or not a FITS file.
    """
    for hdu in iterate_headers(stream, name):
        for _ in read_data(stream, hdu, name):
            pass


def truncated(hdu: HduBlocks, name: str, hint: str = "") -> DataError:
    """Return the error for a file that ends within the data of an HDU."""
    return DataError(f"{name} is truncated: the data of {hdu.name} should have {hdu.data_size} bytes", hint)


def _read_header(stream: BinaryIO | BufferedIOBase, block: bytes, name: str) -> bytes:
    """Read the rest of a header, from its first block on."""
    blocks = [block]
    while len(block) == BLOCK and not any(card.startswith(_END) for card in cards(block)):
        if len(blocks) == MAX_HEADER_BLOCKS:
            raise DataError(f"{name} is damaged: a header has no END in its first {MAX_HEADER_BLOCKS} blocks")
        block = stream.read(BLOCK)
        blocks.append(block)
    if len(block) < BLOCK:
        raise DataError(f"{name} is truncated: it ends within a header")
    return b"".join(blocks)


def _data_size(header: bytes, name: str) -> int:
    """Bytes of data behind a header, padding excluded (FITS standard 4.0, section 4.4.1.1)."""
    values: dict[bytes, bytes] = {}
    for card in cards(header):
        if match := _SIZE_CARD.match(card):
            # Of a keyword that is there twice, the first counts, as for astropy and CFITSIO.
            values.setdefault(match[1], match[2])
    size = _size_of(values, name)
    if size < 0:
        raise DataError(f"{name}: a header says its data have {size} bytes")
    return size


def _size_of(values: Mapping[bytes, bytes], name: str) -> int:
    def integer(keyword: str, default: bytes = b"") -> int:
        value = values.get(keyword.encode(), default)
        if value in (b"", b"T", b"F"):
            raise DataError(
                f"{name}: a header does not say how large its data are: "
                f"{keyword} is missing or not a whole number"
            )
        return int(value)

    axes = [integer(f"NAXIS{n}") for n in range(1, integer("NAXIS") + 1)]
    # Random groups say NAXIS1 = 0; their size is that of the other axes (section 6.1.1).
    if values.get(b"GROUPS") == b"T" and axes and axes[0] == 0:
        axes = axes[1:]
    if not axes:
        return 0
    elements = integer("GCOUNT", b"1") * (integer("PCOUNT", b"0") + prod(axes))
    return abs(integer("BITPIX")) // 8 * elements
