"""Digests of files: of the bytes, and of the content that a later stage can see."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from chandra_runner.fits.blocks import cards, iterate_headers, read_data

# What only records the making of a FITS file, and is not part of its content.
RECORDS_OF_MAKING = (b"DATE    ", b"CHECKSUM", b"DATASUM ", b"HISTORY ", b"CREATOR ")
FITS_SUFFIXES = (".fits", ".img", ".expmap", ".psfmap", ".fit")
_CONTINUE = b"CONTINUE"


@dataclass(frozen=True)
class FileStat:
    """What shows, without reading a file, that it has not changed."""

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


def digest_shared_file(path: Path) -> FileDigest:
    """Digest the bytes of a file on which many observations depend; it is read once, until it changes."""
    return _digest_of_state(path, stat_of(path))


@cache
def _digest_of_state(path: Path, stat: FileStat) -> FileDigest:
    return digest_bytes(path)


def digest_product(path: Path) -> FileDigest:
    """Read a product once and digest its bytes and, in FITS files, its content.

    Raises
    ------
    DataError
        A file that has a FITS suffix is truncated, damaged or not a FITS file.
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


def _fits_pieces(stream: BinaryIO, name: str) -> Iterator[tuple[bytes, bytes]]:
    """Read a FITS file in the order of its bytes, as pairs of (what counts as content, all bytes)."""
    for hdu in iterate_headers(stream, name):
        yield b"".join(_content_cards(hdu.header)).rstrip(), hdu.header
        for chunk in read_data(stream, hdu, name):
            yield chunk, chunk


def _content_cards(header: bytes) -> Iterator[bytes]:
    """Leave out the cards that only record the making, with the cards that continue their values."""
    dropped = False
    for card in cards(header):
        keyword = card[:8]
        dropped = keyword in RECORDS_OF_MAKING or (dropped and keyword == _CONTINUE)
        if not dropped:
            yield card
