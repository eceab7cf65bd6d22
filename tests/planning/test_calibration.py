"""Calibration files are inputs: another one makes the products out of date, and the plan names it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from astropy.io import fits

from chandra_runner.planning.fingerprint import FingerprintParts, differences
from chandra_runner.stages.registry import get

from ..caldb import CONTAMINATION, MIRROR, QE, add_mirror, make_caldb
from ..command_line import Answer, run_in_process

OBSID = 28229
"""Flight data of 25 ks with a few thousand events: chips 6 and 7, 128 rows."""
RECIPE = f"""\
recipe: 1
observations: [{OBSID}]
data: data
products: products
archive: [none]
engine: native
stages:
  flux_image: {{bands: [broad], xygrid: "3800:4400:20,3800:4400:20", effective_area: caldb, psf_ecf: null}}
"""


class Project:
    """A recipe, data and a CALDB of their own, as a user has them."""

    def __init__(self, directory: Path, data: Path) -> None:
        self.directory, self.caldb = directory, directory / "caldb"
        (directory / "data").mkdir()
        (directory / "data" / str(OBSID)).symlink_to(data / f"real/{OBSID}")
        (directory / "recipe.yaml").write_text(RECIPE)
        make_caldb(self.caldb, data, [6, 7])

    def call(self, *arguments: str, caldb: str | None = None) -> Answer:
        """Call ``chandra-run`` with the CALDB, or with another one."""
        return run_in_process(
            self.directory, arguments, {"CALDB": str(self.caldb) if caldb is None else caldb}
        )

    def plan(self) -> tuple[str, list[str]]:
        """Outcome and reasons of the task that reads calibration files."""
        tasks = self.call("plan", "recipe.yaml", "--json").document["tasks"]
        (task,) = [task for task in tasks if task["stage"] == "flux_image"]
        return task["outcome"], task["reasons"]

    def products(self) -> Path:
        return self.directory / "products" / str(OBSID) / "flux_image"

    def mirror(self) -> Path:
        return self.caldb / "data/chandra/default/axeffa" / MIRROR

    def peak(self) -> float:
        """The largest exposure, cm2 s count/photon."""
        return float(fits.getdata(next(self.products().glob("*.expmap"))).max())


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Project:
    """A project with products."""
    project = Project(tmp_path_factory.mktemp("calibration"), shared_data)
    assert project.call("recipe.yaml").code == 0
    return project


@pytest.fixture
def project(made: Project, tmp_path: Path) -> Project:
    """A copy of the project for one test."""
    copy = tmp_path / "copy"
    shutil.copytree(made.directory, copy, symlinks=True)
    own = Project.__new__(Project)
    own.directory, own.caldb = copy, copy / "caldb"
    return own


def test_the_files_are_inputs_of_the_manifest_and_in_the_history_of_the_products(made: Project) -> None:
    manifest = json.loads((made.products() / "manifest.json").read_text())
    used = [name for name in manifest["parts"]["inputs"] if name.startswith("calibration/")]
    assert sorted(used) == sorted(f"calibration/{name}" for name in (MIRROR, QE, CONTAMINATION))
    history = str(fits.getheader(next(made.products().glob("*.expmap")))["HISTORY"]).replace("\n", "")
    for name in (MIRROR, QE, CONTAMINATION):
        assert f"calibration file {name}" in history


def test_the_same_files_elsewhere_rerun_nothing(project: Project) -> None:
    assert project.plan() == ("up_to_date", [])


def test_another_file_of_the_same_name_makes_new_products(project: Project) -> None:
    before = project.peak()
    project.mirror().unlink()
    add_mirror(project.caldb, scale=5.3)
    assert project.plan() == ("run", [f"calibration file {MIRROR} changed"])
    assert project.call("recipe.yaml").code == 0
    assert project.peak() == pytest.approx(5.3 * before, rel=1e-6)
    assert project.plan() == ("up_to_date", [])


def test_a_newer_version_replaces_the_older_one(project: Project) -> None:
    newer = MIRROR.replace("N0008", "N0009")
    add_mirror(project.caldb, newer)
    assert project.plan() == (
        "run",
        [f"calibration file {MIRROR} is gone", f"calibration file {newer} is new"],
    )


def test_an_older_version_beside_the_newest_changes_nothing(project: Project) -> None:
    add_mirror(project.caldb, MIRROR.replace("N0008", "N0007"), scale=9.0)
    assert project.plan() == ("up_to_date", [])


def test_another_content_of_an_arf_is_told_in_words() -> None:
    made, now = (
        FingerprintParts("flux_image", 1, "native", {"effective_area": f"sha256:{digest}"}, {})
        for digest in ("1" * 64, "2" * 64)
    )
    told = list(differences(made, now, get("flux_image")))
    assert told == ["setting effective_area: the content of the file changed"]


@pytest.mark.parametrize("command", ["validate", "plan", "recipe.yaml"])
@pytest.mark.parametrize("caldb", ["", "/nowhere"])
def test_without_the_caldb_nothing_starts_and_the_ways_out_are_named(
    project: Project, command: str, caldb: str
) -> None:
    arguments = [command] if command == "recipe.yaml" else [command, "recipe.yaml"]
    answer = project.call(*arguments, caldb=caldb)
    assert answer.code == 2
    assert "recipe.yaml:8:" in answer.err
    for way in ("ARF file", "$CALDB", "engine: ciao"):
        assert way in answer.err
