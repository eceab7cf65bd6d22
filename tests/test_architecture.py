"""The architecture page shows the rooms that there are, and leads to files that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")


def layers() -> list[str]:
    """The rooms in the order that import-linter enforces."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (rows,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    return [name for row in rows for name in re.split(r"\s*[|:]\s*", row)]


def test_the_picture_shows_the_rooms_in_the_order_that_is_enforced() -> None:
    shown = re.findall(r"^    \w+\[\"<b>(\w+)</b>", PAGE, flags=re.MULTILINE)
    base = re.search(r"base\[\"([\w, ]+)\"\]", PAGE)
    assert base
    assert shown + base[1].split(", ") == layers()


def test_every_package_is_a_room() -> None:
    packages = {path.parent.name for path in (ROOT / "chandra_runner").glob("*/__init__.py")}
    assert packages <= set(layers())
    modules = {path.stem for path in (ROOT / "chandra_runner").glob("*.py")} - {"__init__", "__main__"}
    assert modules <= set(layers())


def test_no_stage_reads_the_environment() -> None:
    """What products depend on is in the recipe or among the inputs: an environment variable is neither."""
    paths = [
        path
        for room in ("stages", "native", "fits")
        for path in (ROOT / "chandra_runner" / room).rglob("*.py")
    ]
    assert len(paths) > 50
    assert [
        path for path in paths if re.search(r"\benviron\b|\bgetenv\b", path.read_text(encoding="utf-8"))
    ] == []


def test_every_question_leads_to_a_file_that_exists() -> None:
    rows = re.findall(r"^\| (.+\?) \| .*`([\w/.]+)` \|$", PAGE, flags=re.MULTILINE)
    assert len(rows) >= 15
    assert [path for _, path in rows if not (ROOT / path).exists()] == []
