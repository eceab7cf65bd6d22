"""Checking downloaded files: the checksum of gzip, FITS from the first header to the end."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from chandra_runner.errors import DataError
from chandra_runner.fits.blocks import CHUNK, walk_fits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SMALLEST_LIMIT = 64 << 20
LARGEST_RATIO = 200
"""Largest ratio of uncompressed to compressed size: real FITS files have a twentieth, deflate allows 1032."""


def check_integrity(path: Path, name: str) -> None:
    """Read a file to its end.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Its final name, which says the format.

    Raises
    ------
    DataError
        It is empty, truncated, damaged, or not of the format that its name says.
    """
    # Listings have no checksums. But gzip and FITS say themselves where they end, and nearly all files are
    # compressed FITS: one that was cut or altered on its way does not pass.
    size = path.stat().st_size
    if size == 0:
        raise DataError("it is empty")
    if not name.endswith(".gz"):
        with path.open("rb") as plain:
            _walk(plain, name)
        return
    # A few kilobytes may uncompress to gigabytes, which would keep the run busy for hours.
    limit = max(SMALLEST_LIMIT, LARGEST_RATIO * size)
    try:
        with path.open("rb", buffering=CHUNK) as packed, gzip.GzipFile(fileobj=packed) as stream:
            _walk(io.BufferedReader(_Bounded(stream, limit), CHUNK), name.removesuffix(".gz"))
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise DataError(f"its compression is damaged: {error}") from error


def _walk(stream: BinaryIO, name: str) -> None:
    if name.endswith((".fits", ".fit")):
        walk_fits(stream, name)
    # To the end in any case: gzip compares its checksum there.
    while stream.read(CHUNK):
        pass


class _Bounded(io.RawIOBase):
    """Reads a limited number of bytes from another stream."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream, self._left, self._limit = stream, limit, limit

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read the next bytes.

        Raises
        ------
        DataError
            There are more than the limit.
        """
        count = self._stream.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise DataError(f"it uncompresses to more than {self._limit >> 20} MB, too much for its size")
        return count
