"""Whether the archives have newer versions of the raw data that are here."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from chandra_runner.archive.download.archives import open_archive
from chandra_runner.archive.download.connection_limit import PER_ARCHIVE
from chandra_runner.archive.download.file_selection import FileSelection, versions
from chandra_runner.archive.download.refresh import newer
from chandra_runner.archive.errors import ArchiveError
from chandra_runner.observation.raw_files import find_directory
from chandra_runner.planning.plan import Decision, Plan
from chandra_runner.stages.registry import get


def with_newer_data(plan: Plan, decisions: Sequence[Decision]) -> list[Decision]:
    """The decisions, with what the archives say of the raw data that are here among their reasons."""

    def ask(decision: Decision) -> Decision:
        if "raw" not in get(decision.stage).makes:
            return decision
        told = _newer(plan, decision.observation, Path(scratch))
        return replace(decision, reasons=(*decision.reasons, told)) if told else decision

    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(PER_ARCHIVE) as pool:
        return list(pool.map(ask, decisions))


def _newer(plan: Plan, obsid: int, scratch: Path) -> str:
    """What the first archive that answers has over the directory that is here; empty for nothing."""
    directory = find_directory(plan.recipe.data, obsid)
    if directory is None or not plan.recipe.archive:
        return ""
    timeout = float(plan.recipe.settings(obsid, "download")["idle_timeout"].to_value("s"))
    failed: list[str] = []
    for name in plan.recipe.archive:
        try:
            entries = open_archive(name, timeout, scratch, scratch).files(obsid)
        except ArchiveError as error:
            failed.append(f"{name}: {error.message}")
            continue
        found = newer(entries, directory, FileSelection(plan.kinds))
        if not found:
            return ""
        there, here = versions(found.values()), versions(found)
        return f"{name} has {there}, here is {here}: --refresh data takes it"
    return f"no archive tells of newer data: {'; '.join(failed)}"
