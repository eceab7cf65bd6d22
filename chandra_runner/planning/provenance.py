"""What made the products: engines that differ within an observation, tools of another version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from chandra_runner.stages.stage import ANY

from .ledger import Ledger
from .plan import Plan, other_tools


def mixed_engines(ledger: Ledger, stages: Iterable[str]) -> str:
    """That the products of an observation were made by several engines, and which by which; else empty."""
    by_engine: dict[str, list[str]] = {}
    for stage in stages:
        made = ledger.manifest(stage)
        if made is not None and made.engine != ANY and made.outputs:
            by_engine.setdefault(made.engine, []).append(stage)
    if len(by_engine) < 2:
        return ""
    parts = (f"{', '.join(names)} by {engine}" for engine, names in sorted(by_engine.items()))
    return f"ObsID {ledger.obsid} mixes engines: {'; '.join(parts)}"


def notes(plan: Plan) -> Iterator[str]:
    """What a user should know of the products that are there, and that no task's decision says."""
    other: Counter[str] = Counter()
    for obsid in plan.recipe.observations:
        ledger = Ledger(plan.recipe.products, plan.recipe.data, obsid)
        mixed = mixed_engines(ledger, plan.order)
        if mixed:
            yield mixed
        if plan.ciao and not plan.renew:
            made = filter(None, map(ledger.manifest, plan.order))
            other.update(difference for each in made for difference in other_tools(each, plan.ciao))
    for difference, count in other.items():
        tasks = "1 task" if count == 1 else f"{count} tasks"
        yield f"{tasks} {difference}; --refresh tools makes them again"
