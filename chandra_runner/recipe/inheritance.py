"""The files that a recipe is made of: itself and all that it extends, merged into one tree."""

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
from .yaml_reader import UnreadableFileError, parse_yaml, read_yaml_text

MAX_DEPTH = 10
MAX_RECIPE_FILES = 50

_EXTENDS_HINT = "write a path relative to this file, or a packaged standard such as standard/acis-imaging"
_PACKAGED = re.compile(r"standard/[a-z0-9][a-z0-9_-]*")
_WRITE_ONE = "write recipe: 1, observations: [...] and stages: {...}"


@dataclass(frozen=True)
class RecipeFile:
    """One file of a recipe.

    Parameters
    ----------
    root : LocatedValue
        Its content: a mapping.
    top : bool
        Whether it is the recipe itself, and not one that it extends.
    """

    root: LocatedValue
    top: bool


def load_recipe_files(path: Path) -> tuple[list[RecipeFile], list[Problem]]:
    """Read a recipe and all that it extends.

    Returns
    -------
    layers : list of RecipeFile
        In the order in which they are merged, the recipe itself last.
    problems : list of Problem
        What could not be read.
    """
    loader = _Loader()
    loader.load(path, None, ())
    return loader.layers, loader.problems


def merge_recipe_files(layers: list[RecipeFile]) -> LocatedValue:
    """One tree of all layers: mappings are merged key by key, all else is replaced by the later layer."""
    tree = layers[0].root
    for layer in layers[1:]:
        tree = _merge(tree, layer.root, ())
    return tree


def merge_settings(
    stated: Mapping[str, LocatedValue], over: Mapping[str, LocatedValue], schemas: Mapping[str, Schema]
) -> dict[str, LocatedValue]:
    """Settings of a stage, `over` put over `stated`; what says the same in another way is dropped."""
    replaced = {
        other
        for name, node in over.items()
        if node.value is not None
        for other in schemas.get(name, {}).get("x-replaces", ())
    }
    return {name: node for name, node in stated.items() if name not in replaced} | dict(over)


def _merge(base: LocatedValue, over: LocatedValue, path: tuple[str, ...]) -> LocatedValue:
    if not (isinstance(base.value, Mapping) and isinstance(over.value, Mapping)):
        return over
    stage = _stage_at(path)
    if stage:
        schemas = stages()[stage].schema()["properties"] if stage in stages() else {}
        return replace(over, value=merge_settings(base.value, over.value, schemas))
    merged = dict(base.value)
    for key, node in over.value.items():
        merged[key] = _merge(merged[key], node, (*path, key)) if key in merged else node
    return replace(over, value=merged)


def _stage_at(path: tuple[str, ...]) -> str:
    """The stage whose settings stand at that path; empty where there are none."""
    at_stage = (len(path) == 2 and path[0] == "stages") or (len(path) == 3 and path[0] == "per_observation")
    return path[-1] if at_stage else ""


class _Loader:
    def __init__(self) -> None:
        self.layers: list[RecipeFile] = []
        self.problems: list[Problem] = []

    def load(self, path: Path, named_by: LocatedValue | None, chain: tuple[Path, ...]) -> None:
        """Read one file, after those that it extends; `chain` are those that led to it."""
        try:
            root = parse_yaml(read_yaml_text(path), path)
        except UnreadableFileError as error:
            self._blame(named_by, path, error, _neighbour(path))
            return
        except RecipeError as error:
            self.problems += error.problems
            return
        if not isinstance(root.value, Mapping):
            self.problems.append(_not_a_recipe(root))
            return
        chain = (*chain, Path(os.path.realpath(path)))
        for name in _parents(root):
            self._extend(path, name, chain)
        self.layers.append(RecipeFile(root, top=named_by is None))

    def _extend(self, path: Path, name: LocatedValue, chain: tuple[Path, ...]) -> None:
        parent = _locate(path, name.text)
        real = Path(os.path.realpath(parent))
        if real in chain:
            ring = " -> ".join(file.name for file in (*chain[chain.index(real) :], real))
            self.problems.append(
                name.problem(f"these recipes extend each other: {ring}", "remove one extends")
            )
        elif len(chain) >= MAX_DEPTH:
            message = f"a chain of more than {MAX_DEPTH} recipes that extend each other"
            self.problems.append(name.problem(message, "put some of them together"))
        elif len(self.layers) >= MAX_RECIPE_FILES:
            message = f"more than {MAX_RECIPE_FILES} recipes to merge"
            self.problems.append(name.problem(message, "put some of them together"))
        else:
            self.load(parent, name, chain)

    def _blame(
        self, named_by: LocatedValue | None, path: Path, error: UnreadableFileError, hint: str
    ) -> None:
        if named_by is None:
            self.problems.append(Problem(path, 1, 1, f"the file {error.reason}", hint))
        elif _PACKAGED.fullmatch(named_by.text):
            message, hint = f"there is no packaged recipe {named_by.text}", _packaged_hint(named_by.text)
            self.problems.append(named_by.problem(message, hint))
        else:
            hint = (
                hint
                or "write a path relative to this file, or a packaged standard such as standard/acis-imaging"
            )
            self.problems.append(named_by.problem(str(error), hint))


def _parents(root: LocatedValue) -> Iterator[LocatedValue]:
    """The names under `extends`; what is no text there is the schema's to refuse."""
    node = root.child("extends")
    for name in node.items or (node,):
        if isinstance(name.value, str) and name.text:
            yield name


def _locate(path: Path, name: str) -> Path:
    if _PACKAGED.fullmatch(name):
        return resource("recipes", f"{name}.yaml")
    return path.parent / name


def _not_a_recipe(root: LocatedValue) -> Problem:
    if root.value is None:
        return root.problem("the recipe is empty", _WRITE_ONE)
    what = "a list" if isinstance(root.value, tuple) else "plain text"
    return root.problem(f"this is {what}, not a recipe", _WRITE_ONE)


def _neighbour(path: Path) -> str:
    """A file beside the missing one that may be meant."""
    try:
        names = [entry.name for entry in os.scandir(path.parent) if entry.name.endswith((".yaml", ".yml"))]
    except OSError:
        return ""
    close = difflib.get_close_matches(path.name, names, n=1, cutoff=0.75) if not os.path.lexists(path) else []
    return f"did you mean {close[0]}?" if close else ""


def _packaged_hint(name: str) -> str:
    known = sorted(f"standard/{file.stem}" for file in resource("recipes", "standard").glob("*.yaml"))
    return did_you_mean(name, known, "there are")
