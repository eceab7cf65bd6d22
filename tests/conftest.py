"""What the tests share: the reference data, plugins, and the command line as its users call it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from .ciao_standin.fixture import ciao, ciao_path
from .command_line import Answer, Run, run_in_process, run_process

__all__ = ["Answer", "Run", "ciao", "ciao_path"]

TESTS = Path(__file__).parent
SHARED = Path(os.environ.get("CHANDRA_RUNNER_SHARED", TESTS.parents[1] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The reference data; tests that need them skip where they are not."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip(f"no reference data at {data}")
    return data


@pytest.fixture
def chandra_run(tmp_path: Path) -> Run:
    """Call ``chandra-run`` in an empty directory, inside this process, and return its answer."""

    def call(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Answer:
        return run_in_process(tmp_path, arguments, env)

    return call


@pytest.fixture
def chandra_run_process(tmp_path: Path) -> Run:
    """Call ``chandra-run`` in an empty directory, in a process of its own: for tests of the process."""

    def call(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Answer:
        return run_process(tmp_path, arguments, env)

    return call


@pytest.fixture(scope="session")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory into which the two test distributions, one of them broken, were installed with pip."""
    target = tmp_path_factory.mktemp("plugins")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    sources = [TESTS / "plugins" / "working", TESTS / "plugins" / "broken"]
    subprocess.run([*pip, "--no-build-isolation", "--target", target, *sources], check=True)
    return target


@dataclass(frozen=True)
class ProbeProject:
    """A directory with a recipe for the probe stages, and small files as raw data."""

    directory: Path
    call: Run
    environment: Mapping[str, str]

    def write(self, text: str, observations: str = "[11]") -> None:
        """Write the recipe; `text` is indented below ``stages:`` or stands for itself."""
        head = f"recipe: 1\nobservations: {observations}\ndata: data\nproducts: products\narchive: [none]\n"
        (self.directory / "recipe.yaml").write_text(head + text)

    def add_data(self, *obsids: int) -> None:
        """Make an ObsID directory for each."""
        for obsid in obsids:
            primary = self.directory / "data" / str(obsid) / "primary"
            primary.mkdir(parents=True)
            (primary / f"acisf{obsid:05d}N001_evt2.fits").write_bytes(b"events of %d" % obsid)

    def run(self, *arguments: str | Path) -> Answer:
        """``chandra-run recipe.yaml`` with the plugins installed."""
        return self.call("recipe.yaml", *arguments, env=self.environment)

    def plan(self, *arguments: str) -> Answer:
        """``chandra-run plan recipe.yaml --json``."""
        return self.call("plan", "recipe.yaml", "--json", *arguments, env=self.environment)

    def product(self, obsid: int, name: str) -> Path:
        """Path of a product."""
        return self.directory / "products" / str(obsid) / name


@pytest.fixture
def probe(tmp_path: Path, chandra_run: Run, plugins: Path) -> ProbeProject:
    """A project with stages that work or fail as its recipe says."""
    project = ProbeProject(tmp_path, chandra_run, {"PYTHONPATH": str(plugins)})
    project.add_data(11)
    return project


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Run one process more than there are cores, for tests that wait for servers and processes."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share the tests among processes so that what takes long to make is made once."""
    from .scheduling import make_scheduler

    return make_scheduler(config, log)
