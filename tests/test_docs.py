"""What the documentation shows is what the program does; links in it lead somewhere."""

from __future__ import annotations

import os
import re
import runpy
import tomllib
from importlib import import_module
from pathlib import Path

import pytest
import yaml

import chandra_runner

from .command_line import Run

ROOT = Path(__file__).parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_the_docs_page_of_the_stages_is_current(chandra_run: Run) -> None:
    # Plugins that happen to be installed where the tests run are no part of it.
    answer = chandra_run("stages", "--markdown", env={"PYTHONPATH": os.environ.get("PYTHONPATH", "")})
    assert read("docs/stages.md") == answer.out


def test_pages_that_are_made_from_parser_schemas_and_examples_are_current() -> None:
    assert runpy.run_path(str(ROOT / "tools" / "generate_docs.py"))["main"](["--check"]) == 0


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    links = re.findall(r"\]\(([^)#:\s]+)(?:#[^)\s]*)?\)", read(page))
    missing = [link for link in links if not ((ROOT / page).parent / link).exists()]
    assert missing == []


@pytest.mark.parametrize("page", ["README.md", "docs/reference/recipe.md"])
def test_recipes_that_are_shown_are_valid(page: str, chandra_run: Run, tmp_path: Path) -> None:
    (recipe,) = re.findall(r"```yaml\n(.*?)```", read(page), re.DOTALL)
    (tmp_path / "recipe.yaml").write_text(recipe, encoding="utf-8")
    assert chandra_run("validate", "recipe.yaml").code == 0


def test_the_problem_shown_in_the_readme_is_reported_so(chandra_run: Run, tmp_path: Path) -> None:
    text = read("README.md")
    (recipe,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (shown,) = re.findall(r"^\$ chandra-run validate recipe.yaml\n(.*)\n```", text, re.MULTILINE)
    wrong = recipe.replace("allowed_sigma", "alowed_sigma")
    (tmp_path / "recipe.yaml").write_text(wrong, encoding="utf-8")
    assert chandra_run("validate", "recipe.yaml").err == f"{shown}\n"


def test_the_api_page_has_every_public_name_and_no_other() -> None:
    described = re.findall(r"^::: (\S+)$", read("docs/reference/api.md"), re.MULTILINE)
    public = {getattr(chandra_runner, name) for name in chandra_runner.__all__ if name != "__version__"}
    objects = {_import(path) for path in described}
    assert objects - {_import("chandra_runner.planning.products.Products")} == public


def _import(path: str) -> object:
    module, _, name = path.rpartition(".")
    return vars(import_module(module))[name]


def test_the_citation_has_the_version_of_the_package() -> None:
    assert yaml.safe_load(read("CITATION.cff"))["version"] == chandra_runner.__version__


def test_the_import_contracts_name_every_stage_package() -> None:
    contracts = tomllib.loads(read("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    (protected,) = [
        contract["protected_modules"] for contract in contracts if contract["type"] == "protected"
    ]
    packages = (ROOT / "chandra_runner" / "stages").glob("*/__init__.py")
    assert sorted(protected) == sorted(f"chandra_runner.stages.{path.parent.name}" for path in packages)
