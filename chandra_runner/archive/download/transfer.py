"""Receiving a file over HTTP into its partial file: from the start, or from where it was cut.

A partial file is continued only if the server still has the version that was begun. So a file is never put
together from two versions, and no byte is received twice without need.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import BinaryIO

from chandra_runner.archive.errors import ArchiveError, TemporaryError
from chandra_runner.archive.http import HttpClient, HttpRequest
from chandra_runner.archive.http_response import ResponseHead

from .listing import ListedFile
from .partial_file import PartialFile, RemoteVersion

LARGEST_FILE = 32 << 30
"""Largest size of a file, bytes; the archive's largest files have a tenth of it."""
CountBytes = Callable[[int], None]
"""Called with the number of bytes received; with a negative number if they must be received again."""
ReportProgress = Callable[[float, float, str], None]
"""Called with what is done, what is to do in all, and the unit."""


def receive(client: HttpClient, entry: ListedFile, part: PartialFile, count_bytes: CountBytes) -> None:
    """Try once to receive a file: what is missing of its partial file, or all of it.

    Parameters
    ----------
    client : HttpClient
        Connections to the archive.
    entry : ListedFile
        The file.
    part : PartialFile
        Its partial file.
    count_bytes : callable
        See `CountBytes`.

    Raises
    ------
    TemporaryError
        It is not complete; another try may help, and continues what was received.
    ArchiveError
        Another try would not help.
    """
    version = part.version()
    if version is not None and (version.url != entry.url or not version.validator):
        # Without a validator, or from another server, it is not known whether the rest fits.
        version = None
    offset = part.size if version is not None else 0
    if version is not None and offset == version.total:
        return  # complete, but interrupted before it got its name
    continued = version if offset else None
    with client.open(_request(entry.url, continued, offset)) as (head, chunks):
        if continued is not None and head.status == 206:
            _check_continues(part, continued, head, count_bytes)
        else:
            # The server knows no ranges, or has another version: If-Range then makes it send all of that.
            _begin(entry, part, head, count_bytes)
        _append(part, chunks, count_bytes)
        # A connection that is closed early looks like the end of the file.
        if head.total is not None and part.size != head.total:
            raise TemporaryError(f"the connection was cut after {part.size} of {head.total} bytes")


def _request(url: str, continued: RemoteVersion | None, offset: int) -> HttpRequest:
    """Return the request for a file, or for the rest of a version that was begun."""
    if continued is None:
        return HttpRequest(url=url)
    return HttpRequest(url=url, headers={"Range": f"bytes={offset}-", "If-Range": continued.validator})


def _begin(entry: ListedFile, part: PartialFile, head: ResponseHead, count_bytes: CountBytes) -> None:
    """Start from the beginning of the file."""
    count_bytes(-part.size)
    part.discard()
    if head.status == 416:
        raise TemporaryError("the file has changed on the server")
    if head.status != 200:
        raise ArchiveError("the server sent a part of the file although all of it was requested")
    part.begin(
        RemoteVersion(url=entry.url, total=head.total, validator=head.validator, modified=head.modified)
    )


def _check_continues(
    part: PartialFile, version: RemoteVersion, head: ResponseHead, count_bytes: CountBytes
) -> None:
    """Check that the server sends the rest of the partial file, whatever it was asked for.

    Raises
    ------
    TemporaryError
        It does not; the partial file is discarded.
    """
    same = not head.validator or head.validator == version.validator
    if head.start == part.size and head.total in (version.total, None) and same:
        return
    count_bytes(-part.size)
    part.discard()
    raise TemporaryError("the server sends another version or another part; starting again")


def _append(part: PartialFile, chunks: Iterator[bytes], count_bytes: CountBytes) -> None:
    size = part.size
    with part.append() as target:
        for chunk in chunks:
            size += len(chunk)
            # The size that was announced may be wrong, or missing: this bounds what is really sent.
            if size > LARGEST_FILE:
                raise ArchiveError(f"it is larger than {LARGEST_FILE >> 30} GB")
            write_all(target, chunk)
            count_bytes(len(chunk))


def write_all(target: BinaryIO, chunk: bytes) -> None:
    """Write all data: an unbuffered file may write less than it is given."""
    view = memoryview(chunk)
    while view:
        view = view[target.write(view) :]
