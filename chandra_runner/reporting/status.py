"""What there is of a recipe's products: nothing is run, nothing is written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from chandra_runner.planning.decisions import Action, Decision
from chandra_runner.planning.ledger import Ledger
from chandra_runner.planning.manifest import Manifest
from chandra_runner.planning.plan import Plan


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
