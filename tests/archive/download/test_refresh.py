"""A newer processing version is reported, and taken whole: old files stay until all new ones are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from chandra_runner.archive.download import refresh as refreshing
from chandra_runner.archive.download.download import download_missing_files
from chandra_runner.errors import DataError
from tests import archive_server as server

from ...archive_server import Site, serve
from ...conftest import Run
from ..conftest import OBSID, MakeRequest, files


def reprocess(site: Site) -> None:
    """The archive has another processing version, under other names."""
    site.files = {path.replace("N001_", "N005_"): body for path, body in site.files.items()}


def test_nothing_newer_changes_nothing(site: Site, make_request: MakeRequest) -> None:
    download_missing_files(make_request())
    before = len(site.asked())
    download_missing_files(make_request(refresh=True))
    assert len(site.asked()) == before


def test_a_newer_version_takes_the_place_of_the_old_one(site: Site, make_request: MakeRequest) -> None:
    request = make_request()
    download_missing_files(request)
    reprocess(site)
    download_missing_files(request)  # not requested: the old version stays
    assert {path for path in files(request.directory) if "N001_" in path}
    download_missing_files(make_request(refresh=True))
    start = server.prefix(OBSID)
    assert files(request.directory) == {path.removeprefix(start): body for path, body in site.files.items()}
    assert not (request.directory / refreshing.STAGING).exists()


def test_an_older_version_of_another_archive_is_not_taken(site: Site, make_request: MakeRequest) -> None:
    reprocess(site)
    request = make_request()
    download_missing_files(request)
    site.files = {path.replace("N005_", "N001_"): body for path, body in site.files.items()}
    before = files(request.directory)
    download_missing_files(make_request(refresh=True))
    assert files(request.directory) == before


def test_the_old_files_stay_when_the_new_ones_cannot_be_downloaded(
    site: Site, make_request: MakeRequest
) -> None:
    request = make_request()
    download_missing_files(request)
    before = files(request.directory)
    reprocess(site)
    site.answer(site.find(OBSID, "evt2.fits.gz"), server.status(403))
    with pytest.raises(DataError, match=r"N005_evt2.fits.gz: .* refused \(403"):
        download_missing_files(make_request(refresh=True))
    outside = {path: body for path, body in files(request.directory).items() if not path.startswith(".")}
    assert outside == before
    asked = len(site.asked())
    download_missing_files(make_request(refresh=True))
    downloaded = [r.path for r in site.asked()[asked:]]
    assert downloaded == [site.find(OBSID, "evt2.fits.gz")]  # the files received before were kept


@pytest.mark.parametrize("moment", range(5))
def test_a_switch_that_is_interrupted_is_finished_by_the_next_run(
    site: Site, make_request: MakeRequest, monkeypatch: pytest.MonkeyPatch, moment: int
) -> None:
    request = make_request()
    download_missing_files(request)
    reprocess(site)
    place, moved = refreshing._move_into_place, []

    def interrupted(new: Path, target: Path) -> None:
        if len(moved) == moment:
            raise KeyboardInterrupt
        moved.append(target)
        place(new, target)

    monkeypatch.setattr(refreshing, "_move_into_place", interrupted)
    with pytest.raises(KeyboardInterrupt):
        download_missing_files(make_request(refresh=True))
    monkeypatch.setattr(refreshing, "_move_into_place", place)
    asked = len(site.requests)
    download_missing_files(make_request(archives=()))
    assert len(site.requests) == asked
    start = server.prefix(OBSID)
    assert files(request.directory) == {path.removeprefix(start): body for path, body in site.files.items()}


def test_missing_files_are_not_taken_from_another_version(site: Site, make_request: MakeRequest) -> None:
    request = make_request()
    download_missing_files(request)
    (evt2,) = request.directory.glob("primary/*_evt2.fits.gz")
    evt2.unlink()
    site.files = {
        path.replace("N001_evt1", "N005_evt1"): body
        for path, body in site.files.items()
        if not path.endswith(evt2.name)
    }
    other = r"it has \S+N005_evt1.fits, but this directory has \S+N001_evt1.fits; use --refresh data"
    with pytest.raises(DataError, match=other):
        download_missing_files(request)


def test_plan_reports_a_newer_version_and_refresh_downloads_it(
    site: Site, tmp_path: Path, chandra_run: Run
) -> None:
    with serve(site) as url:
        (tmp_path / "recipe.yaml").write_text(
            f"recipe: 1\nobservations: [{OBSID}]\narchive: [{url}]\ndata: data\nproducts: products\n"
            "stages: {prepare_chandra_info: {}}\n"
        )
        quiet = {"no_proxy": "*"}
        assert chandra_run("recipe.yaml", env=quiet).code == 0
        same = chandra_run("plan", "recipe.yaml", "--check-archive", "--json", env=quiet)
        assert same.reasons(OBSID, "download") == ""
        reprocess(site)
        newer = chandra_run("plan", "recipe.yaml", "--check-archive", "--json", env=quiet)
        assert newer.outcomes[OBSID, "download"] == "up_to_date"
        assert newer.reasons(OBSID, "download") == (
            f"{url} has N005, this directory has N001; use --refresh data to download it"
        )
        assert chandra_run("recipe.yaml", "--refresh", "data", env=quiet).code == 0
        names = {path.name for path in (tmp_path / "data" / str(OBSID)).rglob("*N00*")}
        assert names
        assert all("N005_" in name for name in names)
