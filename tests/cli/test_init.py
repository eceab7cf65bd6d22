"""``chandra-run init``: a recipe to start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from chandra_runner.recipe.recipe import load_recipe

from ..command_line import Run


def test_the_recipe_to_start_from_is_valid(chandra_run: Run, tmp_path: Path) -> None:
    answer = chandra_run("init")
    assert (answer.code, answer.out, answer.err) == (
        0,
        "written to recipe.yaml; edit it, then: chandra-run validate recipe.yaml\n",
        "",
    )
    recipe = load_recipe(tmp_path / "recipe.yaml")
    assert recipe.observations == (493, 494)
    assert recipe.stages[-1] == "rate_image"
    assert chandra_run("validate", "recipe.yaml").code == 0


def test_what_it_proposes_in_comments_is_valid_too(chandra_run: Run, tmp_path: Path) -> None:
    chandra_run("init", "mine.yaml")
    text = (tmp_path / "mine.yaml").read_text()
    text = text.replace("# per_observation", "per_observation").replace("#   4", "  4")
    (tmp_path / "mine.yaml").write_text(text)
    assert load_recipe(tmp_path / "mine.yaml").settings(493, "deflare").method == "clean"


@pytest.mark.parametrize("name", ["there.yaml", "no/such/directory.yaml", "."])
def test_nothing_is_overwritten(chandra_run: Run, tmp_path: Path, name: str) -> None:
    (tmp_path / "there.yaml").write_text("mine")
    answer = chandra_run("init", name)
    assert (answer.code, answer.out) == (2, "")
    assert name in answer.err or "exists" in answer.err
    assert (tmp_path / "there.yaml").read_text() == "mine"
