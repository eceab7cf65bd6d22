"""The documents of ``--json``."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chandra_runner.errors import Problem
    from chandra_runner.planning.decisions import Decision
    from chandra_runner.reporting.status import TaskState
    from chandra_runner.reporting.verify import CheckedFile
    from chandra_runner.running.task_report import TaskReport


def to_json(document: Mapping[str, Any]) -> str:
    """Return a document as text."""
    return json.dumps(document, indent=1, ensure_ascii=False)


def run_json(reports: Sequence[TaskReport]) -> str:
    """Return the document of a run: every task with its outcome, and how many there are of each."""
    tasks = [
        {
            "observation": report.observation,
            "stage": report.stage,
            "outcome": report.outcome,
            "reasons": report.reasons,
            "seconds": report.seconds,
            "warnings": report.warnings,
        }
        for report in reports
    ]
    return _tasks_json(tasks, [report.outcome for report in reports])


def plan_json(decisions: Sequence[Decision]) -> str:
    """Return the document of a plan."""
    tasks = [
        {
            "observation": decision.observation,
            "stage": decision.stage,
            "outcome": decision.action,
            "reasons": decision.reasons,
        }
        for decision in decisions
    ]
    return _tasks_json(tasks, [decision.action for decision in decisions])


def status_json(states: Sequence[TaskState]) -> str:
    """Return the document of the status."""
    return _tasks_json([asdict(task) for task in states], [task.state for task in states])


def problems_json(problems: Sequence[Problem]) -> str:
    """Return the document of a validation: the problems of the recipe."""
    return to_json({"problems": [{**asdict(problem), "file": str(problem.file)} for problem in problems]})


def verify_json(checked: Sequence[CheckedFile]) -> str:
    """Return the document of a verification: how much was read, and what is damaged."""
    damage = [{k: v for k, v in asdict(file).items() if k != "size"} for file in checked if file.problem]
    return to_json({"files": len(checked), "bytes": sum(file.size for file in checked), "damage": damage})


def _tasks_json(tasks: Sequence[Mapping[str, Any]], kinds: Sequence[StrEnum]) -> str:
    return to_json({"tasks": tasks, "counts": Counter(kinds)})
