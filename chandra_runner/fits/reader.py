"""Reading FITS files of unknown origin: every size is checked before it is believed."""

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

from astropy.io import fits

from chandra_runner.errors import DataError

from .blocks import CHUNK, HduBlocks, iterate_headers, padded, truncated

_GZIP = b"\x1f\x8b"
_PRINTABLE = bytes(byte if 32 <= byte < 127 else 32 for byte in range(256))
MAX_READ = 512 << 20
"""What is read whole (everything but event tables) has to fit in this, bytes."""


@dataclass(frozen=True)
class HduLocation:
    """One HDU of a file, without its data.

    Parameters
    ----------
    header : Header
        The parsed header, unprintable bytes replaced by blanks.
    blocks : HduBlocks
        Name, place and size of the HDU.
    """

    header: fits.Header
    blocks: HduBlocks

    @property
    def name(self) -> str:
        """EXTNAME in capitals; PRIMARY for a first HDU without one, else empty."""
        return self.blocks.name


@dataclass(frozen=True, eq=False)
class HduBytes:
    """An HDU with its data as bytes on disk.

    Parameters
    ----------
    header : Header
        The parsed header.
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


def iterate_hdus(stream: BufferedIOBase, path: Path) -> Iterator[HduLocation]:
    """Go through the HDUs of a file.

    At each step the stream is where the data of that HDU begin; the caller may read them or not.
    Compressed files are read once, from the first byte to the last: there is no other way to know
    that they are complete.

    Raises
    ------
    DataError
        The file is not a FITS file, or ends before its headers say.
    """
    # The size of a plain file shows truncation at once; that of a gzipped file is not known before its end.
    length = None if isinstance(stream, gzip.GzipFile) else os.fstat(stream.fileno()).st_size
    for blocks in iterate_headers(stream, path.name, trailing_blanks=True):
        location = HduLocation(_parse(blocks.header, path), blocks)
        end = blocks.data_start + blocks.data_size
        if length is not None and end > length:
            raise _truncated(blocks, path)
        yield location
        if length is None:
            while (left := end - stream.tell()) > 0:
                _read(stream, min(left, CHUNK), blocks, path)
        stream.seek(blocks.end)


def read_header(path: Path, name: str = "") -> fits.Header:
    """Read the header of an extension, without its data.

    Parameters
    ----------
    path : Path
        Plain or gzipped file.
    name : str
        EXTNAME in capitals; empty for the first extension, whatever its name.

    Raises
    ------
    DataError
        The file is damaged up to there, or has no such extension.
    """
    with open_stream(path) as stream:
        for location in iterate_hdus(stream, path):
            if location.blocks.start and name in ("", location.name):
                return location.header
    raise DataError(f"{path.name} has no extension{f' {name}' if name else ''}")


def read_hdus(path: Path) -> fits.HDUList:
    """Read a small FITS file, plain or gzipped, as an HDUList that does not need the file any more.

    Raises
    ------
    DataError
        The file is damaged, or larger than any auxiliary file is.
    """
    with open_stream(path) as stream:
        return hdulist([read_hdu(stream, location, path) for location in iterate_hdus(stream, path)], path)


def unpack(source: Path, target: Path) -> None:
    """Copy a plain or gzipped FITS file, whole and uncompressed.

    Raises
    ------
    DataError
        The file is damaged.
    """
    with open_stream(source) as stream, target.open("xb") as out:
        for _ in iterate_hdus(stream, source):
            pass
        stream.seek(0)
        shutil.copyfileobj(stream, out, CHUNK)


def read_hdu(stream: BufferedIOBase, location: HduLocation, path: Path) -> HduBytes:
    """Read the data of the HDU at which `iterate_hdus` is.

    Raises
    ------
    DataError
        The file ends before the data do, or the header claims more than `MAX_READ` bytes.
    """
    blocks = location.blocks
    size = blocks.data_size
    if size > MAX_READ:
        raise DataError(
            f"{path.name}: {blocks.name} claims {size} bytes, more than any extension except EVENTS has"
        )
    # Piece by piece: a header that claims too much allocates no more than the file has.
    pieces = [_read(stream, min(CHUNK, size - first), blocks, path) for first in range(0, size, CHUNK)]
    return HduBytes(location.header, b"".join(pieces).ljust(padded(size), b"\0"))


def hdulist(parts: Sequence[HduBytes], path: Path) -> fits.HDUList:
    """Convert HDUs to those of astropy; the first one is the primary HDU.

    All data are converted at once, so that damage is found here and not later.

    Raises
    ------
    DataError
        Astropy cannot read one of them.
    """
    try:
        whole = b"".join(part.header.tostring().encode("ascii") + part.data for part in parts)
        hdus = fits.open(BytesIO(whole), lazy_load_hdus=False)
        for hdu in hdus:
            hdu.data  # noqa: B018 - read when it is first looked at
    except Exception as error:  # whatever astropy makes of damage
        raise DataError(f"{path.name} is a damaged FITS file: {error}") from error
    return hdus


@contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Put the name of a file before the messages of errors that are raised inside."""
    try:
        yield
    except DataError as error:
        raise DataError(f"{path.name}: {error.message}", error.hint) from error


def _parse(header: bytes, path: Path) -> fits.Header:
    try:
        parsed = fits.Header.fromstring(header.translate(_PRINTABLE).decode("ascii"))
        _repair(parsed)
    except Exception as error:  # whatever astropy makes of damage
        raise DataError(f"{path.name}: a header is damaged: {error}") from error
    return parsed


def _repair(header: fits.Header) -> None:
    """Make every card readable, so that a bad value that is not needed does not make a file unusable."""
    try:
        for card in header.cards:
            card.value  # noqa: B018 - parsed when it is first looked at
    except fits.VerifyError:
        for card in header.cards:
            card.verify("silentfix")
            card.value  # noqa: B018


def _read(stream: BufferedIOBase, size: int, blocks: HduBlocks, path: Path) -> bytes:
    piece = stream.read(size)
    if len(piece) < size:
        raise _truncated(blocks, path)
    return piece


def _truncated(blocks: HduBlocks, path: Path) -> DataError:
    return truncated(blocks, path.name, "fetch it again")
