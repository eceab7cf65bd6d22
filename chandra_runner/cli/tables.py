"""What run, plan and validate print: lines for people, JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import indent

from chandra_runner.errors import Problem
from chandra_runner.planning.plan import Action, Decision
from chandra_runner.running.task_report import TaskReport
from chandra_runner.stages.stage import Outcome


def run_json(reports: Sequence[TaskReport]) -> str:
    """The document of ``--json``: every task with its outcome, and how many there are of each."""
    tasks = [
        {
            "observation": report.observation,
            "stage": report.stage,
            "outcome": report.outcome.value,
            "reasons": list(report.reasons),
            "seconds": report.seconds,
            "warnings": list(report.warnings),
        }
        for report in reports
    ]
    return _tasks_json(tasks, Counter(report.outcome.value for report in reports))


def plan_json(decisions: Sequence[Decision]) -> str:
    """The same document for a plan."""
    tasks = [
        {
            "observation": d.observation,
            "stage": d.stage,
            "outcome": d.action.value,
            "reasons": list(d.reasons),
        }
        for d in decisions
    ]
    return _tasks_json(tasks, Counter(d.action.value for d in decisions))


def problems_json(problems: Sequence[Problem]) -> str:
    """The document of ``validate --json``."""
    rows = [{**asdict(problem), "file": str(problem.file)} for problem in problems]
    return json.dumps({"problems": rows}, indent=1, ensure_ascii=False)


def run_summary(reports: Sequence[TaskReport], products: Path) -> str:
    """One or two lines about a run that has ended."""
    counts = Counter(report.outcome for report in reports)
    if not counts.keys() - {Outcome.UP_TO_DATE, Outcome.EXCLUDED}:
        nothing = f"nothing to do: {counts[Outcome.UP_TO_DATE]} tasks up to date"
        excluded = f", {counts[Outcome.EXCLUDED]} excluded" if counts[Outcome.EXCLUDED] else ""
        return nothing + excluded
    words = [f"{counts[outcome]} {_words(outcome)}" for outcome in Outcome if counts[outcome]]
    return f"{len(reports)} tasks: {', '.join(words)}\nproducts: {products}"


def plan_table(decisions: Sequence[Decision], commands: Mapping[tuple[int, str], str] | None = None) -> str:
    """What would run, and why: a line a task, followed by its commands where they are known."""
    width = max((len(d.stage) for d in decisions), default=0)
    rows = []
    for d in decisions:
        row = f"{d.observation:>6}  {d.stage:{width}}  {_words(d.action):10}  {'; '.join(d.reasons)}"
        rows.append(row.rstrip())
        if commands and d.action is Action.RUN and (d.observation, d.stage) in commands:
            rows.append(indent(commands[d.observation, d.stage], " " * 8))
    counts = Counter(d.action.value for d in decisions)
    words = [f"{counts[action.value]} {_words(action)}" for action in Action if counts[action.value]]
    return "\n".join([*rows, f"{len(decisions)} tasks: {', '.join(words)}"])


def _words(value: Outcome | Action) -> str:
    return value.value.replace("_", " ")


def _tasks_json(tasks: Sequence[object], counts: Counter[str]) -> str:
    return json.dumps({"tasks": tasks, "counts": dict(counts)}, indent=1, ensure_ascii=False)
