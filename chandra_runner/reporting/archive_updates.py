"""Whether the archives have newer versions of the raw data."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from chandra_runner.observation.raw_files import find_directory
from chandra_runner.planning.decisions import Decision
from chandra_runner.planning.plan import Plan
from chandra_runner.stages.registry import get
from chandra_runner.stages.stage import RAW
from chandra_runner.stages.updates import UpdateCheck

_AT_A_TIME = 4
"""Number of ObsIDs that are asked for at the same time."""


def add_archive_updates(plan: Plan, decisions: Sequence[Decision]) -> list[Decision]:
    """Return the decisions with what the archives have that is newer among their reasons."""
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(_AT_A_TIME) as pool:
        return list(pool.map(lambda decision: _with_update(plan, decision, Path(scratch)), decisions))


def _with_update(plan: Plan, decision: Decision, scratch: Path) -> Decision:
    stage, obsid = get(decision.stage), decision.observation
    raw = find_directory(plan.recipe.data, obsid)
    if RAW not in stage.makes or raw is None or not plan.recipe.archive:
        return decision
    update = stage.find_updates(
        UpdateCheck(
            observation=obsid,
            raw=raw,
            archives=plan.recipe.archive,
            kinds=plan.kinds,
            settings=plan.recipe.settings(obsid, decision.stage),
            scratch=scratch,
        )
    )
    return replace(decision, reasons=(*decision.reasons, update)) if update else decision
