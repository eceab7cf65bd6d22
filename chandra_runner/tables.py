"""What the commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from pathlib import Path

from .errors import Problem
from .plan import Action, Decision
from .stage import Outcome, Stage
from .taskreport import TaskReport


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


def plan_table(decisions: Sequence[Decision]) -> str:
    """What would run, and why: a line a task."""
    width = max((len(d.stage) for d in decisions), default=0)
    rows = [
        f"{d.observation:>6}  {d.stage:{width}}  {_words(d.action):10}  {'; '.join(d.reasons)}".rstrip()
        for d in decisions
    ]
    counts = Counter(d.action.value for d in decisions)
    words = [f"{counts[action.value]} {_words(action)}" for action in Action if counts[action.value]]
    return "\n".join([*rows, f"{len(decisions)} tasks: {', '.join(words)}"])


def stages_table(stages: Iterable[type[Stage]]) -> str:
    """The stages there are: what each needs and makes, and which engines run it."""
    blocks = []
    for stage in stages:
        needs = ", ".join(f"{need.role} of {need.stage}" for need in stage.needs) or "nothing"
        engines = ", ".join(sorted(stage.executors)) or "none yet"
        blocks.append(
            f"{stage.name}\n  {stage.schema().get('description', '')}\n"
            f"  needs: {needs}\n  makes: {', '.join(stage.makes)}\n  engines: {engines}"
        )
    return "\n".join(blocks)


def stage_table(stage: type[Stage]) -> str:
    """The settings of a stage: name, default, meaning."""
    schema = stage.schema()
    rows = [f"{stage.name}: {schema.get('description', '')}", ""]
    for name, setting in schema["properties"].items():
        default = setting.get("default")
        shown = "none" if default is None else default if isinstance(default, str) else json.dumps(default)
        rows.append(f"  {name}  (default: {shown})\n      {setting.get('description', '')}")
    return "\n".join(rows)


def _words(value: Outcome | Action) -> str:
    return value.value.replace("_", " ")


def _tasks_json(tasks: Sequence[object], counts: Counter[str]) -> str:
    return json.dumps({"tasks": tasks, "counts": dict(counts)}, indent=1, ensure_ascii=False)
