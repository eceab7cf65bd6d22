"""A recipe, resolved and checked: merged with what it extends, defaults filled in, directories known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chandra_runner.errors import RecipeError, UsageError
from chandra_runner.suggestions import did_you_mean

from .inheritance import load_recipe_files
from .located_value import LocatedValue
from .merged_recipe import MergedRecipe, merge_recipe, requested_stages
from .schema_validation import archive_hint, recipe_schema, schema_problems
from .semantic_checks import check_merged_recipe, check_recipe_files, directory_conflict
from .settings import LazySettings, StageSettings


@dataclass(frozen=True)
class Overrides:
    """Options of the command line that replace values of the recipe; None keeps the recipe's value.

    Parameters
    ----------
    data, products : Path, optional
        Directories, relative to the working directory.
    archive : tuple of str, optional
        Archives, in the order in which they are tried; ``("none",)`` for none.
    engine : str, optional
        ``auto``, ``ciao`` or ``native``.
    only : tuple of int, optional
        ObsIDs of the recipe to which the run is restricted.
    has_ciao : bool
        Whether CIAO was found. With ``engine: auto`` it decides which executors would run, and so which
        settings are needed.
    """

    data: Path | None = None
    products: Path | None = None
    archive: tuple[str, ...] | None = None
    engine: str | None = None
    only: tuple[int, ...] | None = None
    has_ciao: bool = False


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """A valid recipe.

    Parameters
    ----------
    path : Path
        The recipe file.
    title : str
        The title of the reduction; may be empty.
    observations : tuple of int
        ObsIDs, in the recipe's order.
    data, products : Path
        Directories, absolute.
    archive : tuple of str
        Names and URLs of archives, in the order in which they are tried; empty for none.
    engine : str
        ``auto``, ``ciao`` or ``native``.
    stages : tuple of str
        The stages that are requested, without those that they need.
    tree : LocatedValue
        Everything that the recipe and what it extends state, merged, each value with its file and line.
    stage_settings : Mapping of str to StageSettings
        Settings of the stages of the plan.
    observation_settings : Mapping of (int, str) to StageSettings
        Settings by ObsID and stage, where they differ for one observation.
    caldb : Path or None
        The calibration database of this machine, from ``$CALDB``.

    Examples
    --------
    >>> from chandra_runner.resources import resource
    >>> recipe = load_recipe(resource("recipes", "quickstart.yaml"))
    >>> recipe.observations
    (99001, 99002, 99003)
    >>> recipe.settings(recipe.observations[0], "deflare").method
    'sigma'
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
    stage_settings: Mapping[str, StageSettings]
    observation_settings: Mapping[tuple[int, str], StageSettings]
    caldb: Path | None

    def settings(self, obsid: int, stage: str) -> Any:
        """Return the settings of a task as its executor sees them: an object of the stage's `settings_class`.

        Quantities are parsed, paths absolute, defaults filled in.
        """
        settings = self._settings_of(obsid, stage)
        return settings.stage.settings_class(**settings.values)

    def settings_text(self, obsid: int, stage: str) -> dict[str, Any]:
        """Return all settings of a task in JSON types, quantities as text, as its manifest shows them."""
        settings = self._settings_of(obsid, stage)
        return {name: settings.canonical_value(name) for name in settings.schemas}

    def normal_settings(self, obsid: int, stage: str) -> dict[str, Any]:
        """Return the settings of a task in normal form, as its fingerprint sees them.

        In JSON types, units converted; without settings at their default, settings that do not change the
        products, and settings that other settings leave without effect.
        """
        return dict(self._settings_of(obsid, stage).normal_form)

    def calibration_files(self, obsid: int, stage: str) -> tuple[Path, ...]:
        """Return the calibration files that the native executor of a task would read."""
        settings = self._settings_of(obsid, stage)
        return settings.stage.calibration_files(LazySettings(settings), self.caldb)

    def _settings_of(self, obsid: int, stage: str) -> StageSettings:
        return self.observation_settings.get((obsid, stage)) or self.stage_settings[stage]


def load_recipe(path: Path | str, overrides: Overrides = Overrides()) -> Recipe:
    """Read a recipe, merge it with what it extends, and check it.

    Parameters
    ----------
    path : path-like
        The recipe file.
    overrides : Overrides
        What the command line says instead of the recipe.

    Raises
    ------
    RecipeError
        The recipe is not valid; all problems are reported, each with its place.
    UsageError
        An override is not possible.
    """
    path = Path(path)
    recipe_files, problems = load_recipe_files(path)
    is_complete = not problems
    rejected = [
        found
        for recipe_file in recipe_files
        for found in schema_problems(recipe_file.root, complete=not recipe_file.is_extended)
    ]
    problems += [found.problem for found in rejected]
    problems += check_recipe_files(recipe_files)
    caldb = _caldb()
    # A recipe is not checked as a whole while one of its files is missing: it would seem to be incomplete.
    if is_complete:
        merged = merge_recipe(recipe_files, rejected)
        problems += check_merged_recipe(merged, is_native=_is_native(merged.tree, overrides), caldb=caldb)
    if problems:
        raise RecipeError(problems)
    return _resolve(path, merged, overrides, caldb)


def _caldb() -> Path | None:
    """Return the calibration database that the environment names; stages never look there themselves."""
    stated = os.environ.get("CALDB")
    return Path(stated).absolute() if stated else None


def _is_native(tree: LocatedValue, overrides: Overrides) -> bool:
    engine = overrides.engine or _value(tree, "engine")
    return engine == "native" or (engine == "auto" and not overrides.has_ciao)


def _resolve(path: Path, merged: MergedRecipe, overrides: Overrides, caldb: Path | None) -> Recipe:
    """Return a checked recipe with defaults and overrides applied."""
    tree = merged.tree
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
        stages=requested_stages(tree),
        tree=tree,
        stage_settings=merged.stage_settings,
        observation_settings=merged.observation_settings,
        caldb=caldb,
    )


def _value(tree: LocatedValue, key: str) -> Any:
    """Return a value of the recipe, or its default."""
    return tree.mapping[key].plain() if key in tree.mapping else recipe_schema()["properties"][key]["default"]


def _directory(key: str, tree: LocatedValue, path: Path, override: Path | None) -> Path:
    if override is not None:
        return override.absolute()
    # A path is relative to the file that states it, which may be a recipe that this one extends.
    stated_in = tree.mapping[key].file if key in tree.mapping else path
    return (stated_in.parent / str(_value(tree, key))).absolute()


def _check_directories(data: Path, products: Path, tree: LocatedValue, overrides: Overrides) -> None:
    conflict = directory_conflict(data, products)
    if not conflict:
        return
    hint = "give products a directory of its own"
    if overrides.data or overrides.products:
        raise UsageError(f"{conflict}: {data} and {products}", hint)
    stated = tree.mapping.get("products") or tree.mapping.get("data") or tree
    raise RecipeError([stated.problem(conflict, hint)])


def _archive(tree: LocatedValue, override: tuple[str, ...] | None) -> tuple[str, ...]:
    for name in override or ():
        if archive_hint(name):
            raise UsageError(f"--archive {name}: there is no such archive", archive_hint(name))
    # A single archive may be written without brackets; "none" alone means that nothing is downloaded.
    names = _value(tree, "archive") if override is None else list(override)
    names = [names] if isinstance(names, str) else names
    return () if names == ["none"] else tuple(names)


def _engine(tree: LocatedValue, override: str | None) -> str:
    engines = recipe_schema()["properties"]["engine"]["enum"]
    if override is not None and override not in engines:
        raise UsageError(
            f"--engine {override}: there is no such engine", f"write one of {', '.join(engines)}"
        )
    return override or str(_value(tree, "engine"))


def _observations(tree: LocatedValue, only: tuple[int, ...] | None) -> tuple[int, ...]:
    listed: tuple[int, ...] = tuple(_value(tree, "observations"))
    if only is None:
        return listed
    chosen = set(only)
    for obsid in sorted(chosen - set(listed)):
        hint = did_you_mean(str(obsid), [str(known) for known in listed[:100]], "the observations are")
        raise UsageError(f"--only {obsid}: not an observation of the recipe", hint)
    return tuple(obsid for obsid in listed if obsid in chosen)
