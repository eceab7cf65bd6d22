"""What a schema cannot say about a recipe: how its parts go together."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from chandra_runner.errors import Problem
from chandra_runner.quantities import number_in_unit
from chandra_runner.stages.registry import get, stages
from chandra_runner.suggestions import did_you_mean

from .inheritance import RecipeFile
from .located_value import LocatedValue
from .schema_messages import Path as KeyPath
from .settings import LazySettings, StageSettings

MAX_FILE_BYTES = 100_000_000
"""Of a file that a setting names; an ARF has some 100 kB."""


@dataclass(frozen=True)
class Draft:
    """A recipe on its way: merged, its schema checked, not yet known to make sense.

    Parameters
    ----------
    tree : LocatedValue
        All layers merged.
    top : LocatedValue
        The recipe's own file.
    faulty : frozenset of paths
        Where the schema found something wrong; nothing more is said about these places.
    plan : tuple of str
        The stages that are wanted, and those that they need.
    common : Mapping of str to StageSettings
        Settings of the stages of the plan.
    own : Mapping of (int, str) to StageSettings
        Settings of single observations.
    native : bool
        Whether the native executors would run.
    """

    tree: LocatedValue
    top: LocatedValue
    faulty: frozenset[KeyPath]
    plan: tuple[str, ...]
    common: Mapping[str, StageSettings]
    own: Mapping[tuple[int, str], StageSettings]
    native: bool

    def sound(self, *path: str) -> bool:
        """Whether the schema has nothing against what stands at or below that path."""
        return not any(fault[: len(path)] == path for fault in self.faulty)

    def sound_inside(self, *path: str) -> bool:
        """Whether the schema has nothing against what stands below that path; unknown keys do no harm."""
        return not any(fault[: len(path)] == path and len(fault) > len(path) for fault in self.faulty)


def check_recipe_files(layers: list[RecipeFile]) -> Iterator[Problem]:
    """What is wrong within single files."""
    for layer in layers:
        yield from _empty_stages(layer.root)
        yield from _double_statements(layer.root)
        for key in ("data", "products"):
            node = layer.root.mapping.get(key)
            if node and isinstance(node.value, str):
                yield from _path(key, node, layer)


def check_draft(draft: Draft) -> Iterator[Problem]:
    """What is wrong with the recipe as a whole."""
    yield from _complete(draft)
    yield from _switched_off(draft)
    yield from _per_observation(draft)
    yield from _archives(draft)
    for name, settings in draft.common.items():
        if draft.sound_inside("stages", name):
            yield from check_settings(settings, draft.tree.child("stages").child(name), draft.native)
    for (obsid, name), settings in draft.own.items():
        key = ("per_observation", str(obsid), name)
        if draft.sound_inside("stages", name) and draft.sound_inside(*key):
            place = draft.tree.child("per_observation").child(str(obsid)).child(name)
            yield from check_settings(settings, place, draft.native)


def check_settings(settings: StageSettings, place: LocatedValue, native: bool) -> Iterator[Problem]:
    """What is wrong with the settings of one stage; `place` is blamed for what is not stated."""
    yield from _partners(settings)
    yield from _order(settings)
    yield from _files(settings)
    values = LazySettings(settings)
    problems = chain(settings.stage.check(values), settings.stage.check_native(values) if native else ())
    for problem in problems:
        setting, *inside = problem.setting
        message = f"{setting}: {problem.message}"
        blamed = settings.stated.get(str(setting))
        if blamed is None:
            yield place.key_problem(message, problem.hint)
            continue
        for key in inside:
            blamed = blamed.items[key] if isinstance(key, int) and key < len(blamed.items) else blamed
        yield blamed.problem(message, problem.hint)


def directory_conflict(data: Path, products: Path) -> str:
    """Why products cannot be written there beside those data; empty when they can."""
    real_data, real_products = os.path.realpath(data), os.path.realpath(products)
    if real_data == real_products:
        return "data and products are the same directory"
    for inner, outer, names in (
        (real_products, real_data, ("products", "data")),
        (real_data, real_products, ("data", "products")),
    ):
        below = os.path.relpath(inner, outer).split(os.sep)
        if re.fullmatch(r"byobsid|[0-9]+", below[0]):
            return f"{names[0]} lies inside an ObsID directory of {names[1]}"
    return ""


def _stage_groups(root: LocatedValue) -> Iterator[tuple[str, LocatedValue, bool]]:
    """Name and settings of each stage in a file, and whether they are for one observation only."""
    for name, node in root.child("stages").mapping.items():
        yield name, node, False
    for entry in root.child("per_observation").mapping.values():
        for name, node in entry.mapping.items():
            yield name, node, True


def _empty_stages(root: LocatedValue) -> Iterator[Problem]:
    for name, node, single in _stage_groups(root):
        if node.value is None and single:
            hint = "leave the stage out here, or the ObsID out of the recipe"
            yield node.key_problem(f"{name} cannot be switched off for one ObsID", hint)
        elif node.value is None and not node.text:
            hint = "write {} for its defaults, null to switch off an inherited stage"
            yield node.key_problem(f"{name} says nothing", hint)


def _double_statements(root: LocatedValue) -> Iterator[Problem]:
    for stage, group, _ in _stage_groups(root):
        schemas = stages()[stage].schema()["properties"] if stage in stages() else {}
        before: list[str] = []
        for name, node in group.mapping.items():
            clash = [other for other in schemas.get(name, {}).get("x-replaces", ()) if other in before]
            if clash and node.value is not None:
                message = f"{name} and {' and '.join(clash)} say the same in two ways"
                yield node.key_problem(message, "keep one of them")
                break
            if node.value is not None:
                before.append(name)


def _path(key: str, node: LocatedValue, layer: RecipeFile) -> Iterator[Problem]:
    if node.text.startswith("~"):
        yield node.problem(f"{key}: ~ means nothing in a recipe", f"write the whole path, or use --{key}")
    parts = Path(node.text)
    if not layer.top and (parts.is_absolute() or ".." in parts.parts):
        message = f"{key}: a recipe that others extend may not point out of its directory ({node.text})"
        yield node.problem(message, f"write a path below it, or write {key} in the recipe that extends it")


def _complete(draft: Draft) -> Iterator[Problem]:
    if () in draft.faulty:
        return  # a misspelt key is what is missing
    if "observations" not in draft.tree.mapping:
        yield draft.top.problem("observations are missing", "list the ObsIDs: observations: [754, 28229]")
    place = draft.tree.child("stages")
    says_nothing = any(node.value is None and not node.text for node in place.mapping.values())
    if not draft.plan and draft.sound("stages") and not says_nothing:
        yield place.key_problem("no stage is wanted", "name one, as stages: {cleaned_chandra_evts: {}}")


def _switched_off(draft: Draft) -> Iterator[Problem]:
    for name, node in draft.tree.child("stages").mapping.items():
        if name in draft.plan and node.value is None and node.text:
            needed_by = [other for other in draft.plan if any(n.stage == name for n in get(other).needs)]
            message = f"{name} is switched off, but {' and '.join(needed_by)} cannot do without it"
            yield node.key_problem(message, "switch these off too, or write {} for its defaults")


def _per_observation(draft: Draft) -> Iterator[Problem]:
    """Entries of inherited files that do not concern this recipe are no mistakes."""
    listed = [str(node.value) for node in draft.tree.child("observations").items]
    for key, entry in draft.top.child("per_observation").mapping.items():
        if key not in listed and draft.sound("observations") and ("per_observation",) not in draft.faulty:
            message = f"{key} is not among the observations"
            yield entry.key_problem(message, did_you_mean(key, listed[:100], "they are"))
        for name, node in entry.mapping.items():
            if name in stages() and name not in draft.plan and draft.sound("stages"):
                message = f"{name} is not in the plan, so its settings for {key} have no effect"
                yield node.key_problem(message, f"add {name}: {{}} under stages, or remove this")


def _archives(draft: Draft) -> Iterator[Problem]:
    items = draft.tree.child("archive").items
    for item in items if len(items) > 1 else ():
        if item.text == "none":
            yield item.problem(
                "archive: none stands beside others", "write archive: none alone, or remove it"
            )


def _partners(settings: StageSettings) -> Iterator[Problem]:
    for name, node in settings.stated.items():
        partner = settings.schemas[name].get("x-with")
        if partner and node.value is not None and settings.text(partner) is None:
            yield node.key_problem(f"{name} is given without {partner}", "give both, or neither")


def _order(settings: StageSettings) -> Iterator[Problem]:
    for name, schema in settings.schemas.items():
        other = schema.get("x-less-than", "")
        blamed = settings.stated.get(name) or settings.stated.get(other)
        if not other or blamed is None:
            continue
        low, high = settings.text(name), settings.text(other)
        if low is None or high is None:
            continue
        if number_in_unit(low, schema["x-unit"]) >= number_in_unit(high, schema["x-unit"]):
            message = f"{name} ({low}) is not below {other} ({high})"
            yield blamed.problem(message, "write the lower one first")


def _files(settings: StageSettings) -> Iterator[Problem]:
    for name, node in settings.stated.items():
        path = settings.file(name)
        if path is None:
            continue
        if not os.path.isfile(path):
            hint = "write a path relative to this recipe file"
            yield node.problem(f"{name}: there is no file {node.text}", hint)
        elif path.stat().st_size > MAX_FILE_BYTES:
            message = f"{name}: {node.text} is larger than {MAX_FILE_BYTES // 1_000_000} MB"
            yield node.problem(message, "name the right file")
