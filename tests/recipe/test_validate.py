"""Broken recipes: every one is refused, with a place and words that a person understands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from chandra_runner.cli.main import main
from chandra_runner.errors import ExitCode, RecipeError
from chandra_runner.recipe.recipe import load_recipe

BROKEN = Path(__file__).parent / "broken_recipes"
"""Each file ends with the messages that it must give, as comments that begin with #!."""

RECIPES = sorted(BROKEN.glob("*.yaml"))
GOOD = "recipe: 1\nobservations: [754]\nstages: {cleaned_chandra_evts: {}}\n"


def expected(recipe: Path) -> list[str]:
    lines = recipe.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix("#! ") for line in lines if line.startswith("#! ")]


def messages(path: Path) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        load_recipe(path)
    return str(caught.value).splitlines()


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_there_are_more_than_a_hundred_broken_recipes() -> None:
    assert len(RECIPES) > 100
    assert all(expected(recipe) for recipe in RECIPES)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.stem)
def test_a_broken_recipe_is_refused_with_all_its_problems(
    recipe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(BROKEN)
    found = messages(Path(recipe.name))
    assert found == expected(recipe)
    for message in found:
        assert re.match(r"[\w./]+\.yaml:[1-9][0-9]*:[1-9][0-9]*: .+; .+", message), message


@pytest.mark.parametrize("name", ["many_problems", "yaml_bracket", "extends_cycle", "obsid_leading_zero"])
def test_the_command_line_prints_the_problems_and_no_traceback(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(BROKEN)
    assert main(["validate", f"{name}.yaml"]) == ExitCode.USAGE
    printed = capsys.readouterr()
    assert printed.err.splitlines() == expected(BROKEN / f"{name}.yaml")
    assert printed.out == ""


def test_a_path_that_is_not_a_file_is_refused(tmp_path: Path) -> None:
    assert messages(tmp_path / "none.yaml")[0].startswith(f"{tmp_path}/none.yaml:1:1: the file was not found")
    assert "is a directory, not a file" in messages(tmp_path)[0]
    written(tmp_path, GOOD)
    assert "did you mean recipe.yaml?" in messages(tmp_path / "recpie.yaml")[0]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "1:1: the recipe is empty; write recipe: 1, observations: [...]"),
        (GOOD.encode("utf-16"), "1:1: byte 0xff is not UTF-8"),
        (b"recipe: 1\ntitle: Andromeda caf\xe9\n", "2:21: byte 0xe9 is not UTF-8"),
        (b"recipe: 1\ntitle: a\x00b\n", "2:9: a control character"),
        (b"[" * 100_000, "1:22: nested deeper than 20 levels"),
        (b"\x1f\x8b\x08\x00gzip", "byte 0x8b is not UTF-8"),
        (b"#" * 5_000_000, "is larger than 4 MB"),
    ],
    ids=["empty", "utf-16", "latin-1", "nul", "deep", "gzip", "large"],
)
def test_a_file_that_is_not_a_recipe_is_refused(tmp_path: Path, data: bytes, words: str) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_bytes(data)
    (message,) = messages(path)
    assert words in message


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (message,) = messages(written(tmp_path, "\n".join(lines)))
    assert "the aliases expand to more than" in message


def test_a_chain_of_parents_ends_somewhere(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"p{number}.yaml").write_text(f"extends: p{number + 1}.yaml\n")
    found = messages(written(tmp_path, GOOD + "extends: p0.yaml\n"))
    assert "more than 10 recipes in a chain" in found[0]


def test_parents_that_multiply_end_somewhere(tmp_path: Path) -> None:
    for number in range(9):
        twice = f"[p{number + 1}.yaml, p{number + 1}.yaml]"
        (tmp_path / f"p{number}.yaml").write_text(f"extends: {twice}\n" if number < 8 else "recipe: 1\n")
    found = messages(written(tmp_path, GOOD + "extends: p0.yaml\n"))
    assert all("more than 50 recipe files" in message for message in found)


def test_a_file_without_read_permission_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(tmp_path, GOOD)

    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert "cannot be read: Permission denied" in messages(path)[0]


def test_a_mistake_in_one_setting_hides_none_in_another_stage(tmp_path: Path) -> None:
    stages = "stages:\n  deflare: {allowed_sigma: x}\n  cleaned_chandra_evts: {lo_en: 1 eV}\n"
    found = messages(written(tmp_path, f"recipe: 1\nobservations: [754]\n{stages}"))
    assert len(found) == 2
    assert "allowed_sigma" in found[0]
    assert "lo_en is given without hi_en" in found[1]


def test_one_wrong_value_gives_one_problem(tmp_path: Path) -> None:
    found = messages(written(tmp_path, GOOD + "archive: 7\nengine: true\n"))
    assert len(found) == 2
