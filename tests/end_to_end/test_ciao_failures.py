"""However CIAO's tools fail, the task fails with their messages, and no product is lost or damaged."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

import pytest

from chandra_runner.running import task_process

from ..ciao_standin.fixture import Ciao, install
from ..ciao_standin.knobs import Way
from ..ciao_standin.samples import write_complete
from ..command_line import Answer, Run, run_in_process
from ..processes import has_ended

OBSID = 99002
RECIPE = f"recipe: 1\nobservations: [{OBSID}]\narchive: none\ndata: data\nproducts: products\n"


class Site:
    """A directory with a recipe, raw data and a CIAO."""

    def __init__(self, directory: Path, call: Run, ciao: Ciao) -> None:
        self.directory, self._call, self.ciao = directory, call, ciao
        self.write()

    def write(self, settings: str = "", engine: str = "ciao") -> None:
        """Write the recipe."""
        stages = f"engine: {engine}\nstages:\n  cleaned_chandra_evts: {{}}\n{settings}"
        (self.directory / "recipe.yaml").write_text(RECIPE + stages)

    def run(self, *arguments: str, command: str = "", **environment: str) -> Answer:
        """``chandra-run recipe.yaml``."""
        words = [*([command] if command else []), "recipe.yaml", *arguments]
        return self._call(*words, env={**self.ciao.environment, **environment})

    def without_ciao(self, *arguments: str, command: str = "") -> Answer:
        """The same where there is no CIAO."""
        words = [*([command] if command else []), "recipe.yaml", *arguments]
        return self._call(*words, env={"ASCDS_INSTALL": "", "PATH": "/usr/bin:/bin"})

    def contents(self, stage: str) -> dict[str, bytes]:
        """Products of a stage, by name."""
        directory = self.directory / "products" / str(OBSID) / stage
        return {path.name: path.read_bytes() for path in sorted(directory.glob("*"))}

    def log(self, stage: str) -> str:
        """Log of a stage."""
        return (self.directory / "products" / str(OBSID) / f"{stage}.log").read_text()


@pytest.fixture(scope="module")
def raw_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Raw data of a synthetic observation, small and quick."""
    directory = tmp_path_factory.mktemp("raw")
    write_complete(OBSID, directory)
    return directory


@pytest.fixture(scope="module")
def reduced(tmp_path_factory: pytest.TempPathFactory, raw_data: Path, ciao_path: Path) -> Path:
    """The products of a run without failures."""
    directory = tmp_path_factory.mktemp("reduced")
    shutil.copytree(raw_data, directory / "data")
    site = Site(directory, partial(call_in, directory), install(ciao_path))
    assert site.run().code == 0
    return directory / "products"


def call_in(directory: Path, *arguments: str, env: Mapping[str, str]) -> Answer:
    """Call ``chandra-run`` in a directory."""
    return run_in_process(directory, arguments, env)


@pytest.fixture
def site(tmp_path: Path, chandra_run: Run, ciao: Ciao, raw_data: Path) -> Site:
    """A site with raw data."""
    shutil.copytree(raw_data, tmp_path / "data")
    return Site(tmp_path, chandra_run, ciao)


@pytest.fixture
def reduced_site(reduced: Path, site: Site) -> Site:
    """A site at which all is up to date."""
    shutil.copytree(reduced, site.directory / "products")
    return site


@pytest.fixture
def short_directory() -> Iterator[Path]:
    """An empty directory; those that pytest makes have paths too long for sockets in them."""
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@pytest.mark.parametrize(
    ("tool", "stage", "way", "code", "reason"),
    [
        (
            "chandra_repro",
            "chandra_repro",
            Way.NOTHING,
            1,
            "returned success but did not create out",
        ),
        ("chandra_repro", "chandra_repro", Way.HALF, 1, "is truncated"),
        ("chandra_repro", "chandra_repro", Way.ERROR, 1, "chandra_repro failed with exit code 1: "),
        ("chandra_repro", "chandra_repro", Way.ERROR_EXIT_0, 1, "failed, though its exit code is 0: "),
        (
            "dmextract",
            "deflare",
            Way.NOTHING,
            1,
            "dmextract returned success",
        ),
        ("dmextract", "deflare", Way.HALF, 1, "is truncated"),
        ("deflare", "deflare", Way.CRASH, 1, "deflare was killed by SIGSEGV"),
        ("deflare", "deflare", Way.ERROR, 1, "Could not open file 'calibration.fits'"),
        ("deflare", "deflare", Way.HALF, 1, "acisf99002_deflare_gti.fits"),
        ("dmcopy", "cleaned_chandra_evts", Way.FULL_DISK, 3, "dmcopy: the disk is full; make room"),
        ("dmcopy", "cleaned_chandra_evts", Way.HALF, 1, "acisf99002_"),
    ],
)
def test_a_failure_is_reported_and_the_last_good_products_stay(
    reduced_site: Site, tool: str, stage: str, way: Way, code: int, reason: str
) -> None:
    site = reduced_site
    good = site.contents(stage)
    site.ciao.fail(tool, way)
    answer = site.run("--force", stage, "--json")
    assert answer.code == code
    assert answer.outcomes[OBSID, stage] == "failed"
    assert reason in answer.reasons(OBSID, stage)
    assert site.contents(stage) == good
    assert not list((site.directory / "products" / ".chandra-run" / "scratch").iterdir())


@pytest.mark.parametrize(("tool", "stage"), [("deflare", "deflare"), ("dmcopy", "cleaned_chandra_evts")])
def test_a_stage_that_failed_is_done_when_its_tool_works_again(
    reduced_site: Site, tool: str, stage: str
) -> None:
    reduced_site.ciao.fail(tool, Way.ERROR)
    assert reduced_site.run("--force", stage).code == 1
    reduced_site.ciao.mend(tool)
    assert reduced_site.run("--force", stage).code == 0


def test_a_tool_that_hangs_is_ended_with_all_that_it_started(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_process, "GRACE", 0.5)
    site.ciao.fail("dmextract", Way.HANG)
    site.write("  deflare: {timeout: 4 s}\n")
    answer = site.run("--json")
    assert answer.outcomes[OBSID, "deflare"] == "timed_out"
    assert answer.outcomes[OBSID, "cleaned_chandra_evts"] == "blocked"
    assert all(map(has_ended, site.ciao.hanging))
    assert len(site.ciao.hanging) == 3


def test_half_of_the_last_file_is_not_a_product(site: Site) -> None:
    site.ciao.fail("dmcopy", Way.HALF, "@acisf99002_deflare_gti.fits")
    answer = site.run("--json")
    assert answer.outcomes[OBSID, "cleaned_chandra_evts"] == "failed"
    assert "acisf99002_clean_evt2.fits is truncated" in answer.reasons(OBSID, "cleaned_chandra_evts")
    assert not (site.directory / "products" / str(OBSID) / "cleaned_chandra_evts").exists()


def test_warnings_of_the_tools_are_in_the_report_but_not_all_of_them(site: Site) -> None:
    site.ciao.fail("dmextract", Way.WARNINGS)
    answer = site.run("--json")
    assert answer.code == 0
    (task,) = (task for task in answer.document["tasks"] if task["stage"] == "deflare")
    assert "dmextract: row 0 is out of range" in task["warnings"]
    assert "and 480 more warnings from CIAO tools, see the log" in task["warnings"]
    assert len(task["warnings"]) < 30
    assert "row 499 is out of range" in site.log("deflare")


def test_a_traceback_of_something_else_harms_nothing(site: Site) -> None:
    site.ciao.fail("chandra_repro", Way.TRACEBACK)
    assert site.run().code == 0
    assert "No module named 'extra'" in site.log("chandra_repro")


def test_a_light_curve_without_good_time_is_excluded_and_not_a_failure(site: Site) -> None:
    site.write("  deflare: {min_length: 999}\n")
    answer = site.run("--json")
    assert answer.code == 0
    assert answer.outcomes[OBSID, "deflare"] == "excluded"
    reason = "there are no periods which pass the minlength (999) check"
    assert reason in answer.reasons(OBSID, "deflare")
    assert answer.outcomes[OBSID, "cleaned_chandra_evts"] == "excluded"


def test_missing_level_1_is_reported_before_anything_runs(site: Site) -> None:
    secondary = site.directory / "data" / str(OBSID) / "secondary"
    (flt1,) = secondary.glob("*flt1*")
    flt1.unlink()
    answer = site.run("--json")
    reason = "files that chandra_repro requires are missing: flt1; download them, or use engine: native"
    assert answer.reasons(OBSID, "chandra_repro") == reason
    assert not site.ciao.calls


def test_level_2_alone_is_for_the_native_engine(site: Site) -> None:
    shutil.rmtree(site.directory / "data" / str(OBSID) / "secondary")
    (site.directory / "data" / str(OBSID) / "oif.fits").unlink()
    answer = site.run("--json")
    assert "no level-1 events" in answer.reasons(OBSID, "chandra_repro")
    assert "engine: native" in answer.reasons(OBSID, "chandra_repro")
    assert site.run("--engine", "native").code == 0


def test_auto_never_replaces_products_of_ciao_by_native_ones(reduced_site: Site) -> None:
    site = reduced_site
    site.write(engine="auto")
    before = site.contents("deflare")
    answer = site.without_ciao("--json")
    assert set(answer.document["counts"]) == {"up_to_date"}
    site.write("  deflare: {allowed_sigma: 2.5}\n", engine="auto")
    planned = site.without_ciao("--json", command="plan")
    assert planned.outcomes[OBSID, "deflare"] == "refused"
    answer = site.without_ciao("--json")
    assert (answer.code, answer.outcomes[OBSID, "deflare"]) == (1, "failed")
    assert "these products were made with CIAO, which was not found" in answer.reasons(OBSID, "deflare")
    assert site.contents("deflare") == before
    assert site.run().code == 0
    assert site.contents("deflare") != before


def test_auto_accepts_native_products_and_says_that_engines_are_mixed(site: Site) -> None:
    site.write(engine="auto")
    assert site.without_ciao().code == 0
    assert set(site.run("--json").document["counts"]) == {"up_to_date"}
    answer = site.run("--force", "deflare")
    mixed = f"ObsID {OBSID} mixes engines: deflare by ciao; chandra_repro, cleaned_chandra_evts by native"
    assert f"warning: {mixed}" in answer.err
    assert f"note: {mixed}" in site.run(command="plan").out


def test_another_version_of_ciao_is_noted_and_refreshed_on_demand(reduced_site: Site) -> None:
    site = reduced_site
    assert "note" not in site.run(command="plan").out
    (site.ciao.path / "VERSION").write_text("CIAO 4.17.0 Friday, December 06, 2024\n")
    answer = site.run(command="plan")
    assert (
        "note: 3 tasks made with CIAO 4.16.0, here 4.17.0; use --refresh tools to make them again"
        in answer.out
    )
    assert set(site.run("--json", command="plan").document["counts"]) == {"up_to_date"}
    answer = site.run("--json", "--refresh", "tools")
    assert answer.outcomes[OBSID, "download"] == "up_to_date"
    assert answer.outcomes[OBSID, "chandra_repro"] == "done"
    assert "made with CIAO 4.16.0, here 4.17.0" in answer.reasons(OBSID, "deflare")
    assert "note" not in site.run(command="plan").out


def test_the_directory_may_be_one_that_ciao_cannot_take(
    tmp_path: Path,
    ciao: Ciao,
    chandra_run: Run,
    raw_data: Path,
    short_directory: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(task_process, "GRACE", 0.5)
    place = tmp_path / "Größe [1] & $HOME;'x"
    shutil.copytree(raw_data, place / "data")
    site = Site(place, chandra_run, ciao)
    environment = {**ciao.environment, "TMPDIR": str(short_directory)}
    answer = chandra_run(place / "recipe.yaml", "--json", env=environment)
    assert set(answer.outcomes.values()) == {"done"}, answer.out
    assert site.contents("cleaned_chandra_evts")
    assert not list(short_directory.glob("chandra-run-*"))
    ciao.fail("deflare", Way.HANG)
    site.write("  deflare: {timeout: 4 s}\n")
    answer = chandra_run(place / "recipe.yaml", "--json", "--force", "deflare", env=environment)
    assert answer.outcomes[OBSID, "deflare"] == "timed_out"
    assert not list(short_directory.glob("chandra-run-*"))


def test_raw_data_are_not_touched(site: Site) -> None:
    raw = site.directory / "data" / str(OBSID)
    before = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(raw.rglob("*"))}
    for folder, _, names in os.walk(raw):
        for name in names:
            os.chmod(os.path.join(folder, name), 0o444)
        os.chmod(folder, 0o555)
    try:
        assert site.run().code == 0
        after = {path: (path.stat().st_mtime_ns, path.stat().st_size) for path in sorted(raw.rglob("*"))}
        assert after == before
    finally:
        for folder, _, _ in os.walk(raw):
            os.chmod(folder, 0o755)
