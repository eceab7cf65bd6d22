"""Profiles: settings of the site, in their own file."""

from __future__ import annotations

from pathlib import Path

import pytest

from chandra_runner.cli.site_profile import Profile, load_profile
from chandra_runner.errors import RecipeError, UsageError
from chandra_runner.synthetic import write_observation

from ..ciao_standin.fixture import Ciao
from ..command_line import Run


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory."""
    directory = tmp_path / "home"
    directory.mkdir()
    (directory / ".config").mkdir()
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directory / ".config"))
    return directory


def write(path: Path, text: str) -> Path:
    """A profile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_without_a_profile_there_are_no_settings() -> None:
    assert load_profile(None) == Profile()


def test_paths_are_relative_to_the_file_or_in_the_home_directory(tmp_path: Path, home: Path) -> None:
    path = write(
        tmp_path / "site" / "p.yaml", "ciao: soft/ciao\ncores: 4\nmirror: https://mirror.example.org/x\n"
    )
    assert load_profile(path) == Profile(tmp_path / "site/soft/ciao", 4, "https://mirror.example.org/x")
    assert load_profile(write(path, "ciao: ~/ciao\n")).ciao == home / "ciao"


def test_the_users_own_profile_is_read_where_none_is_named(home: Path) -> None:
    write(home / ".config" / "chandra_runner" / "profile.yaml", "cores: 3\n")
    assert load_profile(None).cores == 3


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("cors: 2\n", "1:1: cors is not a key of a profile; did you mean cores?"),
        ("recipe: 1\n", "1:1: recipe is not a key of a profile; the keys are ciao, cores, mirror"),
        ("deflare: {}\n", "1:1: deflare is not a key of a profile; the keys are"),
        ("files: all\n", "1:1: files is not a key of a profile; the keys are"),
        ("cores: 0\n", ":1:8: "),
        ("cores: two\n", ":1:8: "),
        ("cores: 1\ncores: 2\n", ":2:1: "),
        ("mirror: mirror.example.org\n", "write a URL, such as"),
        ("- cores\n", ":1:1: "),
        ("ciao: [\n", ":"),
    ],
)
def test_what_is_wrong_is_reported_with_its_place(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(RecipeError) as refusal:
        load_profile(write(tmp_path / "p.yaml", text))
    assert problem in str(refusal.value), str(refusal.value)
    assert "p.yaml:" in str(refusal.value)


def test_a_missing_profile_is_a_wrong_command_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--profile: .*none\.yaml was not found"):
        load_profile(tmp_path / "none.yaml")


def test_the_profile_says_where_ciao_is_and_is_in_no_fingerprint(
    chandra_run: Run, ciao: Ciao, tmp_path: Path
) -> None:
    recipe = "recipe: 1\nobservations: [99002]\narchive: [sample]\nengine: ciao\nstages:\n  rate_image: {}\n"
    write(tmp_path / "recipe.yaml", recipe)
    nothing = {"ASCDS_INSTALL": "", "PATH": "/usr/bin:/bin"}
    assert chandra_run("plan", "recipe.yaml", env=nothing).code == 3
    write(tmp_path / "p.yaml", f"ciao: {ciao.path}\ncores: 2\n")
    answer = chandra_run("plan", "recipe.yaml", "--profile", "p.yaml", env=nothing)
    assert answer.code == 0, answer.err
    write(tmp_path / "p.yaml", "ciao: gone\n")
    answer = chandra_run("plan", "recipe.yaml", "--profile", "p.yaml", env=nothing)
    assert (answer.code, "correct the profile" in answer.err) == (3, True)


def test_the_mirror_of_the_profile_stands_in_for_the_archive_of_the_cxc(
    chandra_run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CDA_MIRROR_SITE", raising=False)
    write_observation(99002, tmp_path / "mirror" / "byobsid" / "2" / "99002")
    recipe = "recipe: 1\nobservations: [99002]\narchive: [cxc]\nstages:\n  prepare_chandra_info: {}\n"
    write(tmp_path / "recipe.yaml", recipe)
    write(tmp_path / "p.yaml", f"mirror: file://{tmp_path}/mirror\n")
    arguments = ("recipe.yaml", "--profile", "p.yaml", "--json")
    # The variable, which CIAO reads too, has precedence.
    nowhere = {"CDA_MIRROR_SITE": f"file://{tmp_path}/nowhere"}
    answer = chandra_run(*arguments, env=nowhere)
    assert (answer.code, "nowhere" in answer.reasons(99002, "download")) == (1, True)
    assert chandra_run(*arguments).code == 0
    assert list((tmp_path / "data" / "99002").rglob("*_evt1.fits.gz"))
