"""Files of an archive are downloaded as far as possible, and recorded; what fails names its file."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from chandra_runner.archive.download import fetch
from chandra_runner.archive.download.download_record import DownloadRecord
from chandra_runner.archive.download.fetch import fetch_files
from chandra_runner.archive.download.listing import ListedFile
from chandra_runner.archive.download.partial_file import PartialFile, RemoteVersion
from chandra_runner.archive.download.transfer import CountBytes
from chandra_runner.archive.errors import ArchiveError, NotAvailableError
from chandra_runner.errors import SiteError


class FakeArchive:
    """An archive in memory; an error in place of a file is raised when it is downloaded."""

    name = "fake"

    def __init__(self, contents: dict[str, bytes | Exception], sizes: dict[str, int | Exception]) -> None:
        self.contents, self.sizes = contents, sizes
        self.order: list[str] = []

    def files(self, obsid: int) -> list[ListedFile]:
        """All files."""
        return [ListedFile(path, f"https://archive.example/{path}") for path in self.contents]

    def size(self, entry: ListedFile) -> int | None:
        """The size that the test says, or None."""
        size = self.sizes.get(entry.path)
        if isinstance(size, Exception):
            raise size
        return size

    def fetch(self, entry: ListedFile, part: PartialFile, count_bytes: CountBytes) -> None:
        """Write the content into the partial file."""
        self.order.append(entry.path)
        content = self.contents[entry.path]
        if isinstance(content, Exception):
            time.sleep(0.02)
            raise content
        part.begin(RemoteVersion(url=entry.url, total=len(content), validator="v"))
        part.path.write_bytes(content)
        count_bytes(len(content))


def fetch_all(archive: FakeArchive, directory: Path) -> list[tuple[float, float]]:
    """Download all files of an archive; return the progress that was reported."""
    progress: list[tuple[float, float]] = []
    fetch_files(
        archive,
        archive.files(42),
        directory,
        obsid=42,
        record=DownloadRecord.read(directory),
        report_progress=lambda done, total, _: progress.append((done, total)),
    )
    return progress


def test_files_are_put_at_their_paths_and_recorded(tmp_path: Path) -> None:
    archive = FakeArchive({"primary/a_evt2.txt": b"events", "readme.txt": b"read"}, {"readme.txt": 4})
    progress = fetch_all(archive, tmp_path)
    assert (tmp_path / "primary/a_evt2.txt").read_bytes() == b"events"
    record = DownloadRecord.read(tmp_path)
    assert record.pending == []
    assert {path: origin.url for path, origin in record.sources.items()} == {
        path: f"https://archive.example/{path}" for path in archive.contents
    }
    assert progress[0] == (0, 4)
    assert progress[-1] == (10, 10)  # more than the sizes that the archive announced


def test_the_index_comes_first_then_large_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "MAX_CONNECTIONS", 1)
    monkeypatch.setattr(fetch, "check_integrity", lambda path, name: None)
    contents = dict.fromkeys(("small.txt", "large.txt", "oif.fits"), b"x")
    archive = FakeArchive({**contents}, {"small.txt": 1, "large.txt": 1000, "oif.fits": 10})
    fetch_all(archive, tmp_path)
    assert archive.order == ["oif.fits", "large.txt", "small.txt"]


@pytest.mark.parametrize(
    "error", [NotAvailableError("not found (404)"), ArchiveError("the server answers 418")]
)
def test_a_listed_file_without_a_size_is_a_failure_that_names_it(tmp_path: Path, error: ArchiveError) -> None:
    archive = FakeArchive({"a.txt": b"a"}, {"a.txt": error})
    with pytest.raises(ArchiveError, match=r"^ObsID 42, a\.txt: fake: ") as raised:
        fetch_all(archive, tmp_path)
    assert not isinstance(raised.value, NotAvailableError)
    assert raised.value.names_file


@pytest.mark.parametrize(
    "error", [NotAvailableError("not found (404)"), ArchiveError("the server answers 418")]
)
def test_a_listed_file_that_is_not_delivered_stops_no_other(tmp_path: Path, error: ArchiveError) -> None:
    archive = FakeArchive({"a.txt": error, "b.txt": b"b", "c.txt": b"c"}, {})
    with pytest.raises(ArchiveError, match=r"^ObsID 42, a\.txt: fake: ") as raised:
        fetch_all(archive, tmp_path)
    assert not isinstance(raised.value, NotAvailableError)
    assert sorted(path.name for path in tmp_path.glob("*.txt")) == ["b.txt", "c.txt"]
    assert DownloadRecord.read(tmp_path).pending == ["a.txt"]


def test_a_damaged_file_is_downloaded_twice_then_refused(tmp_path: Path) -> None:
    archive = FakeArchive({"a.fits": b"no FITS"}, {})
    with pytest.raises(ArchiveError, match=r"a\.fits: fake: the file arrives damaged: .*not a FITS file"):
        fetch_all(archive, tmp_path)
    assert archive.order == ["a.fits"] * 2
    assert not list(tmp_path.glob("a.fits*"))


def test_a_full_disk_is_the_sites_error_and_stops_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "MAX_CONNECTIONS", 1)
    full = OSError(28, "No space left on device")
    archive = FakeArchive({f"{n}.txt": full for n in range(20)}, {})
    with pytest.raises(SiteError, match=r"cannot be written: the disk is full"):
        fetch_all(archive, tmp_path)
    assert len(archive.order) < 20


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ((fetch.LARGEST_FILE + 1, 0), r"^ObsID 42, a\.txt: fake: \d+ bytes, more than any file has"),
        ((fetch.LARGEST_FILE,) * 5, r"^its files have 160 GB together, more than any observation"),
    ],
)
def test_sizes_that_no_observation_has_are_refused_before_any_download(
    tmp_path: Path, sizes: tuple[int, ...], message: str
) -> None:
    names = [f"{letter}.txt" for letter in "abcde"[: len(sizes)]]
    archive = FakeArchive(dict.fromkeys(names, b"x"), dict(zip(names, sizes, strict=True)))
    with pytest.raises(ArchiveError, match=message):
        fetch_all(archive, tmp_path)
    assert not archive.order
