"""A download that was killed goes on where it stopped, and two at a time share their work."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from chandra_runner import synthetic as sample

from ...archive_server import Gate, Site, prefix, serve
from ...conftest import SHARED, Run
from ...processes import wait_until_ended
from ..conftest import files

KILLS = 20


def raw_data(directory: Path) -> tuple[int, Path]:
    """An ObsID directory of some size; a small one where there are no reference data."""
    large = SHARED / "data" / "sim" / "90001"
    if large.is_dir():
        return 90001, large
    sample.write_observation(99001, directory / "99001")
    return 99001, directory / "99001"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """An archive with one observation."""
    found = Site()
    found.add(*raw_data(tmp_path))
    return found


def write_recipe(directory: Path, site: Site, url: str) -> int:
    """A recipe that fetches all of the observation; its number."""
    obsid = int(next(iter(site.files)).split("/")[2])
    (directory / "recipe.yaml").write_text(
        f"recipe: 1\nobservations: [{obsid}]\narchive: [{url}]\ndata: data\nproducts: products\n"
        "stages: {download: {files: all}}\n"
    )
    return obsid


@contextmanager
def start(directory: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run in the background; nothing of it outlives the block."""
    command = [sys.executable, "-m", "chandra_runner", "recipe.yaml", *options]
    environment = {**os.environ, "no_proxy": "*"}
    running = subprocess.Popen(command, cwd=directory, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        yield running
    finally:
        children = psutil.Process(running.pid).children(recursive=True) if running.poll() is None else []
        running.kill()
        running.communicate()
        for child in children:
            with suppress(psutil.NoSuchProcess):  # it ends with its parent, if it is fast
                child.kill()
        wait_until_ended(child.pid for child in children)


def on_disk(directory: Path) -> dict[str, int]:
    """Bytes of each file that are here, whole or in part."""
    return {path.removesuffix(".part"): len(body) for path, body in files(directory).items()}


def test_a_download_killed_at_20_moments_ends_with_the_servers_files_and_fetches_no_byte_twice(
    site: Site, tmp_path: Path
) -> None:
    chance = random.Random(754)
    total = sum(map(len, site.files.values()))
    with serve(site) as url:
        obsid = write_recipe(tmp_path, site, url)
        data = tmp_path / "data" / str(obsid)
        here: Mapping[str, int] = {}
        for kill in range(KILLS):
            left = total - sum(here.values())
            site.gate = gate = Gate(chance.randint(0, max(1, 2 * left // (KILLS - kill + 1))))
            asked = len(site.requests)
            with start(tmp_path):
                assert gate.reached.wait(60)
            gate.open()
            check_continued(site, asked, obsid, here)
            here = on_disk(data)
        site.gate = lambda count: None
        asked = len(site.requests)
        with start(tmp_path) as last:
            assert last.wait(60) == 0
        check_continued(site, asked, obsid, here)
    expected = {path.removeprefix(prefix(obsid)): body for path, body in site.files.items()}
    assert files(data) == expected


def check_continued(site: Site, since: int, obsid: int, here: Mapping[str, int]) -> None:
    """Every request of a run began behind what the run before it had left on disk."""
    for request in site.requests[since:]:
        if request.method == "GET":
            assert request.start == here.get(request.path.removeprefix(prefix(obsid)), 0)


def test_two_runs_that_share_their_data_fetch_each_file_once(site: Site, tmp_path: Path) -> None:
    with serve(site) as url:
        obsid = write_recipe(tmp_path, site, url)
        site.gate = gate = Gate(100_000)
        with start(tmp_path) as one:
            assert gate.reached.wait(60)
            with start(tmp_path, "--products", "others") as other:
                log = tmp_path / "others" / str(obsid) / "download.log"
                wait_for_text(log, "is being downloaded by process")
                gate.open()
                assert (one.wait(60), other.wait(60)) == (0, 0)
    assert sorted(request.path for request in site.asked()) == sorted(site.files)
    inventories = [tmp_path / place / f"{obsid}/download/inventory.json" for place in ("products", "others")]
    assert inventories[0].read_bytes() == inventories[1].read_bytes()


def wait_for_text(path: Path, text: str) -> None:
    """Wait until another process has written something into a file."""
    for _ in range(6000):
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} never said {text!r}")


def test_only_what_the_recipe_reads_is_fetched_and_a_second_run_asks_nothing(
    site: Site, tmp_path: Path, chandra_run: Run
) -> None:
    with serve(site) as url:
        obsid = write_recipe(tmp_path, site, url)
        recipe = tmp_path / "recipe.yaml"
        recipe.write_text(
            recipe.read_text().replace("{download: {files: all}}", "{prepare_chandra_info: {}}")
        )
        answer = chandra_run("recipe.yaml", "--json", env={"no_proxy": "*"})
        assert (answer.code, set(answer.outcomes.values())) == (0, {"done"})
        endings = {path.rpartition("_")[2] for path in files(tmp_path / "data" / str(obsid))}
        assert {"evt1.fits.gz", "evt2.fits.gz", "asol1.fits.gz"} <= endings
        assert not {"img2.fits.gz", "eph1.fits.gz", "bias0.fits.gz"} & endings
        asked = len(site.requests)
        again = chandra_run("recipe.yaml", "--json", env={"no_proxy": "*"})
        assert len(site.requests) == asked
        assert set(again.outcomes.values()) == {"up_to_date"}
        recipe.write_text(recipe.read_text().replace("{prepare_", "{download: {files: all}, prepare_"))
        more = chandra_run("recipe.yaml", "--json", env={"no_proxy": "*"})
        assert more.outcomes[obsid, "prepare_chandra_info"] == "up_to_date"
    assert more.reasons(obsid, "download") == "setting files: needed -> all"
    assert len(files(tmp_path / "data" / str(obsid))) == len(site.files)
