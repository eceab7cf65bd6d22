"""What there is of a recipe's products: nothing is run, nothing is written."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from chandra_runner.planning.ledger import Ledger
from chandra_runner.planning.manifest import Manifest
from chandra_runner.planning.plan import Action, Decision, Plan


class State(StrEnum):
    """What there is of one task."""

    UP_TO_DATE = "up_to_date"
    """The products that it would make."""
    OUT_OF_DATE = "out_of_date"
    """Products, but not those that it would make now."""
    EXCLUDED = "excluded"
    """There is nothing for it to do in this observation."""
    FAILED = "failed"
    """Nothing: it failed when it was last tried."""
    NOT_MADE = "not_made"
    """Nothing: it was never tried, or never came to its end."""


@dataclass(frozen=True)
class TaskState:
    """What there is of one task.

    Parameters
    ----------
    observation, stage
        Which task.
    state : State
        What there is.
    reasons : tuple of str
        Why it is excluded, or would run.
    engine : str
        What made the products; empty where there are none.
    started : str
        When, UTC, ISO 8601.
    seconds : float
        How long it took, s.
    warnings : tuple of str
        What the stage wanted the user to know.
    failure : str
        Why it failed when it was last tried; empty where it did not.
    """

    observation: int
    stage: str
    state: State
    reasons: tuple[str, ...] = ()
    engine: str = ""
    started: str = ""
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    failure: str = ""


def task_states(plan: Plan) -> Iterator[TaskState]:
    """What there is of each task of a plan, observation by observation."""
    for obsid in plan.recipe.observations:
        ledger = Ledger(plan.recipe.products, plan.recipe.data, obsid)
        for decision in plan.decisions(obsid):
            stage = decision.stage
            yield _task_state(decision, ledger.manifest(stage), ledger.failure(stage))


def status_table(states: Sequence[TaskState]) -> str:
    """A line a task."""
    rows = [
        (
            str(task.observation),
            task.stage,
            task.state.value.replace("_", " "),
            task.engine,
            task.started[:16].replace("T", " "),
            _remarks(task),
        )
        for task in states
    ]
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    lines = [
        "  ".join([row[0].rjust(widths[0]), *map(str.ljust, row[1:5], widths[1:5]), row[5]]).rstrip()
        for row in rows
    ]
    words = [f"{count} {state.replace('_', ' ')}" for state, count in _counts(states).items()]
    return "\n".join([*lines, f"{len(states)} tasks: {', '.join(words)}"])


def status_json(states: Sequence[TaskState]) -> str:
    """The document of ``--json``."""
    document = {"tasks": [asdict(task) for task in states], "counts": _counts(states)}
    return json.dumps(document, indent=1, ensure_ascii=False)


def _task_state(decision: Decision, made: Manifest | None, failure: str) -> TaskState:
    state = _state(decision, made, failure)
    task = TaskState(decision.observation, decision.stage, state, decision.reasons, failure=failure)
    if made is None:
        return task
    return replace(
        task, engine=made.engine, started=made.started, seconds=made.seconds, warnings=made.warnings
    )


def _state(decision: Decision, made: Manifest | None, failure: str) -> State:
    if decision.action is Action.EXCLUDED:
        return State.EXCLUDED
    if made is not None:
        return State.UP_TO_DATE if decision.action is Action.UP_TO_DATE else State.OUT_OF_DATE
    return State.FAILED if failure else State.NOT_MADE


def _remarks(task: TaskState) -> str:
    count = len(task.warnings)
    remarks = [f"{count} warning{'s' * (count > 1)}"] if count else []
    if task.state in (State.EXCLUDED, State.OUT_OF_DATE):
        remarks += task.reasons
    if task.failure:
        remarks.append(task.failure if task.state is State.FAILED else f"failed since: {task.failure}")
    return "; ".join(remarks)


def _counts(states: Sequence[TaskState]) -> dict[str, int]:
    counts = Counter(task.state for task in states)
    return {state.value: counts[state] for state in State if counts[state]}
