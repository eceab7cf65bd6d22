"""The user's recipe, resolved: what it extends merged in, defaults filled in, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chandra_runner.errors import RecipeError, UsageError
from chandra_runner.stages.registry import stages, with_dependencies
from chandra_runner.suggestions import did_you_mean

from .inheritance import RecipeFile, load_recipe_files, merge_recipe_files, merge_settings
from .located_value import LocatedValue
from .schema_validation import SchemaError, archive_hint, recipe_schema, schema_errors
from .semantic_checks import Draft, check_draft, check_recipe_files, directory_conflict
from .settings import StageSettings


@dataclass(frozen=True)
class Overrides:
    """What the command line states over the recipe; None: as the recipe says.

    Parameters
    ----------
    data, products : Path, optional
        Directories, relative to the working directory.
    archive : tuple of str, optional
        Archives, in the order in which they are tried; ``("none",)``: none.
    engine : str, optional
        ``auto``, ``ciao`` or ``native``.
    only : tuple of int, optional
        ObsIDs of the recipe; the others are left alone.
    has_ciao : bool
        Whether CIAO is here; no override, but what is wrong with a recipe depends on it.
    """

    data: Path | None = None
    products: Path | None = None
    archive: tuple[str, ...] | None = None
    engine: str | None = None
    only: tuple[int, ...] | None = None
    has_ciao: bool = False


@dataclass(frozen=True)
class Recipe:
    """A recipe that makes sense.

    Parameters
    ----------
    path : Path
        Its file.
    title : str
        What the reduction is; may be empty.
    observations : tuple of int
        ObsIDs, in the recipe's order.
    data, products : Path
        Directories, absolute.
    archive : tuple of str
        Names and URLs, in the order in which they are tried; empty: none.
    engine : str
        ``auto``, ``ciao`` or ``native``.
    stages : tuple of str
        The stages that are wanted, without those that they need.
    tree : LocatedValue
        All that the recipe and what it extends state, merged, each value with its file and line.
    common : Mapping of str to StageSettings
        Settings of the stages of the plan.
    own : Mapping of (int, str) to StageSettings
        Settings that are other for one observation.
    """

    path: Path
    title: str
    observations: tuple[int, ...]
    data: Path
    products: Path
    archive: tuple[str, ...]
    engine: str
    stages: tuple[str, ...]
    tree: LocatedValue
    common: Mapping[str, StageSettings]
    own: Mapping[tuple[int, str], StageSettings]

    def settings(self, obsid: int, stage: str) -> Any:
        """Return the settings of a task as its executor sees them: an object of the stage's `settings_class`.

        Quantities are parsed, paths absolute, defaults filled in.
        """
        settings = self._of(obsid, stage)
        return settings.stage.settings_class(**settings.values)

    def settings_text(self, obsid: int, stage: str) -> dict[str, Any]:
        """All settings of a task in JSON types, quantities as text: as its manifest shows them."""
        settings = self._of(obsid, stage)
        return {name: settings.text(name) for name in settings.schemas}

    def normal_settings(self, obsid: int, stage: str) -> dict[str, Any]:
        """Settings of a task as its fingerprint sees them.

        JSON types; units converted; without those at their default, those that say nothing about
        the products, and those that the other settings leave without effect.
        """
        return dict(self._of(obsid, stage).normal)

    def _of(self, obsid: int, stage: str) -> StageSettings:
        return self.own.get((obsid, stage)) or self.common[stage]


def load_recipe(path: Path | str, overrides: Overrides = Overrides()) -> Recipe:
    """Read, merge and check a recipe.

    Parameters
    ----------
    path : path-like
        The recipe file.
    overrides : Overrides, optional
        What replaces values of the recipe, as options of the command line do.

    Raises
    ------
    RecipeError
        The recipe has problems: all of them, each with its place.
    UsageError
        An override is not possible.

    Examples
    --------
    >>> load_recipe("recipes/quickstart.yaml").observations
    (99001, 99002, 99003)
    """
    path = Path(path)
    layers, problems = load_recipe_files(path)
    complete = not problems
    faults = [fault for layer in layers for fault in schema_errors(layer.root, complete=layer.top)]
    problems += [fault.problem for fault in faults]
    problems += check_recipe_files(layers)
    if complete:
        draft = _draft(layers, faults, overrides)
        problems += check_draft(draft)
    if problems:
        raise RecipeError(problems)
    return _finish(path, draft, overrides)


def _draft(layers: list[RecipeFile], faults: list[SchemaError], overrides: Overrides) -> Draft:
    tree = merge_recipe_files(layers)
    wanted = [
        name for name, node in _stage_nodes(tree).items() if name in stages() and node.value is not None
    ]
    plan = with_dependencies(wanted)
    common = {name: _settings(name, _stage_nodes(tree).get(name)) for name in plan}
    return Draft(
        tree=tree,
        top=layers[-1].root,
        faulty=frozenset(tuple(str(key) for key in fault.path) for fault in faults),
        plan=plan,
        common=common,
        own=_own(tree, common),
        native=_is_native(overrides.engine or str(_value(tree, "engine")), overrides.has_ciao),
    )


def _is_native(engine: str, has_ciao: bool) -> bool:
    return engine == "native" or (engine == "auto" and not has_ciao)


def _stage_nodes(tree: LocatedValue) -> Mapping[str, LocatedValue]:
    return tree.child("stages").mapping


def _wanted(tree: LocatedValue) -> tuple[str, ...]:
    nodes = _stage_nodes(tree)
    return tuple(name for name in stages() if name in nodes and nodes[name].value is not None)


def _settings(name: str, node: LocatedValue | None) -> StageSettings:
    stage = stages()[name]
    known = stage.schema()["properties"]
    stated = {key: value for key, value in node.mapping.items() if key in known} if node else {}
    return StageSettings(stage, stated)


def _own(tree: LocatedValue, common: Mapping[str, StageSettings]) -> dict[tuple[int, str], StageSettings]:
    """Settings of the observations that have some of their own."""
    own = {}
    for key, entry in tree.child("per_observation").mapping.items():
        for name, node in entry.mapping.items():
            if name in common and re.fullmatch("[1-9][0-9]*", key):
                base, over = common[name], _settings(name, node)
                stated = merge_settings(base.stated, over.stated, base.schemas)
                own[int(key), name] = StageSettings(base.stage, stated)
    return own


def _finish(path: Path, draft: Draft, overrides: Overrides) -> Recipe:
    tree = draft.tree
    archive = _archive(tree, overrides.archive)
    data = _directory("data", tree, path, overrides.data)
    products = _directory("products", tree, path, overrides.products)
    _check_directories(data, products, tree, overrides)
    return Recipe(
        path=path,
        title=_value(tree, "title"),
        observations=_observations(tree, overrides.only),
        data=data,
        products=products,
        archive=archive,
        engine=_engine(tree, overrides.engine),
        stages=_wanted(tree),
        tree=tree,
        common=draft.common,
        own=draft.own,
    )


def _value(tree: LocatedValue, key: str) -> Any:
    """A value of the recipe, or its default."""
    return tree.mapping[key].plain() if key in tree.mapping else recipe_schema()["properties"][key]["default"]


def _directory(key: str, tree: LocatedValue, path: Path, override: Path | None) -> Path:
    if override is not None:
        return override.absolute()
    beside = tree.mapping[key].file if key in tree.mapping else path
    return (beside.parent / str(_value(tree, key))).absolute()


def _check_directories(data: Path, products: Path, tree: LocatedValue, overrides: Overrides) -> None:
    conflict = directory_conflict(data, products)
    if not conflict:
        return
    hint = "give products a directory of its own"
    if overrides.data or overrides.products:
        raise UsageError(f"{conflict}: {data} and {products}", hint)
    place = tree.mapping.get("products") or tree.mapping.get("data") or tree
    raise RecipeError([place.problem(conflict, hint)])


def _archive(tree: LocatedValue, override: tuple[str, ...] | None) -> tuple[str, ...]:
    for name in override or ():
        if archive_hint(name):
            raise UsageError(f"--archive {name}: there is no such archive", archive_hint(name))
    names = _value(tree, "archive") if override is None else list(override)
    names = [names] if isinstance(names, str) else names
    return () if names == ["none"] else tuple(names)


def _engine(tree: LocatedValue, override: str | None) -> str:
    engines = recipe_schema()["properties"]["engine"]["enum"]
    if override is not None and override not in engines:
        raise UsageError(f"--engine {override}: there is no such engine", f"it is {' or '.join(engines)}")
    return override or str(_value(tree, "engine"))


def _observations(tree: LocatedValue, only: tuple[int, ...] | None) -> tuple[int, ...]:
    listed: tuple[int, ...] = tuple(_value(tree, "observations"))
    if only is None:
        return listed
    for obsid in only:
        if obsid not in listed:
            hint = did_you_mean(str(obsid), [str(known) for known in listed[:100]], "they are")
            raise UsageError(f"--only {obsid}: not among the recipe's observations", hint)
    chosen = set(only)
    return tuple(obsid for obsid in listed if obsid in chosen)
