"""Every kind of archive lists observations, knows sizes and delivers files in the same way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chandra_runner.archive.download import archives
from chandra_runner.archive.download.archives import (
    Archive,
    BucketArchive,
    FolderArchive,
    SampleArchive,
    WebArchive,
    open_archive,
)
from chandra_runner.archive.download.locations import ArchiveKind, ArchiveLocation
from chandra_runner.archive.download.partial_file import PartialFile
from chandra_runner.archive.errors import ArchiveError, NotAvailableError
from chandra_runner.archive.http import HttpClient
from tests import archive_server as server

from ...archive_server import Site
from ..conftest import OBSID


@pytest.fixture(params=["apache", "nginx", "s3", "folder", "sample"])
def archive(
    request: pytest.FixtureRequest, site: Site, url: str, observation: Path, tmp_path: Path
) -> Archive:
    """An archive of each kind with the same observation."""
    if request.param == "folder":
        directory = tmp_path / "mirror" / server.prefix(OBSID)
        directory.parent.mkdir(parents=True)
        directory.symlink_to(observation)
        return FolderArchive("folder", tmp_path / "mirror")
    if request.param == "sample":
        return SampleArchive(tmp_path / "sample")
    site.style = request.param
    client = HttpClient("web", idle_timeout=10)
    if request.param == "s3":
        return BucketArchive(ArchiveLocation("bucket", ArchiveKind.BUCKET, url), client)
    return WebArchive(ArchiveLocation("web", ArchiveKind.WEB, url), client)


def test_an_archive_lists_and_delivers_all_files(archive: Archive, observation: Path, tmp_path: Path) -> None:
    entries = archive.files(OBSID)
    expected = {
        path.relative_to(observation).as_posix(): path for path in observation.rglob("*") if path.is_file()
    }
    assert sorted(entry.path for entry in entries) == sorted(expected)
    entry = next(entry for entry in entries if entry.path.endswith("_asol1.fits.gz"))
    content = expected[entry.path].read_bytes()
    assert archive.size(entry) == len(content)
    counted: list[int] = []
    part = PartialFile(tmp_path / "part" / "asol1.fits.gz")
    archive.fetch(entry, part, counted.append)
    assert part.path.read_bytes() == content
    assert sum(counted) == len(content)


def test_an_archive_says_that_it_does_not_have_an_observation(archive: Archive) -> None:
    with pytest.raises(NotAvailableError):
        archive.files(493)


def test_files_outside_the_archives_folders_are_not_listed(site: Site, url: str) -> None:
    prefix = server.prefix(OBSID)
    site.files = {f"{prefix}{name}": b"x" for name in ("oif.fits", "primary/a.fits", "repro/b.fits")}
    client = HttpClient("web", idle_timeout=10)
    web = WebArchive(ArchiveLocation("web", ArchiveKind.WEB, url), client)
    assert sorted(entry.path for entry in web.files(OBSID)) == ["oif.fits", "primary/a.fits"]
    site.style = "s3"
    bucket = BucketArchive(ArchiveLocation("bucket", ArchiveKind.BUCKET, url), client)
    assert sorted(entry.path for entry in bucket.files(OBSID)) == ["oif.fits", "primary/a.fits"]


class PagesOfBucket:
    """A client that answers with pages of a bucket's listing."""

    def __init__(self, key: str, *, endless: bool = False) -> None:
        more = "<NextContinuationToken>1</NextContinuationToken>" if endless else ""
        self.page = (
            f"<ListBucketResult><IsTruncated>{str(endless).lower()}</IsTruncated>{more}"
            f"<Contents><Key>{key}</Key><Size>1</Size></Contents></ListBucketResult>"
        ).encode()

    def read(self, url: str) -> bytes:
        """The same page, whatever is asked."""
        return self.page


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        (PagesOfBucket("byobsid/3/99003/primary/a.fits", endless=True), "its listing does not end"),
        (PagesOfBucket("byobsid/4/754/primary/a.fits"), r"it lists 'byobsid/4/754/\S+', which is not below"),
        (PagesOfBucket("byobsid/3/99003/primary/../a.fits"), "it lists a file with the name"),
    ],
)
def test_a_listing_of_a_bucket_that_is_not_as_requested_is_refused(pages: Any, message: str) -> None:
    location = ArchiveLocation("bucket", ArchiveKind.BUCKET, "https://bucket.example/")
    with pytest.raises(ArchiveError, match=message):
        BucketArchive(location, pages).files(OBSID)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("https://archive.example/", WebArchive),
        ("s3://bucket", BucketArchive),
        ("file:///archive", FolderArchive),
        ("sample", SampleArchive),
    ],
)
def test_an_archive_is_opened_by_its_name(tmp_path: Path, name: str, kind: type) -> None:
    opened = open_archive(name, idle_timeout=1, state=tmp_path, scratch=tmp_path)
    assert type(opened) is kind
    assert opened.name == name


def test_a_synthetic_observation_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def write(obsid: int, directory: Path) -> None:
        made.append(obsid)
        directory.mkdir(parents=True)
        (directory / "oif.fits").write_bytes(b"x")

    monkeypatch.setattr(archives.sample, "write_observation", write)
    archive = SampleArchive(tmp_path)
    assert archive.files(OBSID) == archive.files(OBSID)
    assert made == [OBSID]
