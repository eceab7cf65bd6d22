"""Read a recipe and all recipes that it extends, and merge them into one tree."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from chandra_runner.errors import Problem, RecipeError
from chandra_runner.resources import resource
from chandra_runner.stages.registry import stages
from chandra_runner.suggestions import did_you_mean

from .located_value import LocatedValue
from .settings import Schema
from .yaml_reader import parse_yaml
from .yaml_text import UnreadableFileError, read_yaml_text

MAX_DEPTH = 10
"""Files in a chain of recipes that extend each other."""
MAX_RECIPE_FILES = 50
"""Files that are read for one recipe; one that is extended twice counts twice."""

_PACKAGED = re.compile(r"standard/[a-z0-9][a-z0-9_-]*")
_EXTENDS_HINT = "write a path relative to this file, or a packaged standard such as standard/acis-imaging"
_RECIPE_HINT = "write recipe: 1, observations: [...] and stages: {...}"


@dataclass(frozen=True)
class RecipeFile:
    """One file of a recipe.

    Parameters
    ----------
    root : LocatedValue
        The content of the file, a mapping.
    is_extended : bool
        Whether another recipe extends it; False for the recipe itself.
    """

    root: LocatedValue
    is_extended: bool


def load_recipe_files(path: Path) -> tuple[list[RecipeFile], list[Problem]]:
    """Read a recipe and all recipes that it extends.

    Parameters
    ----------
    path : Path
        The recipe.

    Returns
    -------
    recipe_files : list of RecipeFile
        In the order in which they are merged, the recipe itself last.
    problems : list of Problem
        What could not be read, in any of the files.
    """
    loader = _Loader()
    loader.load(path, None, ())
    return loader.recipe_files, loader.problems


def merge_recipe_files(recipe_files: list[RecipeFile]) -> LocatedValue:
    """Merge recipe files into one tree.

    Mappings are merged key by key; any other value is replaced by that of a later file.

    Parameters
    ----------
    recipe_files : list of RecipeFile
        As `load_recipe_files` returns them; at least one.
    """
    tree = recipe_files[0].root
    for recipe_file in recipe_files[1:]:
        tree = _merge(tree, recipe_file.root, ())
    return tree


def merge_settings(
    base: Mapping[str, LocatedValue], over: Mapping[str, LocatedValue], schemas: Mapping[str, Schema]
) -> dict[str, LocatedValue]:
    """Merge settings of a stage; those of `over` replace those of `base`.

    A setting of `over` also drops the settings of `base` that are another way to state the same (keyword
    ``x-replaces``): a recipe that states `bands` does not use the `en_bounds` that it inherits.

    Parameters
    ----------
    base, over : Mapping of str to LocatedValue
        Settings by name.
    schemas : Mapping of str to Mapping
        The schema of each setting of the stage.
    """
    replaced = {
        other
        for name, value in over.items()
        if value.value is not None
        for other in schemas.get(name, {}).get("x-replaces", ())
    }
    return {name: value for name, value in base.items() if name not in replaced} | dict(over)


def _merge(base: LocatedValue, over: LocatedValue, path: tuple[str, ...]) -> LocatedValue:
    """Merge the values at a path of two files."""
    if not (isinstance(base.value, Mapping) and isinstance(over.value, Mapping)):
        return over
    stage = _stage_at(path)
    # Settings are not merged any deeper: their values are scalars and lists, and some exclude others.
    if stage:
        schemas = stages()[stage].schema()["properties"] if stage in stages() else {}
        return replace(over, value=merge_settings(base.value, over.value, schemas))
    merged = dict(base.value)
    for key, value in over.value.items():
        merged[key] = _merge(merged[key], value, (*path, key)) if key in merged else value
    return replace(over, value=merged)


def _stage_at(path: tuple[str, ...]) -> str:
    """Return the stage whose settings are at a path; empty where there are none."""
    at_stage = (len(path) == 2 and path[0] == "stages") or (len(path) == 3 and path[0] == "per_observation")
    return path[-1] if at_stage else ""


class _Loader:
    """Reads recipe files depth first, so that a file comes after those that it extends."""

    def __init__(self) -> None:
        self.recipe_files: list[RecipeFile] = []
        self.problems: list[Problem] = []
        self._count = 0

    def load(self, path: Path, named_by: LocatedValue | None, chain: tuple[Path, ...]) -> None:
        """Read one file after those that it extends.

        Parameters
        ----------
        path : Path
            The file.
        named_by : LocatedValue or None
            The value under `extends` that names it; None for the recipe itself.
        chain : tuple of Path
            The files that led to it, by their real paths.
        """
        self._count += 1
        try:
            root = parse_yaml(read_yaml_text(path), path)
        except UnreadableFileError as error:
            self.problems.append(_unreadable(path, named_by, error))
            return
        except RecipeError as error:
            self.problems += error.problems
            return
        if not isinstance(root.value, Mapping):
            self.problems.append(_not_a_recipe(root))
            return
        chain = (*chain, Path(os.path.realpath(path)))
        # The parents first, from left to right: what comes later in the list of files counts.
        for name in _extended(root):
            self._extend(path, name, chain)
        self.recipe_files.append(RecipeFile(root, is_extended=named_by is not None))

    def _extend(self, path: Path, name: LocatedValue, chain: tuple[Path, ...]) -> None:
        parent = _locate(path, name.text)
        # A link to a file is the same file: otherwise a cycle of links would never end.
        real = Path(os.path.realpath(parent))
        if real in chain:
            cycle = " -> ".join(file.name for file in (*chain[chain.index(real) :], real))
            message = f"these recipes extend each other: {cycle}"
            self.problems.append(name.problem(message, "remove one extends"))
        elif len(chain) >= MAX_DEPTH:
            message = f"more than {MAX_DEPTH} recipes in a chain that extend each other"
            self.problems.append(name.problem(message, "combine some of them"))
        elif self._count >= MAX_RECIPE_FILES:
            message = f"more than {MAX_RECIPE_FILES} recipe files"
            self.problems.append(name.problem(message, "combine some of them"))
        else:
            self.load(parent, name, chain)


def _extended(root: LocatedValue) -> Iterator[LocatedValue]:
    """Yield the names under `extends`; the schema reports those that are not text."""
    extends = root.child("extends")
    for name in extends.items or (extends,):
        if isinstance(name.value, str) and name.text:
            yield name


def _locate(path: Path, name: str) -> Path:
    """Return the file that a name under `extends` means in the file `path`."""
    if _PACKAGED.fullmatch(name):
        return resource("recipes", f"{name}.yaml")
    return path.parent / name


def _unreadable(path: Path, named_by: LocatedValue | None, error: UnreadableFileError) -> Problem:
    """Return the problem of a file that cannot be read, at the place that names it."""
    if named_by is None:
        return Problem(path, 1, 1, f"the file {error.reason}", _similar_file(path))
    if _PACKAGED.fullmatch(named_by.text):
        known = sorted(f"standard/{file.stem}" for file in resource("recipes", "standard").glob("*.yaml"))
        hint = did_you_mean(named_by.text, known, "the packaged recipes are")
        return named_by.problem(f"there is no packaged recipe {named_by.text}", hint)
    return named_by.problem(str(error), _similar_file(path) or _EXTENDS_HINT)


def _not_a_recipe(root: LocatedValue) -> Problem:
    if root.value is None:
        return root.problem("the recipe is empty", _RECIPE_HINT)
    what = "a list" if isinstance(root.value, tuple) else "plain text"
    return root.problem(f"this is {what}, not a recipe", _RECIPE_HINT)


def _similar_file(path: Path) -> str:
    """Suggest a file beside a missing one whose name is similar."""
    try:
        # Only beside the file: elsewhere a similar name means little.
        names = [entry.name for entry in os.scandir(path.parent) if entry.name.endswith((".yaml", ".yml"))]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75) if not os.path.lexists(path) else []
    return f"did you mean {close[0]}?" if close else ""
