"""An archive with one small observation, and requests to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from chandra_runner import synthetic as sample
from chandra_runner.archive import http
from chandra_runner.archive.download import download as download_module
from chandra_runner.archive.download.download import DownloadRequest
from chandra_runner.archive.download.file_selection import FileSelection

from ..archive_server import Site, serve

OBSID = 99003


@pytest.fixture(scope="session")
def observation(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The ObsID directory that the archive serves."""
    directory = tmp_path_factory.mktemp("archive") / str(OBSID)
    sample.write_observation(OBSID, directory)
    return directory


@pytest.fixture
def site(observation: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An archive that behaves, unless a test says otherwise; pauses between tries are short."""
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.001)
    monkeypatch.setattr(http, "LONGEST_PAUSE", 0.05)
    monkeypatch.setattr(download_module, "POLL_INTERVAL", 0.02)
    monkeypatch.setenv("no_proxy", "*")
    found = Site()
    found.add(OBSID, observation)
    return found


@pytest.fixture
def url(site: Site) -> Iterator[str]:
    """Address of the archive."""
    with serve(site) as address:
        yield address


MakeRequest = Callable[..., DownloadRequest]


@pytest.fixture
def make_request(tmp_path: Path, url: str) -> MakeRequest:
    """Make requests to the archive, for a directory of the test."""

    def make(**changes: Any) -> DownloadRequest:
        (tmp_path / "scratch").mkdir(exist_ok=True)
        usual: dict[str, Any] = {
            "obsid": OBSID,
            "directory": tmp_path / "data" / str(OBSID),
            "archives": (url,),
            "selection": FileSelection(),
            "refresh": False,
            "idle_timeout": 0.5,
            "scratch": tmp_path / "scratch",
            "report_progress": lambda done, total, unit: None,
        }
        return DownloadRequest(**{**usual, **changes})

    return make


def files(directory: Path) -> dict[str, bytes]:
    """Return the files of a directory, without hidden ones: paths and bytes."""
    return {
        path.relative_to(directory).as_posix(): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
