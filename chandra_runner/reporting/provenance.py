"""What a user should know about existing products that no decision says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from chandra_runner.planning.decisions import other_versions
from chandra_runner.planning.ledger import Ledger
from chandra_runner.planning.plan import Plan
from chandra_runner.planning.versions import mixed_engines


def notes(plan: Plan) -> Iterator[str]:
    """Yield observations whose products were made by several engines, and other versions of CIAO."""
    differing: Counter[str] = Counter()
    for obsid in plan.recipe.observations:
        ledger = Ledger(plan.recipe.products, plan.recipe.data, obsid)
        mixed = mixed_engines(ledger, plan.order)
        if mixed:
            yield mixed
        if plan.ciao and not plan.rerun_other_versions:
            made = filter(None, map(ledger.manifest, plan.order))
            differing.update(text for each in made for text in other_versions(each, plan.ciao))
    for text, count in differing.items():
        tasks = "1 task" if count == 1 else f"{count} tasks"
        yield f"{tasks} {text}; use --refresh tools to make them again"
