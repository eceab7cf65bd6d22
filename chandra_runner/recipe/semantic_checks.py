"""Check what a schema cannot say about a recipe: how its parts fit together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from chandra_runner.errors import Problem, SettingProblem
from chandra_runner.quantities import number_in_unit
from chandra_runner.stages.registry import get, stages
from chandra_runner.suggestions import did_you_mean

from .inheritance import RecipeFile
from .located_value import LocatedValue
from .merged_recipe import MergedRecipe
from .settings import LazySettings, StageSettings

MAX_FILE_BYTES = 100_000_000
"""Size of a file that a setting names; an ARF has some 100 kB."""


def check_recipe_files(recipe_files: list[RecipeFile]) -> Iterator[Problem]:
    """Yield what is wrong within single files of a recipe."""
    for recipe_file in recipe_files:
        yield from _empty_stages(recipe_file.root)
        yield from _exclusive_settings(recipe_file.root)
        for key in ("data", "products"):
            value = recipe_file.root.mapping.get(key)
            if value and isinstance(value.value, str):
                yield from _check_path(key, value, recipe_file)


def check_merged_recipe(recipe: MergedRecipe, *, is_native: bool, caldb: Path | None) -> Iterator[Problem]:
    """Yield what is wrong with a recipe as a whole.

    Parameters
    ----------
    recipe : MergedRecipe
        The recipe.
    is_native : bool
        Whether the native executors would run; what only they need is checked only then.
    caldb : Path or None
        The calibration database of this machine.
    """
    yield from _missing_parts(recipe)
    yield from _switched_off(recipe)
    yield from _per_observation(recipe)
    yield from _archives(recipe)
    for name, settings in recipe.stage_settings.items():
        if recipe.is_valid_below("stages", name):
            stated = recipe.tree.child("stages").child(name)
            yield from check_settings(settings, stated, is_native=is_native, caldb=caldb)
    for (obsid, name), settings in recipe.observation_settings.items():
        # They contain the settings of the stage: where these are wrong, that is reported already.
        if recipe.is_valid_below("stages", name) and recipe.is_valid_below(
            "per_observation", str(obsid), name
        ):
            stated = recipe.tree.child("per_observation").child(str(obsid)).child(name)
            yield from check_settings(settings, stated, is_native=is_native, caldb=caldb)


def check_settings(
    settings: StageSettings, stated: LocatedValue, *, is_native: bool, caldb: Path | None
) -> Iterator[Problem]:
    """Yield what is wrong with the settings of one stage.

    Parameters
    ----------
    settings : StageSettings
        The settings.
    stated : LocatedValue
        The settings as the recipe states them; problems with defaults are reported there.
    is_native : bool
        Whether the native executor would run.
    caldb : Path or None
        The calibration database of this machine.
    """
    yield from _partners(settings)
    yield from _order(settings)
    yield from _files(settings)
    values = LazySettings(settings)
    yield from (
        _located_problem(problem, settings, stated)
        for problem in chain(
            settings.stage.check(values), settings.stage.check_native(values, caldb) if is_native else ()
        )
    )


def _located_problem(problem: SettingProblem, settings: StageSettings, stated: LocatedValue) -> Problem:
    """Return a problem that a stage found at the place of the value that it names."""
    name, *inside = problem.setting
    message = f"{name}: {problem.message}"
    value = settings.stated.get(str(name))
    if value is None:
        return stated.key_problem(message, problem.hint)
    for key in inside:
        value = value.items[key] if isinstance(key, int) and key < len(value.items) else value
    return value.problem(message, problem.hint)


def directory_conflict(data: Path, products: Path) -> str:
    """Return why products cannot be written beside the data; empty where they can.

    Products inside an ObsID directory would be taken for raw data, data inside that of an ObsID's products
    for products.
    """
    # Links count as what they point to: data may be a link to a directory on another disk.
    real_data, real_products = os.path.realpath(data), os.path.realpath(products)
    if real_data == real_products:
        return "data and products are the same directory"
    for inner, outer, names in (
        (real_products, real_data, ("products", "data")),
        (real_data, real_products, ("data", "products")),
    ):
        below = os.path.relpath(inner, outer).split(os.sep)
        if re.fullmatch(r"byobsid|[0-9]+", below[0]):
            return f"{names[0]} is inside an ObsID directory of {names[1]}"
    return ""


def _stated_stages(root: LocatedValue) -> Iterator[tuple[str, LocatedValue, bool]]:
    """Yield name and settings of each stage in a file, and whether they are for one observation."""
    for name, settings in root.child("stages").mapping.items():
        yield name, settings, False
    for entry in root.child("per_observation").mapping.values():
        for name, settings in entry.mapping.items():
            yield name, settings, True


def _empty_stages(root: LocatedValue) -> Iterator[Problem]:
    """Yield stages without a value: YAML reads a forgotten one as null, which switches a stage off."""
    for name, settings, is_single in _stated_stages(root):
        if settings.value is None and is_single:
            hint = "remove the stage here, or the ObsID from the recipe"
            yield settings.key_problem(f"{name} cannot be switched off for one ObsID", hint)
        elif settings.value is None and not settings.text:
            hint = "write {} to use the defaults, or null to switch off an inherited stage"
            yield settings.key_problem(f"stage {name} has no settings", hint)


def _exclusive_settings(root: LocatedValue) -> Iterator[Problem]:
    """Yield settings that state the same in two ways, such as `bands` and `en_bounds`."""
    for stage, settings, _ in _stated_stages(root):
        schemas = stages()[stage].schema()["properties"] if stage in stages() else {}
        stated: list[str] = []
        for name, value in settings.mapping.items():
            if value.value is None:
                continue
            others = [other for other in schemas.get(name, {}).get("x-replaces", ()) if other in stated]
            if others:
                message = f"{name} and {' and '.join(others)} are mutually exclusive"
                yield value.key_problem(message, "keep one of them")
                break  # its companion, such as effective_ens, would be reported for the same reason
            stated.append(name)


def _check_path(key: str, value: LocatedValue, recipe_file: RecipeFile) -> Iterator[Problem]:
    if value.text.startswith("~"):
        hint = f"write the full path, or use --{key}"
        yield value.problem(f"{key}: ~ is not expanded in a recipe", hint)
    path = Path(value.text)
    # A recipe from elsewhere could otherwise write anywhere on the machine of the one who extends it.
    if recipe_file.is_extended and (path.is_absolute() or ".." in path.parts):
        message = f"{key}: a recipe that is extended cannot refer outside its directory ({value.text})"
        yield value.problem(message, f"write a path below it, or set {key} in the recipe that extends it")


def _missing_parts(recipe: MergedRecipe) -> Iterator[Problem]:
    if () in recipe.rejected:
        return  # an unknown key at the top may be the misspelled missing one
    if "observations" not in recipe.tree.mapping:
        yield recipe.own.problem("observations is missing", "list the ObsIDs: observations: [754, 28229]")
    requested = recipe.tree.child("stages")
    has_empty = any(stage.value is None and not stage.text for stage in requested.mapping.values())
    if not recipe.stages and recipe.is_valid("stages") and not has_empty:
        yield requested.key_problem("no stage is requested", "name one: stages: {cleaned_chandra_evts: {}}")


def _switched_off(recipe: MergedRecipe) -> Iterator[Problem]:
    # A stage that is off but in the plan is there because another one needs it. Where null was not
    # written (no text), the stage is reported as one without settings.
    for name, settings in recipe.tree.child("stages").mapping.items():
        if name in recipe.stages and settings.value is None and settings.text:
            needed_by = [other for other in recipe.stages if any(n.stage == name for n in get(other).needs)]
            verb = "requires" if len(needed_by) == 1 else "require"
            message = f"{name} is switched off, but {' and '.join(needed_by)} {verb} it"
            hint = f"switch off {' and '.join(needed_by)}, too, or write {{}} to use the defaults of {name}"
            yield settings.key_problem(message, hint)


def _per_observation(recipe: MergedRecipe) -> Iterator[Problem]:
    """Yield entries without effect in the recipe itself; in recipes that it extends they do no harm."""
    listed = [str(obsid.value) for obsid in recipe.tree.child("observations").items]
    known = set(listed)
    is_checkable = recipe.is_valid("observations") and ("per_observation",) not in recipe.rejected
    for key, entry in recipe.own.child("per_observation").mapping.items():
        if key not in known and is_checkable:
            hint = did_you_mean(key, listed[:100], "the observations are")
            yield entry.key_problem(f"{key} is not one of the observations", hint)
        for name, settings in entry.mapping.items():
            if name in stages() and name not in recipe.stages and recipe.is_valid("stages"):
                message = f"{name} is not in the plan, so its settings for {key} have no effect"
                yield settings.key_problem(message, f"add {name}: {{}} under stages, or remove this")


def _archives(recipe: MergedRecipe) -> Iterator[Problem]:
    archives = recipe.tree.child("archive").items
    for archive in archives if len(archives) > 1 else ():
        if archive.text == "none":
            message = "archive: none cannot be combined with others"
            yield archive.problem(message, "write archive: none, or remove it")


def _partners(settings: StageSettings) -> Iterator[Problem]:
    for name, value in settings.stated.items():
        partner = settings.schemas[name].get("x-with")
        if partner and value.value is not None and settings.canonical_value(partner) is None:
            yield value.key_problem(f"{name} is given without {partner}", "give both, or neither")


def _order(settings: StageSettings) -> Iterator[Problem]:
    for name, schema in settings.schemas.items():
        other = schema.get("x-less-than", "")
        stated = settings.stated.get(name) or settings.stated.get(other)
        if not other or stated is None:
            continue  # the schema's defaults are in order
        low, high = settings.canonical_value(name), settings.canonical_value(other)
        if low is None or high is None:
            continue
        if number_in_unit(low, schema["x-unit"]) >= number_in_unit(high, schema["x-unit"]):
            message = f"{name} ({low}) is not less than {other} ({high})"
            yield stated.problem(message, f"make {name} the smaller one")


def _files(settings: StageSettings) -> Iterator[Problem]:
    for name, value in settings.stated.items():
        path = settings.file(name)
        if path is None:
            continue
        if not os.path.isfile(path):
            hint = "write a path relative to this recipe file"
            yield value.problem(f"{name}: the file {value.text} was not found", hint)
        elif path.stat().st_size > MAX_FILE_BYTES:
            message = f"{name}: {value.text} is larger than {MAX_FILE_BYTES // 1_000_000} MB"
            yield value.problem(message, "check the path")
