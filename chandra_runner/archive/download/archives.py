"""The archives, asked in one way: which files has an ObsID, how large is one, bring it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from chandra_runner import synthetic as sample
from chandra_runner.archive.errors import AbsentError, ArchiveError, PassingError
from chandra_runner.archive.http import CHUNK, HttpClient, Reply
from chandra_runner.observation.raw_files import list_files

from .listing import ListedFile, check_count, check_path, index_names, read_bucket_page
from .locations import ArchiveKind, ArchiveLocation, location_of, observation_prefix
from .partial_file import Origin, PartialFile

LARGEST_FILE = 32 << 30
"""Bytes; the archive's largest files have a tenth of it."""
MAX_PAGES = 100
FOLDERS = ("primary", "secondary")
Watch = Callable[[int], None]
"""Is told of every bunch of bytes that comes; of a negative number where they have to come again."""


class Archive(Protocol):
    """Where observations can be had."""

    name: str

    def files(self, obsid: int) -> list[ListedFile]:
        """What it has of an observation.

        Raises
        ------
        AbsentError
            Nothing.
        ArchiveError
            It cannot be asked, or answers nonsense.
        """

    def size(self, entry: ListedFile) -> int | None:
        """Bytes of a file; None where the archive does not tell."""

    def fetch(self, entry: ListedFile, part: PartialFile, watch: Watch) -> None:
        """Bring a file, all of it, or what is still missing of it, into its part."""


def open_archive(name: str, idle_timeout: float, state: Path, scratch: Path) -> Archive:
    """The archive of that name.

    Parameters
    ----------
    name : str
        As in the recipe.
    idle_timeout : float
        Seconds without a byte after which a connection is given up.
    state : Path
        Existing directory, shared by all runs that share the data: connections are counted there.
    scratch : Path
        Existing directory for temporary files.

    Raises
    ------
    SiteError
        The name, or what the environment says in its place, is no address.
    """
    place = location_of(name, os.environ)
    match place.kind:
        case ArchiveKind.WEB:
            return WebArchive(place, HttpClient(name, idle_timeout, state))
        case ArchiveKind.BUCKET:
            return BucketArchive(place, HttpClient(name, idle_timeout, state))
        case ArchiveKind.FOLDER:
            return FolderArchive(name, Path(place.root))
        case ArchiveKind.SAMPLE:
            return SampleArchive(scratch / "sample")


class WebArchive:
    """A web server with index pages."""

    def __init__(self, place: ArchiveLocation, transport: HttpClient) -> None:
        self.name = place.name
        self._place, self._transport = place, transport

    def files(self, obsid: int) -> list[ListedFile]:
        """What its index pages list, those of the directories below it too."""
        url = self._place.root + observation_prefix(obsid)
        found: list[ListedFile] = []
        folders = [""]
        pages = 0
        while folders:
            folder = folders.pop()
            pages += 1
            if pages > MAX_PAGES:
                raise ArchiveError(f"it has more than {MAX_PAGES} directories for it")
            for name in index_names(self._transport.page(url + folder), url + folder):
                if not name.endswith("/"):
                    found.append(ListedFile(folder + name, url + folder + quote(name)))
                elif folder or name.rstrip("/") in FOLDERS:
                    folders.append(folder + name)
            check_count(len(found))
        if not found:
            raise ArchiveError(f"its page {url} lists no files")
        return found

    def size(self, entry: ListedFile) -> int | None:
        """As the server says."""
        return self._transport.size(entry.url)

    def fetch(self, entry: ListedFile, part: PartialFile, watch: Watch) -> None:
        """By HTTP, as often as it takes."""
        self._transport.persist(lambda: _receive(self._transport, entry, part, watch), lambda: part.size)


class BucketArchive(WebArchive):
    """An S3 bucket that anyone may list."""

    def files(self, obsid: int) -> list[ListedFile]:
        """What its listing has under the observation's prefix."""
        prefix = self._place.prefix + observation_prefix(obsid)
        found = []
        for key, size in self._objects(prefix):
            path = check_path(key.removeprefix(prefix))
            if "/" not in path or path.partition("/")[0] in FOLDERS:
                found.append(ListedFile(path, self._place.root + quote(key), size))
            check_count(len(found))
        if not found:
            raise AbsentError("not there (nothing is listed)")
        return found

    def size(self, entry: ListedFile) -> int | None:
        """As it is listed."""
        return entry.size

    def _objects(self, prefix: str) -> Iterator[tuple[str, int]]:
        query = f"{self._place.root}?list-type=2&prefix={quote(prefix, safe='')}"
        more = ""
        for _ in range(MAX_PAGES):
            page = read_bucket_page(self._transport.page(query + more))
            for key, size in page.objects:
                if not key.startswith(prefix):
                    raise ArchiveError(f"it lists {key[:200]!r} where {prefix} was asked for")
                if not key.endswith("/"):  # some tools make empty objects for directories
                    yield key, size
            if not page.continuation:
                return
            more = f"&continuation-token={quote(page.continuation, safe='')}"
        raise ArchiveError("its listing does not end")


class FolderArchive:
    """A directory of this machine, laid out as the archive's servers are."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self._root = root

    def files(self, obsid: int) -> list[ListedFile]:
        """What is in its directory."""
        directory = self._root / observation_prefix(obsid)
        found = [ListedFile(check_path(path), str(directory / path)) for path in list_files(directory)]
        if not found:
            raise AbsentError(f"not there (no files in {directory})")
        return found

    def size(self, entry: ListedFile) -> int | None:
        """As the file system says."""
        return Path(entry.url).stat().st_size

    def fetch(self, entry: ListedFile, part: PartialFile, watch: Watch) -> None:
        """Copy it, from its start."""
        source = Path(entry.url)
        watch(-part.size)
        part.begin(Origin(entry.url, None, ""))
        with source.open("rb") as stream, part.append() as target:
            while chunk := stream.read(CHUNK):
                _write(target.write, chunk)
                watch(len(chunk))


class SampleArchive(FolderArchive):
    """Small synthetic observations, made when they are asked for."""

    def __init__(self, scratch: Path) -> None:
        super().__init__("sample", scratch)

    def files(self, obsid: int) -> list[ListedFile]:
        """What its generator makes of the number."""
        if obsid not in sample.OBSIDS:
            raise AbsentError(f"it has only {', '.join(map(str, sample.OBSIDS))}")
        directory = self._root / observation_prefix(obsid)
        if not directory.exists():
            sample.write(obsid, directory)
        return super().files(obsid)


def _receive(transport: HttpClient, entry: ListedFile, part: PartialFile, watch: Watch) -> None:
    """One try at a file: what is missing of a part that was begun, or all of it."""
    known = part.origin()
    usable = known is not None and known.url == entry.url and known.validator
    total = known.total if known is not None and usable else None
    offset = part.size if usable else 0
    if total is not None and offset == total:
        return
    headers = {"Range": f"bytes={offset}-", "If-Range": known.validator} if known and offset else {}
    with transport.open("GET", entry.url, headers) as (reply, chunks):
        if not (known and offset and reply.status == 206):
            _begin(entry, part, reply, watch)
        else:
            _check_continues(part, known, offset, reply, watch)
        _fill(part, chunks, watch)
        if reply.total is not None and part.size != reply.total:
            raise PassingError(f"the connection was cut after {part.size} of {reply.total} bytes")


def _begin(entry: ListedFile, part: PartialFile, reply: Reply, watch: Watch) -> None:
    """Start from the beginning."""
    watch(-part.size)
    part.discard()
    if reply.status == 416:
        raise PassingError("the file has changed on the server")
    if reply.status != 200:
        raise ArchiveError("the server sends a part of the file where all of it was asked for")
    part.begin(Origin(entry.url, reply.total, reply.validator, reply.modified))


def _check_continues(part: PartialFile, known: Origin, offset: int, reply: Reply, watch: Watch) -> None:
    """Whether what comes is the rest of what is here.

    Raises
    ------
    PassingError
        It is not; what is here is thrown away.
    """
    same = not reply.validator or reply.validator == known.validator
    if reply.start == offset and reply.total in (known.total, None) and same:
        return
    watch(-part.size)
    part.discard()
    raise PassingError("the server continues another file, or at another place: from the start again")


def _fill(part: PartialFile, chunks: Iterator[bytes], watch: Watch) -> None:
    size = part.size
    with part.append() as target:
        for chunk in chunks:
            size += len(chunk)
            if size > LARGEST_FILE:
                raise ArchiveError(f"it is larger than {LARGEST_FILE >> 30} GB")
            _write(target.write, chunk)
            watch(len(chunk))


def _write(write: Callable[[memoryview], int], chunk: bytes) -> None:
    """Write all of it, where an unbuffered file may take less at a time."""
    view = memoryview(chunk)
    while view:
        view = view[write(view) :]
