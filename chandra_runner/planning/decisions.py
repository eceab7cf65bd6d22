"""What is to be done about each task, and why. The reasons shown to users come from here alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from chandra_runner.ciao.installation import UNKNOWN, Installation, versions
from chandra_runner.stages.outcome import Outcome
from chandra_runner.stages.registry import get
from chandra_runner.stages.stage import RAW, Stage

from .fingerprint import (
    CALIBRATION_PREFIX,
    KINDS,
    FingerprintParts,
    calibration_inputs,
    differences,
    inputs_of,
)
from .ledger import Ledger
from .manifest import Manifest, other_files

if TYPE_CHECKING:
    from .plan import Plan


class Action(StrEnum):
    """What is to be done about a task."""

    RUN = "run"
    """It runs, or may have to because a task before it runs."""
    UP_TO_DATE = "up_to_date"
    """Its products are those that it would make."""
    EXCLUDED = "excluded"
    """The stage does not apply to this observation."""
    REFUSED = "refused"
    """It would replace products that CIAO made by native ones."""


@dataclass(frozen=True)
class Decision:
    """What is to be done about one task, and why.

    Parameters
    ----------
    observation, stage
        The task.
    action : Action
        What is to be done.
    reasons : tuple of str
        Why, as shown to the user.
    parts : FingerprintParts
        What the task's fingerprint would be made of.
    """

    observation: int
    stage: str
    action: Action
    reasons: tuple[str, ...]
    parts: FingerprintParts


def decide(plan: Plan, name: str, ledger: Ledger, pending: Collection[str] = ()) -> Decision:
    """Decide what is to be done about one task.

    Parameters
    ----------
    plan : Plan
        The plan that the task belongs to.
    name : str
        The task's stage.
    ledger : Ledger
        The products and raw data of the task's observation.
    pending : collection of str
        Stages whose products are not final, because they run first.
    """
    stage, made = get(name), ledger.manifest(name)
    # Raw data without an inventory are read once, by the task that makes it, not here too.
    inputs = {} if made is None and RAW in stage.makes else inputs_of(stage, ledger, pending)
    settings = plan.recipe.normal_settings(ledger.obsid, name) | _kinds(plan, stage, made)
    engine = plan.engines[name]
    parts = FingerprintParts(name, stage.version, engine, settings, inputs)
    decision = Decision(ledger.obsid, name, Action.RUN, (), _with_engine(parts, engine, plan, ledger))
    for before in plan.graph.predecessors(name):
        upstream = ledger.manifest(before)
        if before not in pending and upstream is not None and upstream.outcome is Outcome.EXCLUDED:
            return replace(decision, action=Action.EXCLUDED, reasons=(upstream.reason,))
    if made is None:
        failure = ledger.failure(name)
        return replace(decision, reasons=(f"failed last time: {failure}" if failure else "never made",))
    waits_for = [before for before in plan.graph.predecessors(name) if before in pending]
    return _decide_about_products(made, decision, plan, ledger, waits_for)


def other_versions(made: Manifest, ciao: Installation) -> Iterator[str]:
    """Yield how the versions of CIAO that made products differ from those of the installed CIAO."""
    if made.engine != "ciao":
        return
    for name, installed in versions(ciao).items():
        used = made.versions.get(name, UNKNOWN)
        if UNKNOWN not in (used, installed) and used != installed:
            yield f"made with {name} {used}, here {installed}"


def _decide_about_products(
    made: Manifest, decision: Decision, plan: Plan, ledger: Ledger, waits_for: Collection[str]
) -> Decision:
    """Return the decision about a task whose products exist."""
    engine = plan.engines[decision.stage]
    # With engine: auto, the products may be those of either engine.
    accepted = plan.recipe.engine == "auto" and made.engine in get(decision.stage).executors
    parts = _with_engine(decision.parts, made.engine, plan, ledger) if accepted else decision.parts
    reasons = ["forced"] if decision.stage in plan.forced else []
    if plan.refresh_data and RAW in get(decision.stage).makes:
        reasons.append("newer raw data are requested")
    reasons += differences(made.parts, parts, get(decision.stage), waits_for)
    reasons += ledger.damage(made)
    if plan.rerun_other_versions and plan.ciao:
        reasons += other_versions(made, plan.ciao)
    reasons += [f"its input may change: {before} runs first" for before in waits_for]
    if not reasons:
        if made.outcome is Outcome.EXCLUDED:
            return replace(decision, action=Action.EXCLUDED, reasons=(made.reason,))
        return replace(decision, action=Action.UP_TO_DATE)
    reasons += [
        f"keeps {name}, which it did not make" for name in other_files(ledger.directory / made.stage, made)
    ]
    if plan.recipe.engine == "auto" and made.engine == "ciao" and engine != "ciao":
        reasons.append(
            "these products were made with CIAO, which was not found; use engine: native to replace them"
        )
        return replace(decision, action=Action.REFUSED, reasons=tuple(reasons))
    return replace(decision, reasons=tuple(reasons))


def _kinds(plan: Plan, stage: type[Stage], made: Manifest | None) -> dict[str, list[str]]:
    """Return the kinds of raw files to download.

    Kinds that were needed once stay needed, so that a second recipe for the same data undoes nothing.
    """
    if RAW not in stage.makes:
        return {}
    needed = plan.kinds if plan.recipe.archive else frozenset()
    before = made.parts.settings.get(KINDS, ()) if made else ()
    return {KINDS: sorted(needed.union(before))} if needed or before else {}


def _with_engine(parts: FingerprintParts, engine: str, plan: Plan, ledger: Ledger) -> FingerprintParts:
    """Return the parts with an engine, and with the calibration files that this engine's executor reads.

    CIAO finds its own, which count by the version of its CALDB.
    """
    files = plan.recipe.calibration_files(ledger.obsid, parts.stage) if engine == "native" else ()
    others = {name: d for name, d in parts.inputs.items() if not name.startswith(CALIBRATION_PREFIX)}
    return replace(parts, engine=engine, inputs=others | calibration_inputs(files, ledger))
