"""Tutorial, Python page and plugin guide, followed step by step."""

from __future__ import annotations

import doctest
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .command_line import Run

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with a copy of the recipes, as a checkout has them."""
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes", ignore=shutil.ignore_patterns("quickstart"))
    return tmp_path


def test_the_tutorial_and_the_python_page_can_be_followed(
    project: Path, chandra_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    tutorial = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    (name, text), *_ = re.findall(r"<!-- file (\S+) -->\n```yaml\n(.*?)```", tutorial, re.DOTALL)
    Path(name).write_text(text, encoding="utf-8")
    commands = "".join(re.findall(r"<!-- run -->\n```sh\n(.*?)```", tutorial, re.DOTALL)).splitlines()
    assert len(commands) == 7
    # One of the three observations shows all of it.
    answers = [chandra_run(*shlex.split(command)[1:], "--only", "99001") for command in commands]
    assert [answer.code for answer in answers] == [0] * len(commands)
    *_, again, stricter, changed, _ = answers
    assert "nothing to do" in again.out
    assert re.search(r"deflare +run +setting allowed_sigma: 3(\.0)? -> 2.5", stricter.out)
    assert "6 tasks: 1 done, 5 up to date" in changed.out
    _check_python_page(project)


def _check_python_page(project: Path) -> None:
    failed, tried = doctest.testfile(str(DOCS / "python.md"), module_relative=False)
    assert tried
    assert not failed
    text = (DOCS / "python.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(from .*?)```", text, re.DOTALL)
    small = "recipe: 1\nextends: quickstart.yaml\nobservations: [99001]\nstages: {rate_image: null}\n"
    (project / "recipes" / "small.yaml").write_text(small)
    (project / "script.py").write_text(script.replace("quickstart.yaml", "small.yaml"))
    done = subprocess.run([sys.executable, "script.py"], capture_output=True, text=True, check=True)
    assert [line.split()[:2] for line in done.stdout.splitlines()][-1] == ["99001", "cleaned_chandra_evts"]


def test_the_mistake_shown_in_the_tutorial_is_reported_so(project: Path, chandra_run: Run) -> None:
    tutorial = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    ((name, text),) = re.findall(r"<!-- file (\S+) -->\n```yaml\n(.*?)```", tutorial, re.DOTALL)
    (project / name).write_text(text.replace("allowed_sigma", "allowed_sgma"))
    (shown,) = re.findall(r"^recipes/stricter.yaml:.*$", tutorial, re.MULTILINE)
    assert chandra_run("validate", name).err == f"{shown}\n"


def test_the_example_plugin_can_be_installed_and_runs(chandra_run: Run, tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "plugins"
    shutil.copytree(ROOT / "examples" / "plugin", source)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--no-build-isolation", "--target", target, source], check=True)
    guide = (DOCS / "plugins.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"<!-- recipe -->\n```yaml\n(.*?)```", guide, re.DOTALL)
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    answer = chandra_run("recipe.yaml", "--json", env={"PYTHONPATH": str(target)})
    assert answer.outcomes[99001, "band_counts"] == "done"
    table = (tmp_path / "products/99001/band_counts/band_counts.ecsv").read_text().splitlines()
    rows = [line.split() for line in table if not line.startswith("#")]
    assert rows[0] == ["exposure", "low", "high", "counts", "rate"]
    assert [row[:3] for row in rows[1:]] == [["E001", "0.5", "2.0"], ["E001", "2.0", "7.0"]]
    assert all(int(row[3]) > 1000 for row in rows[1:])
    wrong = recipe.replace("2 keV", "0.2 keV")
    (tmp_path / "recipe.yaml").write_text(wrong, encoding="utf-8")
    refused = chandra_run("validate", "recipe.yaml", env={"PYTHONPATH": str(target)})
    assert "recipe.yaml:6:34: edges: 0.2 keV is not above 0.5 keV" in refused.err
