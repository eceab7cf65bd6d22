"""The command line: what it answers, where it writes it, and with which exit code."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chandra_runner import __version__
from chandra_runner.cli.main import main

from ..command_line import Run
from ..conftest import ProbeProject

COMMANDS = ("run", "plan", "validate", "status", "verify", "export", "stages", "init", "find")

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
        assert f"\n    {name} " in answer.out
    text = " ".join(answer.out.split())
    for code in ("0 all done", "1 some tasks failed", "2 the recipe", "3 the environment", "130 interrupted"):
        assert code in text


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(chandra_run: Run, name: str) -> None:
    answer = chandra_run(name, "--help")
    assert (answer.code, answer.err) == (0, "")
    assert answer.out.startswith(f"usage: chandra-run {name} ")
    assert chandra_run("help", name) == answer


def test_help_alone_is_the_help_of_the_program(chandra_run: Run) -> None:
    assert chandra_run("help") == chandra_run("--help") == chandra_run("-h")


def test_help_imports_no_heavy_library() -> None:
    code = (
        "import sys, contextlib\nfrom chandra_runner.cli.main import main\n"
        "with contextlib.suppress(SystemExit): main(['--help'])\n"
        "heavy = {'astropy', 'numpy', 'networkx', 'jsonschema', 'matplotlib', 'rich', 'yaml'}\n"
        "sys.exit(', '.join(heavy & sys.modules.keys()) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_version_is_printed(chandra_run: Run) -> None:
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
        ["recipe.yaml", "another.yaml"],
        ["plan", "recipe.yaml", "--check-archives"],
        ["--cores", "-2", "recipe.yaml"],
        ["help", "vaildate"],
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


@pytest.mark.parametrize("arguments", [["recipe.yaml"], ["run", "recipe.yaml"], ["-q", "recipe.yaml"]])
def test_a_recipe_without_a_command_is_run(probe: ProbeProject, arguments: list[str]) -> None:
    probe.write("stages:\n  probe: {}\n")
    assert probe.call(*arguments, env=probe.environment).code == 0
    assert probe.product(11, "probe/count.txt").exists()


@pytest.mark.parametrize("name", ["vaildate", "recipe", "Größe", "run.yaml", "-", "a b"])
def test_a_recipe_may_have_any_name(chandra_run: Run, tmp_path: Path, name: str) -> None:
    write(tmp_path).rename(tmp_path / name)
    assert chandra_run(name, "--dry-run").code == 0
    assert chandra_run("run", name, "--dry-run").code == 0


def test_a_recipe_with_the_name_of_a_command_is_run_by_its_path_or_by_run(
    chandra_run: Run, tmp_path: Path
) -> None:
    write(tmp_path).rename(tmp_path / "status")
    assert chandra_run("./status", "--dry-run").code == 0
    assert chandra_run("run", "status", "--dry-run").code == 0
    assert "RECIPE" in chandra_run("status").err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["vaildate", "r.yaml"], "there is no command vaildate; did you mean validate?"),
        (["Plan", "r.yaml"], "there is no command Plan; did you mean plan?"),
        (["help", "stage"], "there is no command stage; did you mean stages?"),
        (["abell1795"], "there is no command abell1795; there is no file of that name either; "),
        (["plan", "r.yaml", "--cors=3"], "chandra-run plan has no option --cors; did you mean --cores?"),
        (
            ["r.yaml", "--no-progres"],
            "chandra-run run has no option --no-progres; did you mean --no-progress?",
        ),
        (["validate", "--fail-fast", "r.yaml"], "chandra-run validate has no option --fail-fast; "),
        (["no_such_file.yaml"], "no_such_file.yaml"),
        (["./vaildate"], "vaildate:1:1: the file was not found"),
        (["plan"], "the following arguments are required: RECIPE; see chandra-run plan --help"),
        ([], "a recipe or a command is required; see chandra-run --help"),
    ],
)
def test_a_mistyped_command_line_is_answered_with_what_was_meant(
    chandra_run: Run, arguments: list[str], message: str
) -> None:
    answer = chandra_run(*arguments)
    assert (answer.code, answer.out) == (2, "")
    assert message in answer.err
    assert answer.err.count("\n") == 1


def test_errors_of_the_operating_system_are_put_into_words(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def fail(*_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), "secret.yaml")

    monkeypatch.setattr("chandra_runner.cli.project.load_profile", fail)
    assert main(["plan", str(write(tmp_path))]) != 0
    assert capsys.readouterr().err == "secret.yaml: Permission denied\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (".", ". is a directory; add the name of a file"),
        ("no/such/script.sh", "no/such/script.sh: there is no directory no/such; create it first"),
    ],
)
def test_a_script_that_cannot_be_there_is_refused(
    chandra_run: Run, tmp_path: Path, name: str, message: str
) -> None:
    write(tmp_path)
    answer = chandra_run("export", "recipe.yaml", "-o", name)
    assert (answer.code, answer.out, answer.err) == (2, "", f"{message}\n")


def test_an_exported_script_replaces_the_old_one_and_keeps_links_and_permissions(
    chandra_run: Run, chandra_run_process: Run, tmp_path: Path
) -> None:
    write(tmp_path)
    assert chandra_run("recipe.yaml", "--stage", "download").code == 0
    printed = chandra_run("export", "recipe.yaml").out
    script, link = tmp_path / "script.sh", tmp_path / "link.sh"
    script.write_text("old")
    script.chmod(0o750)
    link.symlink_to(script.name)
    assert chandra_run("export", "recipe.yaml", "-o", "script.sh").code == 0
    assert script.read_text() == printed
    script.write_text("old")
    assert chandra_run("export", "recipe.yaml", "-o", "link.sh").code == 0
    assert script.read_text() == printed
    assert (link.is_symlink(), script.stat().st_mode & 0o777) == (True, 0o750)
    assert chandra_run_process("export", "recipe.yaml", "-o", "/dev/stdout").out == printed
    assert not list(tmp_path.glob(".*"))


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


def test_quiet_prints_only_warnings_and_errors(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    answer = probe.run("-q")
    assert answer.out == ""
    assert answer.err.count("\n") == 1  # the broken plugin's warning
    assert "chandra-runner-broken 0.0.7" in answer.err


def test_verbose_says_why_tasks_run(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    assert "11 probe: starts: never made" in probe.run("-v").err
    assert "11 probe: up to date" in probe.run("-v").err


def test_ciao_is_refused_where_there_is_none(chandra_run: Run, tmp_path: Path) -> None:
    write(tmp_path)
    for command in (["recipe.yaml"], ["plan", "recipe.yaml"]):
        answer = chandra_run(*command, "--engine", "ciao", env={"ASCDS_INSTALL": "", "PATH": ""})
        assert answer.code == 3
        assert "requires CIAO, but CIAO was not found (no $ASCDS_INSTALL, no dmcopy on PATH" in answer.err
        assert "conda create" in answer.err
        assert "engine: native" in answer.err


def test_paths_may_have_spaces_brackets_and_umlauts(chandra_run: Run, tmp_path: Path) -> None:
    place = tmp_path / "Größe [1] & $HOME;'x"
    place.mkdir()
    write(place)
    answer = chandra_run(place / "recipe.yaml", "--json")
    assert set(answer.outcomes.values()) == {"done"}


def test_a_closed_pipe_is_not_an_error(tmp_path: Path) -> None:
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
