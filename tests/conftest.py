"""What the tests share: the reference data, plugins, and the command line as its users call it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .ciao_standin.fixture import ciao

__all__ = ["ciao"]

TESTS = Path(__file__).parent
SHARED = Path(os.environ.get("CHANDRA_RUNNER_SHARED", TESTS.parents[1] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The reference data; tests that need them skip where they are not."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip(f"no reference data at {data}")
    return data


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Its JSON; fails where there is anything else on standard output."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def outcomes(self) -> dict[tuple[int, str], str]:
        """Outcome by observation and stage."""
        return {(t["observation"], t["stage"]): t["outcome"] for t in self.document["tasks"]}

    def reasons(self, observation: int, stage: str) -> str:
        """The reasons of one task, in one text."""
        tasks = self.document["tasks"]
        found = [t for t in tasks if (t["observation"], t["stage"]) == (observation, stage)]
        return "; ".join(found[0]["reasons"])


Run = Callable[..., Answer]


@pytest.fixture
def chandra_run(tmp_path: Path) -> Run:
    """Calls ``chandra-run`` in a process of its own, in an empty directory, and gives its answer."""

    def call(*arguments: str | Path, env: Mapping[str, str] | None = None) -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "chandra_runner", *map(str, arguments)],
            cwd=tmp_path,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return Answer(done.returncode, done.stdout, done.stderr)

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
    """A project whose stages do what they are told, well or badly."""
    project = ProbeProject(tmp_path, chandra_run, {"PYTHONPATH": str(plugins)})
    project.add_data(11)
    return project
