"""The kinds of archives behind one interface: list the files of an ObsID, tell sizes, download."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

from chandra_runner import synthetic as sample
from chandra_runner.archive.errors import ArchiveError, NotAvailableError
from chandra_runner.archive.http import CHUNK, HttpClient
from chandra_runner.observation.raw_files import ARCHIVE_FOLDERS, list_files

from .listing import ListedFile, check_count, check_path, index_names, read_bucket_page
from .locations import ArchiveKind, ArchiveLocation, location_of, observation_prefix
from .partial_file import PartialFile, RemoteVersion
from .transfer import CountBytes, receive, write_all

MAX_PAGES = 100


class Archive(Protocol):
    """Where observations can be downloaded from."""

    name: str

    def files(self, obsid: int) -> list[ListedFile]:
        """Return the files that it has of an observation.

        Raises
        ------
        NotAvailableError
            It has none.
        ArchiveError
            It cannot be reached, or its answer is not valid.
        """

    def size(self, entry: ListedFile) -> int | None:
        """Return the size of a file, bytes; None if the archive does not say."""

    def fetch(self, entry: ListedFile, part: PartialFile, count_bytes: CountBytes) -> None:
        """Download a file, or what is missing of it, into its partial file."""


def open_archive(name: str, *, idle_timeout: float, state: Path, scratch: Path) -> Archive:
    """Return the archive of that name.

    Parameters
    ----------
    name : str
        Name or URL, as in the recipe.
    idle_timeout : float
        Time, s, without a byte after which a connection is given up.
    state : Path
        Existing directory, shared by all runs that share the data, for the limit of connections.
    scratch : Path
        Existing directory for temporary files.

    Raises
    ------
    SiteError
        The name, or the environment variable that replaces it, is not an address.
    """
    location = location_of(name, os.environ)
    match location.kind:
        case ArchiveKind.WEB:
            return WebArchive(location, HttpClient(name, idle_timeout=idle_timeout, connections=state))
        case ArchiveKind.BUCKET:
            return BucketArchive(location, HttpClient(name, idle_timeout=idle_timeout, connections=state))
        case ArchiveKind.FOLDER:
            return FolderArchive(name, Path(location.root))
        case ArchiveKind.SAMPLE:
            return SampleArchive(scratch / "sample")


class WebArchive:
    """A web server with index pages."""

    def __init__(self, location: ArchiveLocation, client: HttpClient) -> None:
        self.name = location.name
        self._location, self._client = location, client

    def files(self, obsid: int) -> list[ListedFile]:
        """Return what its index pages list, including those of directories below."""
        url = self._location.root + observation_prefix(obsid)
        found: list[ListedFile] = []
        folders = [""]
        pages = 0
        while folders:
            folder = folders.pop()
            pages += 1
            if pages > MAX_PAGES:
                raise ArchiveError(f"it has more than {MAX_PAGES} directories for this ObsID")
            for name in index_names(self._client.read(url + folder), url + folder):
                if not name.endswith("/"):
                    found.append(ListedFile(folder + name, url + folder + quote(name)))
                elif folder or name.rstrip("/") in ARCHIVE_FOLDERS:
                    folders.append(folder + name)
            check_count(len(found))
        if not found:
            raise ArchiveError(f"its page {url} lists no files")
        return found

    def size(self, entry: ListedFile) -> int | None:
        """Return what the server says."""
        return self._client.size(entry.url)

    def fetch(self, entry: ListedFile, part: PartialFile, count_bytes: CountBytes) -> None:
        """Download by HTTP, and try again after failures that pass."""
        self._client.retry(lambda: receive(self._client, entry, part, count_bytes), lambda: part.size)


class BucketArchive(WebArchive):
    """An S3 bucket that anyone may list."""

    def files(self, obsid: int) -> list[ListedFile]:
        """Return what its listing has under the observation's prefix."""
        prefix = self._location.prefix + observation_prefix(obsid)
        found = []
        for key, size in self._objects(prefix):
            path = check_path(key.removeprefix(prefix))
            if "/" not in path or path.partition("/")[0] in ARCHIVE_FOLDERS:
                found.append(ListedFile(path, self._location.root + quote(key), size))
            check_count(len(found))
        if not found:
            raise NotAvailableError("not found (nothing is listed)")
        return found

    def size(self, entry: ListedFile) -> int | None:
        """Return what the listing says."""
        return entry.size

    def _objects(self, prefix: str) -> Iterator[tuple[str, int]]:
        query = f"{self._location.root}?list-type=2&prefix={quote(prefix, safe='')}"
        more = ""
        for _ in range(MAX_PAGES):
            page = read_bucket_page(self._client.read(query + more))
            for key, size in page.objects:
                if not key.startswith(prefix):
                    raise ArchiveError(f"it lists {key[:200]!r}, which is not below {prefix}")
                if not key.endswith("/"):  # some tools make empty objects for directories
                    yield key, size
            if not page.continuation:
                return
            more = f"&continuation-token={quote(page.continuation, safe='')}"
        raise ArchiveError("its listing does not end")


class FolderArchive:
    """A directory of this machine with the layout of the archive's servers."""

    def __init__(self, name: str, root: Path) -> None:
        self.name = name
        self._root = root

    def files(self, obsid: int) -> list[ListedFile]:
        """Return what is in the directory of the observation."""
        directory = self._root / observation_prefix(obsid)
        found = [ListedFile(check_path(path), str(directory / path)) for path in list_files(directory)]
        if not found:
            raise NotAvailableError(f"not found (no files in {directory})")
        return found

    def size(self, entry: ListedFile) -> int | None:
        """Return what the file system says."""
        return Path(entry.url).stat().st_size

    def fetch(self, entry: ListedFile, part: PartialFile, count_bytes: CountBytes) -> None:
        """Copy it from the start."""
        source = Path(entry.url)
        count_bytes(-part.size)
        part.begin(RemoteVersion(url=entry.url, total=None, validator=""))
        with source.open("rb") as stream, part.append() as target:
            while chunk := stream.read(CHUNK):
                write_all(target, chunk)
                count_bytes(len(chunk))


class SampleArchive(FolderArchive):
    """Small synthetic observations, made on request."""

    def __init__(self, scratch: Path) -> None:
        super().__init__("sample", scratch)

    def files(self, obsid: int) -> list[ListedFile]:
        """Return the files of a synthetic observation, which is made first."""
        if obsid not in sample.OBSIDS:
            raise NotAvailableError(f"it has only {', '.join(map(str, sample.OBSIDS))}")
        directory = self._root / observation_prefix(obsid)
        if not directory.exists():
            sample.write_observation(obsid, directory)
        return super().files(obsid)
