"""A recipe merged with all that it extends, before it is known to be valid as a whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chandra_runner.stages.registry import stages, with_dependencies

from .inheritance import RecipeFile, merge_recipe_files, merge_settings
from .located_value import LocatedValue
from .schema_messages import KeyPath
from .schema_validation import SchemaProblem
from .settings import StageSettings


@dataclass(frozen=True, kw_only=True)
class MergedRecipe:
    """A recipe merged with all that it extends, checked by the schema, not yet known to be valid as a whole.

    Parameters
    ----------
    tree : LocatedValue
        All recipe files merged.
    own : LocatedValue
        The recipe's own file.
    rejected : frozenset of KeyPath
        Where the schema found something wrong; there, nothing else is reported.
    stages : tuple of str
        The stages of the plan: those that are requested and those that they need.
    stage_settings : Mapping of str to StageSettings
        Settings of the stages of the plan.
    observation_settings : Mapping of (int, str) to StageSettings
        Settings by ObsID and stage, where they differ for one observation.
    """

    tree: LocatedValue
    own: LocatedValue
    rejected: frozenset[KeyPath]
    stages: tuple[str, ...]
    stage_settings: Mapping[str, StageSettings]
    observation_settings: Mapping[tuple[int, str], StageSettings]

    def is_valid(self, *path: str) -> bool:
        """Whether the schema accepts everything at and below a path."""
        return not any(rejected[: len(path)] == path for rejected in self.rejected)

    def is_valid_below(self, *path: str) -> bool:
        """Whether the schema accepts everything below a path; unknown keys at the path do no harm."""
        return not any(
            rejected[: len(path)] == path and len(rejected) > len(path) for rejected in self.rejected
        )


def merge_recipe(recipe_files: list[RecipeFile], problems: list[SchemaProblem]) -> MergedRecipe:
    """Merge recipe files and gather the settings of every stage of the plan.

    Values that the schema rejects are merged, too: the checks of the whole recipe must go on, so that a
    user sees all problems at once. `MergedRecipe.rejected` says which parts they have to leave alone.

    Parameters
    ----------
    recipe_files : list of RecipeFile
        The recipe and all that it extends; at least one.
    problems : list of SchemaProblem
        What the schema rejects in these files.
    """
    tree = merge_recipe_files(recipe_files)
    stated = tree.child("stages").mapping
    names = with_dependencies(requested_stages(tree))
    stage_settings = {name: _stage_settings(name, stated.get(name)) for name in names}
    return MergedRecipe(
        tree=tree,
        own=recipe_files[-1].root,
        # Positions in lists become text, as paths are compared with keys that are written in the recipe.
        rejected=frozenset(tuple(str(key) for key in problem.path) for problem in problems),
        stages=names,
        stage_settings=stage_settings,
        observation_settings=_observation_settings(tree, stage_settings),
    )


def requested_stages(tree: LocatedValue) -> tuple[str, ...]:
    """Return the stages that a recipe requests, in the order in which they run; null switches one off."""
    stated = tree.child("stages").mapping
    return tuple(name for name in stages() if name in stated and stated[name].value is not None)


def _stage_settings(name: str, stated: LocatedValue | None) -> StageSettings:
    stage = stages()[name]
    known = stage.schema()["properties"]
    settings = {key: value for key, value in stated.mapping.items() if key in known} if stated else {}
    return StageSettings(stage, settings)


def _observation_settings(
    tree: LocatedValue, stage_settings: Mapping[str, StageSettings]
) -> dict[tuple[int, str], StageSettings]:
    """Return the settings of the observations that have some of their own, complete with the common ones."""
    found = {}
    for key, entry in tree.child("per_observation").mapping.items():
        for name, stated in entry.mapping.items():
            if name in stage_settings and re.fullmatch("[1-9][0-9]*", key):
                # The same rule as between files: bands for one observation replace en_bounds for all.
                base, over = stage_settings[name], _stage_settings(name, stated)
                merged = merge_settings(base.stated, over.stated, base.schemas)
                found[int(key), name] = StageSettings(base.stage, merged)
    return found
