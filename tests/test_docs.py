"""What the documentation shows is what the program does."""

from __future__ import annotations

import os
import re
from pathlib import Path

from .command_line import Run

ROOT = Path(__file__).parents[1]


def test_the_docs_page_of_the_stages_is_current(chandra_run: Run) -> None:
    # Plugins that happen to be installed where the tests run are no part of it.
    answer = chandra_run("stages", "--markdown", env={"PYTHONPATH": os.environ.get("PYTHONPATH", "")})
    assert (ROOT / "docs" / "stages.md").read_text(encoding="utf-8") == answer.out


def test_links_of_the_readme_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_the_recipe_in_the_readme_is_valid(chandra_run: Run, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    assert chandra_run("validate", "recipe.yaml").code == 0


def test_the_problem_shown_in_the_readme_is_the_one_reported(chandra_run: Run, tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (shown,) = re.findall(r"^\$ chandra-run validate recipe.yaml\n(.*)\n```", text, re.MULTILINE)
    wrong = recipe.replace("allowed_sigma", "alowed_sigma")
    (tmp_path / "recipe.yaml").write_text(wrong, encoding="utf-8")
    assert chandra_run("validate", "recipe.yaml").err == f"{shown}\n"
