"""Writing FITS products: the same input gives the same bytes, and checksums that hold."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner import __version__

from .blocks import BLOCK, padded
from .reader import HduBytes

CREATOR = f"chandra_runner {__version__}"
_CHECKSUM = "HDU checksum"
_DATASUM = "data unit checksum"
_WORD = (1 << 32) - 1


def add_provenance(header: fits.Header, history: Iterable[str]) -> None:
    """Record in a header which program made the HDU, and how.

    The date is left out, so that the same input gives the same bytes; it is in the manifest. A file that
    was made here does not come from the Chandra X-ray Center, which ORIGIN ASC means.

    Parameters
    ----------
    header : Header
        The header, which is changed.
    history : iterable of str
        What was done, one line each.
    """
    header["CREATOR"] = (CREATOR, "tool that created this output")
    header.remove("DATE", ignore_missing=True)
    if str(header.get("ORIGIN", "")).strip() == "ASC":
        header.remove("ORIGIN")
    for line in history:
        header.add_history(f"{CREATOR}: {line}")


def write_fits(path: Path, hdus: Sequence[Any]) -> None:
    """Write a small file as a whole.

    Parameters
    ----------
    path : Path
        The file, which must not exist.
    hdus : sequence of astropy HDUs
        The HDUs, the first of them primary. CHECKSUM and DATASUM are added.
    """
    hdulist = fits.HDUList(list(hdus))
    hdulist.update_extend()
    for hdu in hdulist:
        hdu.add_checksum(when=_CHECKSUM)
    hdulist.writeto(path)


@contextmanager
def event_writer(
    path: Path, primary: fits.Header, header: fits.Header, extensions: Sequence[HduBytes] = ()
) -> Iterator[EventWriter]:
    """Write a file with an event table, whose rows are appended piece by piece.

    Parameters
    ----------
    path : Path
        The file, which must not exist.
    primary, header : Header
        Headers of the primary HDU and the table; NAXIS2, DATASUM and CHECKSUM are set at the end.
    extensions : sequence of HduBytes
        The HDUs after the table.
    """
    first = fits.PrimaryHDU(header=primary).header
    first["EXTEND"] = True
    with path.open("xb", buffering=0) as stream:
        _write_all(stream, header_with_checksums(first, 0))
        writer = EventWriter(stream, header)
        yield writer
        writer.finish()
        for extension in extensions:
            total = DataSum()
            total.add(extension.data)
            _write_all(stream, header_with_checksums(extension.header, total.value) + extension.data)


def hdu_bytes(table: fits.BinTableHDU) -> HduBytes:
    """Return a table of plain numbers as bytes on disk."""
    rows = table.data.view(np.ndarray)
    data = rows.astype(rows.dtype.newbyteorder(">")).tobytes()
    return HduBytes(table.header, data.ljust(padded(len(data)), b"\0"))


class EventWriter:
    """Appends rows to a table on disk. Open one with `event_writer`.

    Parameters
    ----------
    stream : binary file
        Positioned where the header of the table begins.
    header : Header
        Header of the table.
    """

    def __init__(self, stream: BinaryIO | io.FileIO, header: fits.Header) -> None:
        self.rows = 0
        self._stream = stream
        self._start = stream.tell()
        self._header = header
        self._sum = DataSum()
        # A placeholder, which `finish` replaces by a header of the same length.
        _write_all(stream, header_with_checksums(header, 0))

    def write(self, rows: NDArray[Any]) -> None:
        """Append rows.

        Parameters
        ----------
        rows : ndarray, shape (n,)
            Raw big-endian records, contiguous.
        """
        data = rows.view(np.uint8).data
        self._sum.add(data)
        _write_all(self._stream, data)
        self.rows += len(rows)

    def finish(self) -> None:
        """Pad the table, and write the number of rows and the checksums into its header."""
        end = self._stream.tell()
        _write_all(self._stream, bytes(-end % BLOCK))
        header = self._header.copy()
        header["NAXIS2"] = self.rows
        self._stream.seek(self._start)
        _write_all(self._stream, header_with_checksums(header, self._sum.value))
        self._stream.seek(0, io.SEEK_END)


class DataSum:
    """Ones' complement sum of big-endian 32-bit words (FITS standard 4.0, appendix J), piece by piece."""

    def __init__(self, value: int = 0) -> None:
        self._sum = value
        self._rest = b""

    def add(self, data: bytes | memoryview) -> None:
        """Add more bytes; pieces may end within a word."""
        # Complete the word that the last piece left unfinished, then add whole words at once.
        head = -len(self._rest) % 4
        self._rest += bytes(data[:head])
        if len(self._rest) == 4:
            self._sum += int.from_bytes(self._rest, "big")
            self._rest = b""
        words = max(len(data) - head, 0) // 4
        if words:
            self._sum += int(np.frombuffer(data, ">u4", words, head).sum(dtype=np.uint64))
            self._rest += bytes(data[head + 4 * words :])
        elif len(data) > head:
            self._rest += bytes(data[head:])

    @property
    def value(self) -> int:
        """The sum of all bytes so far, padded with zeros to a whole word."""
        total = self._sum + int.from_bytes(self._rest.ljust(4, b"\0"), "big")
        # Ones' complement: what is carried out of 32 bits is added at the low end.
        while total > _WORD:
            total = (total >> 32) + (total & _WORD)
        return total


def header_with_checksums(header: fits.Header, datasum: int) -> bytes:
    """Return a header as bytes on disk, with DATASUM and CHECKSUM."""
    new = header.copy()
    # CHECKSUM makes the sum over the whole HDU -0: it encodes the complement of the sum with zeros here.
    new["CHECKSUM"] = ("0" * 16, _CHECKSUM)
    new["DATASUM"] = (str(datasum), _DATASUM)
    total = DataSum(datasum)
    total.add(new.tostring().encode("ascii"))
    new["CHECKSUM"] = encode_checksum(total.value)
    text: str = new.tostring()
    return text.encode("ascii")


def encode_checksum(total: int) -> str:
    """Return the complement of an HDU's sum in ASCII (FITS standard 4.0, appendix J.2).

    Parameters
    ----------
    total : int
        Ones' complement sum of the HDU with CHECKSUM set to 16 zeros.

    Returns
    -------
    str
        16 letters and digits.
    """
    # Each byte of the complement becomes the sum of four characters, at the same byte of four words.
    columns = [_four_characters(byte) for byte in (_WORD - total).to_bytes(4, "big")]
    text = "".join(chr(columns[j][i]) for i in range(4) for j in range(4))
    # The value of a CHECKSUM card begins in column 12, one byte after the start of a word: rotate it.
    return text[-1] + text[:-1]


def _four_characters(byte: int) -> list[int]:
    """Return four codes with the sum ``byte + 4 * 48``, all letters or digits."""
    # Codes between digits and letters are avoided by moving two of the four apart, which keeps their sum.
    codes = [byte // 4 + 48] * 4
    codes[0] += byte % 4
    for i in (0, 2):
        while not (chr(codes[i]).isalnum() and chr(codes[i + 1]).isalnum()):
            codes[i] += 1
            codes[i + 1] -= 1
    return codes


def _write_all(stream: BinaryIO | io.FileIO, data: bytes | memoryview) -> None:
    """Write all data: an unbuffered file may write less than it is given."""
    view = memoryview(data)
    while view:
        view = view[stream.write(view) :]
