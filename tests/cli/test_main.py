"""The command line: what it answers, where it writes it, and with which exit code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chandra_runner import __version__
from chandra_runner.cli.main import COMMANDS

from ..conftest import ProbeProject, Run

LIGHT = "recipe: 1\nobservations: [99002]\narchive: [sample]\ndata: data\nproducts: products\n"


def write(directory: Path, text: str = "stages:\n  deflare: {}\n") -> Path:
    """A recipe for a synthetic observation."""
    path = directory / "recipe.yaml"
    path.write_text(LIGHT + text)
    return path


def test_help_names_all_commands_and_exit_codes(chandra_run: Run) -> None:
    answer = chandra_run("--help")
    assert answer.code == 0
    for name in COMMANDS:
        assert name in answer.out
    for code in ("0 all done", "1 some tasks failed", "2 the recipe", "3 the environment", "130 interrupted"):
        assert code in answer.out


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(chandra_run: Run, name: str) -> None:
    assert chandra_run(name, "--help").code == 0


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys, contextlib\nfrom chandra_runner.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "heavy = {'astropy', 'numpy', 'networkx', 'jsonschema', 'matplotlib', 'rich', 'yaml'}\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_version_is_told(chandra_run: Run) -> None:
    assert chandra_run("--version").out.strip() == f"chandra_runner {__version__}"


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["recipe.yaml", "--cores", "0"],
        ["recipe.yaml", "--cores", "many"],
        ["recipe.yaml", "--only", "Cas A"],
        ["recipe.yaml", "--only", "1"],
        ["recipe.yaml", "--engine", "idl"],
        ["recipe.yaml", "--stage", "nonsense"],
        ["recipe.yaml", "--force", "rate_image"],
        ["recipe.yaml", "--no-such-option"],
        ["no_such_file.yaml"],
        ["validate", "no_such_file.yaml"],
        ["stages", "nonsense"],
        ["."],
    ],
)
def test_a_wrong_command_line_is_exit_2(chandra_run: Run, tmp_path: Path, arguments: list[str]) -> None:
    write(tmp_path)
    answer = chandra_run(*arguments)
    assert answer.code == 2
    assert answer.err
    assert not answer.out
    assert not (tmp_path / "products").exists()


def test_validate_counts_the_observations_of_a_valid_recipe(chandra_run: Run, tmp_path: Path) -> None:
    write(tmp_path)
    answer = chandra_run("validate", "recipe.yaml")
    assert (answer.code, answer.out) == (0, "recipe.yaml: valid; 1 observation, up to deflare\n")


def test_validate_json_lists_problems_with_their_places(chandra_run: Run, tmp_path: Path) -> None:
    write(tmp_path, "stages:\n  deflare: {methd: sigma}\n")
    answer = chandra_run("validate", "recipe.yaml", "--json")
    assert answer.code == 2
    (problem,) = answer.document["problems"]
    assert (problem["file"], problem["line"], problem["column"]) == ("recipe.yaml", 7, 13)
    assert problem["hint"] == "did you mean method?"


def test_run_json_is_all_there_is_on_standard_output(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {behave: fail}\n")
    answer = probe.run("--json", "-v")
    task = answer.document["tasks"][1]
    assert set(task) == {"observation", "stage", "outcome", "reasons", "seconds", "warnings"}
    assert answer.document["counts"] == {"done": 1, "failed": 1}


def test_quiet_says_nothing_but_warnings_and_errors(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    answer = probe.run("-q")
    assert answer.out == ""
    assert answer.err.count("\n") == 1  # the broken plugin's warning
    assert "chandra-runner-broken 0.0.7" in answer.err


def test_verbose_tells_why_tasks_run(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    assert "11 probe: starts: never made" in probe.run("-v").err
    assert "11 probe: up to date" in probe.run("-v").err


def test_ciao_is_refused_where_there_is_none(chandra_run: Run, tmp_path: Path) -> None:
    write(tmp_path)
    for command in (["recipe.yaml"], ["plan", "recipe.yaml"]):
        answer = chandra_run(*command, "--engine", "ciao", env={"ASCDS_INSTALL": "", "PATH": ""})
        assert answer.code == 3
        assert "needs CIAO, which is not here (no $ASCDS_INSTALL, no dmcopy on PATH" in answer.err
        assert "conda create" in answer.err
        assert "engine: native" in answer.err


def test_paths_with_spaces_brackets_and_umlauts_are_no_trouble(chandra_run: Run, tmp_path: Path) -> None:
    place = tmp_path / "Größe [1] & $HOME;'x"
    place.mkdir()
    write(place)
    answer = chandra_run(place / "recipe.yaml", "--json")
    assert set(answer.outcomes.values()) == {"done"}


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    write(tmp_path)
    with subprocess.Popen(
        [sys.executable, "-m", "chandra_runner", "plan", "recipe.yaml"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as plan:
        assert plan.stdout is not None
        assert plan.stderr is not None
        plan.stdout.close()
        assert plan.stderr.read() == b""
        assert plan.wait(60) == 0
