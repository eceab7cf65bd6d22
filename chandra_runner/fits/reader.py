"""Reading FITS files that come from strangers: every size is checked before it is believed."""

from __future__ import annotations

import gzip
import os
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedIOBase, BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.errors import DataError

BLOCK = 2880
_GZIP = b"\x1f\x8b"
_PRINTABLE = bytes(byte if 32 <= byte < 127 else 32 for byte in range(256))
_MAX_HEADER = 4000 * BLOCK
"""Real headers stay under 100 blocks, even with the history of years."""
_PIECE = 1 << 20
MAX_READ = 512 << 20
"""What is read whole (everything but event tables) has to fit in this, bytes."""


@dataclass(frozen=True)
class HduLocation:
    """Where an HDU is in its (uncompressed) file.

    Parameters
    ----------
    header : Header
        Its header, unprintable bytes as blanks.
    start : int
        Byte at which the header begins.
    data : int
        Byte at which the data begin.
    size : int
        Bytes of data, without the padding.
    """

    header: fits.Header
    start: int
    data: int
    size: int

    @property
    def end(self) -> int:
        """Byte after the padded data."""
        return self.data + -(-self.size // BLOCK) * BLOCK

    @property
    def name(self) -> str:
        """EXTNAME in capitals; PRIMARY where there is none and the header is the first."""
        return str(self.header.get("EXTNAME", "PRIMARY" if self.start == 0 else "")).strip().upper()


@dataclass(frozen=True, eq=False)
class RawHdu:
    """An HDU whose data are the bytes of a file.

    Parameters
    ----------
    header : Header
        Its header.
    data : bytes
        Data, padded to whole blocks.
    """

    header: fits.Header
    data: bytes


@contextmanager
def open_stream(path: Path) -> Iterator[BufferedIOBase]:
    """Open a plain or gzipped file for reading; damage shows as a DataError that names the file."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise DataError(f"{path.name} cannot be read: {error.strerror}") from error
    try:
        with raw:
            if raw.peek(2).startswith(_GZIP):
                with gzip.GzipFile(fileobj=raw) as stream:
                    yield stream
            else:
                yield raw
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise DataError(f"{path.name} is a damaged gzip file: {error}", "fetch it again") from error


def scan(stream: BufferedIOBase, path: Path) -> Iterator[HduLocation]:
    """Walk through the HDUs of a file.

    At each step the stream is where the data of that HDU begin; they may be read, or left. Compressed
    files are read once, from the first byte to the last: only so is it known whether all is there.

    Raises
    ------
    DataError
        The file is no FITS file, or ends before its headers say.
    """
    length = None if isinstance(stream, gzip.GzipFile) else os.fstat(stream.fileno()).st_size
    start = 0
    while True:
        stream.seek(start)
        block = stream.read(BLOCK)
        if start and not block.strip(b" \0"):
            return
        if not block.startswith(b"XTENSION=" if start else b"SIMPLE  ="):
            what = f"is damaged: no extension begins at byte {start}" if start else "is no FITS file"
            raise DataError(f"{path.name} {what}")
        header = _header(stream, block, path)
        place = HduLocation(header, start, stream.tell(), _data_size(header, path))
        if length is not None and place.data + place.size > length:
            raise _truncated(place, path)
        yield place
        if length is None:
            left = place.data + place.size - stream.tell()
            while left > 0:
                left -= len(_read(stream, min(left, _PIECE), place, path))
        start = place.end


def read_hdus(path: Path) -> fits.HDUList:
    """A whole, small FITS file, plain or gzipped, as an HDUList that needs the file no more.

    Raises
    ------
    DataError
        The file is damaged, or larger than any auxiliary file is.
    """
    with open_stream(path) as stream:
        return hdulist([read_hdu(stream, place, path) for place in scan(stream, path)], path)


def unpack(source: Path, target: Path) -> None:
    """Copy a plain or gzipped FITS file, whole and uncompressed.

    Raises
    ------
    DataError
        It is damaged.
    """
    with open_stream(source) as stream, target.open("xb") as out:
        for _ in scan(stream, source):
            pass
        stream.seek(0)
        shutil.copyfileobj(stream, out, _PIECE)


def read_hdu(stream: BufferedIOBase, place: HduLocation, path: Path) -> RawHdu:
    """The HDU at which a scan is."""
    if place.size > MAX_READ:
        raise DataError(
            f"{path.name}: {place.name} claims {place.size} bytes, more than anything but events has"
        )
    sizes = [min(_PIECE, place.size - first) for first in range(0, place.size, _PIECE)]
    data = b"".join(_read(stream, size, place, path) for size in sizes)
    return RawHdu(place.header, data.ljust(place.end - place.data, b"\0"))


def hdulist(parts: Sequence[RawHdu], path: Path) -> fits.HDUList:
    """HDUs of astropy, the first of them primary; all that can be wrong with them shows here."""
    try:
        whole = b"".join(part.header.tostring().encode("ascii") + part.data for part in parts)
        hdus = fits.open(BytesIO(whole), lazy_load_hdus=False)
        for hdu in hdus:
            hdu.data  # noqa: B018 - read when it is first looked at
    except Exception as error:  # whatever astropy makes of damage
        raise DataError(f"{path.name} is a damaged FITS file: {error}") from error
    return hdus


def numbers(hdu: Any, column: str) -> NDArray[np.float64]:
    """A column of a table as numbers; its name in any case.

    Raises
    ------
    DataError
        It is not there, or holds something else.
    """
    names = {name.upper(): name for name in hdu.columns.names}
    if column.upper() not in names:
        raise DataError(f"extension {hdu.name} has no column {column}")
    try:
        return np.asarray(hdu.data[names[column.upper()]], dtype=np.float64)
    except ValueError as error:
        raise DataError(f"column {column} of extension {hdu.name} holds no numbers") from error


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Put the name of a file before the message of what is found wrong in it."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path.name}: {error.message}", error.hint) from error


def _header(stream: BufferedIOBase, block: bytes, path: Path) -> fits.Header:
    raw = bytearray(block)
    while not _has_end(block):
        block = stream.read(BLOCK)
        if len(block) < BLOCK or len(raw) > _MAX_HEADER:
            raise DataError(f"{path.name} is truncated or damaged: a header has no END")
        raw += block
    try:
        header = fits.Header.fromstring(raw.translate(_PRINTABLE).decode("ascii"))
        _mend(header)
    except Exception as error:  # whatever astropy makes of damage
        raise DataError(f"{path.name}: a header is damaged: {error}") from error
    return header


def _mend(header: fits.Header) -> None:
    """Make every card readable: one bad value that nobody needs is no reason to refuse a file."""
    try:
        for card in header.cards:
            card.value  # noqa: B018 - parsed when it is first looked at
    except fits.VerifyError:
        for card in header.cards:
            card.verify("silentfix")
            card.value  # noqa: B018


def _has_end(block: bytes) -> bool:
    return any(block[i : i + 8] == b"END     " for i in range(0, len(block), 80))


def _data_size(header: fits.Header, path: Path) -> int:
    try:
        size = int(header.data_size)
    except (KeyError, TypeError, ValueError, fits.VerifyError) as error:
        raise DataError(f"{path.name}: a header does not say how large its data are: {error}") from error
    if size < 0:
        raise DataError(f"{path.name}: a header says its data have {size} bytes")
    return size


def _read(stream: BufferedIOBase, size: int, place: HduLocation, path: Path) -> bytes:
    piece = stream.read(size)
    if len(piece) < size:
        raise _truncated(place, path)
    return piece


def _truncated(place: HduLocation, path: Path) -> DataError:
    return DataError(
        f"{path.name} is truncated: the data of {place.name} should have {place.size} bytes",
        "fetch it again",
    )
