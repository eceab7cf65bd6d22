"""What would run, and why: a recipe's stages as a graph, walked once per observation."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from chandra_runner.ciao.installation import GET_CIAO, UNKNOWN, Installation, looked_for, versions
from chandra_runner.errors import SiteError, UsageError
from chandra_runner.stages.registry import get, stages, with_dependencies
from chandra_runner.stages.stage import ANY, Outcome, Stage

from .ledger import KINDS, Ledger, compare, inputs_of
from .manifest import FingerprintParts, Manifest

if TYPE_CHECKING:
    import networkx as nx

    from chandra_runner.recipe.recipe import Recipe


class Action(StrEnum):
    """What is to be done about a task."""

    RUN = "run"
    """It runs, or may have to: something before it runs."""
    UP_TO_DATE = "up_to_date"
    """Its products are those that it would make."""
    EXCLUDED = "excluded"
    """There is nothing for it to do in this observation."""
    REFUSED = "failed"
    """It would replace CIAO's products by native ones."""


@dataclass(frozen=True)
class Decision:
    """What is to be done about one task, and why.

    Parameters
    ----------
    observation, stage
        Which task.
    action : Action
        What is to be done.
    reasons : tuple of str
        Why, in the words shown to the user.
    parts : FingerprintParts
        What the task's fingerprint would be made of.
    """

    observation: int
    stage: str
    action: Action
    reasons: tuple[str, ...]
    parts: FingerprintParts


@dataclass(frozen=True)
class Plan:
    """The stages of a recipe in an order in which they can run, and how they depend on each other.

    Parameters
    ----------
    recipe : Recipe
        Of which.
    graph : networkx.DiGraph
        Stage names; an edge from each stage to those that need it.
    order : tuple of str
        Every stage after all that it needs.
    engines : Mapping of str to str
        Which executor runs each stage.
    forced : frozenset of str
        Stages that run though they are up to date.
    ciao : Installation or None
        The CIAO that is here.
    renew : bool
        Whether what another version of CIAO made is made again.
    refresh : bool
        Whether the archives are asked for newer raw data.
    """

    recipe: Recipe
    graph: nx.DiGraph[str]
    order: tuple[str, ...]
    engines: Mapping[str, str]
    forced: frozenset[str] = frozenset()
    ciao: Installation | None = None
    renew: bool = False
    refresh: bool = False

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Kinds of raw files that the recipe's stages want."""
        return frozenset().union(*(get(name).raw for name in with_dependencies(self.recipe.stages)))

    def decisions(self, obsid: int) -> Iterator[Decision]:
        """What would be done about each task of an observation, without doing it."""
        ledger = Ledger(self.recipe.products, self.recipe.data, obsid)
        unsettled: set[str] = set()
        for stage in self.order:
            decision = decide(self, stage, ledger, unsettled)
            if decision.action is Action.RUN:
                unsettled.add(stage)
            yield decision


def make_plan(
    recipe: Recipe,
    *,
    ciao: Installation | None,
    up_to: Collection[str] = (),
    force: Collection[str] = (),
    renew: bool = False,
    refresh: bool = False,
) -> Plan:
    """Order a recipe's stages.

    Parameters
    ----------
    recipe : Recipe
        What is wanted.
    ciao : Installation or None
        The CIAO that is here.
    up_to : collection of str
        Only these stages and what they need; all wanted ones when empty.
    force : collection of str
        Stages that are to run though they are up to date.
    renew : bool
        Whether what another version of CIAO made is to be made again.
    refresh : bool
        Whether the archives are to be asked for newer raw data.

    Raises
    ------
    UsageError
        `up_to` or `force` names a stage that is not in the plan.
    SiteError
        A stage has no executor that can run here.
    """
    import networkx as nx

    graph = stage_graph(recipe.stages)
    _check_names("--stage", up_to, graph)
    if up_to:
        keep = set(up_to).union(*(nx.ancestors(graph, stage) for stage in up_to))
        graph = graph.subgraph(keep).copy()
    _check_names("--force", force, graph)
    rank = {name: position for position, name in enumerate(stages())}
    order = tuple(nx.lexicographical_topological_sort(graph, key=rank.__getitem__))
    engines = {stage: _engine(get(stage), recipe.engine, ciao) for stage in order}
    return Plan(recipe, graph, order, engines, frozenset(force), ciao=ciao, renew=renew, refresh=refresh)


def stage_graph(wanted: Iterable[str]) -> nx.DiGraph[str]:
    """The wanted stages and all that they need; an edge from each stage to those that need it."""
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for name in with_dependencies(wanted):
        graph.add_node(name)
        graph.add_edges_from((need.stage, name) for need in get(name).needs)
    if not nx.is_directed_acyclic_graph(graph):
        ring = " -> ".join(edge[0] for edge in nx.find_cycle(graph))
        raise UsageError(f"the stages {ring} need each other", "one of these plugins is wrong")
    return graph


def decide(plan: Plan, name: str, ledger: Ledger, unsettled: Collection[str] = ()) -> Decision:
    """What is to be done about one task.

    Parameters
    ----------
    plan : Plan
        Of the recipe.
    name : str
        The stage.
    ledger : Ledger
        Of the observation.
    unsettled : collection of str
        Stages whose products are not final, because they would run first.
    """
    stage, made = get(name), ledger.manifest(name)
    # Raw data that were never inventoried are read once, by the download, not here too.
    inputs = {} if made is None and "raw" in stage.makes else inputs_of(stage, ledger, unsettled)
    settings = plan.recipe.normal_settings(ledger.obsid, name) | _kinds(plan, stage, made)
    parts = FingerprintParts(name, stage.version, plan.engines[name], settings, inputs)
    decision = Decision(ledger.obsid, name, Action.RUN, (), parts)
    for before in plan.graph.predecessors(name):
        upstream = ledger.manifest(before)
        if before not in unsettled and upstream is not None and upstream.outcome == Outcome.EXCLUDED:
            return replace(decision, action=Action.EXCLUDED, reasons=(upstream.reason,))
    if made is None:
        failure = ledger.failure(name)
        return replace(decision, reasons=(f"failed last time: {failure}" if failure else "never made",))
    waits_for = [before for before in plan.graph.predecessors(name) if before in unsettled]
    return _compare_with(made, replace(decision, parts=_accept(made, plan, parts)), plan, ledger, waits_for)


def _compare_with(
    made: Manifest, decision: Decision, plan: Plan, ledger: Ledger, waits_for: Collection[str]
) -> Decision:
    """The decision about a task whose products exist."""
    reasons = ["forced"] if decision.stage in plan.forced else []
    if plan.refresh and "raw" in get(decision.stage).makes:
        reasons.append("newer raw data are asked for")
    reasons += compare(made.parts, decision.parts, get(decision.stage), waits_for)
    reasons += ledger.damage(made)
    if plan.renew and plan.ciao:
        reasons += other_tools(made, plan.ciao)
    reasons += [f"its input may change: {before} runs first" for before in waits_for]
    if reasons and plan.recipe.engine == "auto" and made.engine == "ciao" != plan.engines[decision.stage]:
        reasons.append("made by CIAO, which is not here; engine: native would replace it")
        return replace(decision, action=Action.REFUSED, reasons=tuple(reasons))
    if reasons:
        parts = replace(decision.parts, engine=plan.engines[decision.stage])
        return replace(decision, reasons=tuple(reasons), parts=parts)
    if made.outcome == Outcome.EXCLUDED:
        return replace(decision, action=Action.EXCLUDED, reasons=(made.reason,))
    return replace(decision, action=Action.UP_TO_DATE)


def _kinds(plan: Plan, stage: type[Stage], made: Manifest | None) -> dict[str, list[str]]:
    """What a download is to bring: what was wanted once stays wanted, so that no second recipe undoes it."""
    if "raw" not in stage.makes:
        return {}
    wanted = plan.kinds if plan.recipe.archive else frozenset()
    before = made.parts.settings.get(KINDS, ()) if made else ()
    return {KINDS: sorted(wanted.union(before))} if wanted or before else {}


def other_tools(made: Manifest, ciao: Installation) -> Iterator[str]:
    """In which versions the tools that made products of CIAO differ from those that are here."""
    if made.engine != "ciao":
        return
    for name, here in versions(ciao).items():
        then = made.versions.get(name, UNKNOWN)
        if UNKNOWN not in (then, here) and then != here:
            yield f"made with {name} {then}, here {here}"


def _accept(made: Manifest, plan: Plan, parts: FingerprintParts) -> FingerprintParts:
    """With ``engine: auto`` the products of either engine are as good."""
    either = plan.recipe.engine == "auto" and made.engine in get(parts.stage).executors
    return replace(parts, engine=made.engine) if either else parts


def _check_names(option: str, names: Collection[str], graph: nx.DiGraph[str]) -> None:
    for name in names:
        if name not in graph:
            known = ", ".join(stage for stage in stages() if stage in graph)
            raise UsageError(f"{option} {name}: no such stage in the plan", f"its stages are {known}")


def _engine(stage: type[Stage], wanted: str, ciao: Installation | None) -> str:
    """Which of a stage's executors runs."""
    has = stage.executors
    if ANY in has:
        return ANY
    if wanted in ("auto", "ciao") and "ciao" in has and ciao is not None:
        return "ciao"
    if wanted in ("auto", "native") and "native" in has:
        return "native"
    if wanted == "ciao" and ciao is None:
        message = f"stage {stage.name}: engine: ciao needs CIAO, which is not here ({looked_for()})"
        raise SiteError(message, GET_CIAO)
    engines = " and ".join(has) or "none"
    raise SiteError(
        f"stage {stage.name} has no executor for engine: {wanted} here (it has {engines})",
        "switch the stage off, or choose another engine",
    )
