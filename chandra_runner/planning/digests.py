"""Digests of files: of the bytes, and of the content that a later stage can see."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from chandra_runner.errors import DataError

BLOCK = 2880
CARD = 80
CHUNK = 1 << 20
MAX_HEADER_BLOCKS = 20_000
# What only records the making of a FITS file, and is no part of its content.
RECORDS_OF_MAKING = (b"DATE    ", b"CHECKSUM", b"DATASUM ", b"HISTORY ", b"CREATOR ")
FITS_SUFFIXES = (".fits", ".img", ".expmap", ".psfmap", ".fit")
_INTEGER_CARD = re.compile(rb"^(BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS) *= +([-+]?\d+|[TF])")


@dataclass(frozen=True)
class FileStat:
    """What tells, without reading a file, that it is still the same."""

    size: int
    mtime_ns: int
    inode: int


@dataclass(frozen=True)
class FileDigest:
    """A file's digests, and the stat for which they hold.

    Parameters
    ----------
    stat : FileStat
        Size, modification time and inode.
    digest : str
        SHA-256 of the bytes, hexadecimal: is the file intact?
    content : str
        SHA-256 that leaves out of FITS headers what only records the making
        (`RECORDS_OF_MAKING`); equal to `digest` for other files.
    """

    stat: FileStat
    digest: str
    content: str


def stat_of(path: Path | str) -> FileStat:
    """Size, modification time and inode of a file, links followed."""
    status = os.stat(path)
    return FileStat(status.st_size, status.st_mtime_ns, status.st_ino)


def is_fits(path: Path) -> bool:
    """Whether a product of that name is to be a FITS file."""
    return path.suffix in FITS_SUFFIXES


def digest_bytes(path: Path) -> FileDigest:
    """Read a file of any kind once and digest its bytes; its content is taken to be the same."""
    stat = stat_of(path)
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileDigest(stat, digest, digest)


def digest_product(path: Path) -> FileDigest:
    """Read a product once and digest its bytes and, in FITS files, its content.

    Raises
    ------
    DataError
        A FITS file (by its name) is cut off or is none.
    """
    if not is_fits(path):
        return digest_bytes(path)
    stat = stat_of(path)
    whole, content = hashlib.sha256(), hashlib.sha256()
    with path.open("rb") as stream:
        for kept, chunk in _fits_pieces(stream, path.name):
            whole.update(chunk)
            content.update(kept)
    return FileDigest(stat, whole.hexdigest(), content.hexdigest())


def digest_of(*texts: str) -> str:
    """SHA-256 of texts, hexadecimal."""
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def walk_fits(stream: BinaryIO, name: str) -> None:
    """Read a FITS file from its first header to its end.

    Raises
    ------
    DataError
        It is cut off, empty, or no FITS file.
    """
    for _ in _fits_pieces(stream, name):
        pass


def _read(stream: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (chunk := stream.read(min(CHUNK, size))):
        size -= len(chunk)
        yield chunk


def _fits_pieces(stream: BinaryIO, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Walk a FITS file: (what counts as content, the bytes), in file order."""
    first = True
    while header := _header(stream, name):
        if first and not header.startswith(b"SIMPLE  ="):
            raise DataError(f"{name} is not a FITS file")
        first = False
        cards = [header[i : i + CARD] for i in range(0, len(header), CARD)]
        yield b"".join(card for card in cards if card[:8] not in RECORDS_OF_MAKING).rstrip(), header
        size = _data_size(cards)
        for chunk in _read(stream, size):
            size -= len(chunk)
            yield chunk, chunk
        if size > 0:
            raise DataError(f"{name} is cut off: {size} bytes of data are missing")
    if first:
        raise DataError(f"{name} is empty")


def _header(stream: BinaryIO, name: str) -> bytes:
    """The next header with its padding; empty at the end of the file."""
    blocks: list[bytes] = []
    while len(blocks) < MAX_HEADER_BLOCKS:
        block = stream.read(BLOCK)
        if not block and not blocks:
            return b""
        if len(block) < BLOCK:
            raise DataError(f"{name} is cut off inside a header")
        blocks.append(block)
        if any(block[i : i + 8] == b"END     " for i in range(0, BLOCK, CARD)):
            return b"".join(blocks)
    raise DataError(f"{name} has a header without an end")


def _data_size(cards: list[bytes]) -> int:
    """Bytes of data behind a header, padding included (FITS standard 4.0, section 4.4.1)."""
    values = {m[1]: m[2] for card in cards if (m := _INTEGER_CARD.match(card))}
    axes = [int(values.get(b"NAXIS%d" % i, b"0")) for i in range(1, int(values.get(b"NAXIS", b"0")) + 1)]
    if values.get(b"GROUPS") == b"T" and axes and axes[0] == 0:
        axes = axes[1:]
    if not axes:
        return 0
    count = 1
    for axis in axes:
        count *= axis
    count = int(values.get(b"GCOUNT", b"1")) * (int(values.get(b"PCOUNT", b"0")) + count)
    size = abs(int(values.get(b"BITPIX", b"8"))) // 8 * count
    return -(-size // BLOCK) * BLOCK
