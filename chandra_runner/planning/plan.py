"""The plan of a recipe: its stages as a graph, in an order in which they can run."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from chandra_runner.ciao.installation import GET_CIAO, Installation, looked_for
from chandra_runner.errors import SiteError, UsageError
from chandra_runner.stages.registry import get, stages, with_dependencies
from chandra_runner.stages.stage import ANY, Stage

from .decisions import Action, Decision, decide
from .ledger import Ledger

if TYPE_CHECKING:
    import networkx as nx

    from chandra_runner.recipe.recipe import Recipe


@dataclass(frozen=True)
class Plan:
    """The stages of a recipe, how they depend on each other, and what runs them.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    graph : networkx.DiGraph
        Stage names; an edge from each stage to those that need it.
    order : tuple of str
        The stages, every one after all that it needs.
    engines : Mapping of str to str
        The executor of each stage.
    forced : frozenset of str
        Stages that run even if they are up to date.
    ciao : Installation or None
        The installed CIAO.
    rerun_other_versions : bool
        Whether products that another version of CIAO made are made again.
    refresh_data : bool
        Whether the archives are asked for newer raw data.
    """

    recipe: Recipe
    graph: nx.DiGraph[str]
    order: tuple[str, ...]
    engines: Mapping[str, str]
    forced: frozenset[str] = frozenset()
    ciao: Installation | None = None
    rerun_other_versions: bool = False
    refresh_data: bool = False

    @cached_property
    def kinds(self) -> frozenset[str]:
        """Kinds of raw files that the recipe's stages read."""
        return frozenset().union(*(get(name).raw for name in with_dependencies(self.recipe.stages)))

    def decisions(self, obsid: int) -> Iterator[Decision]:
        """Yield what would be done about each task of an observation, without doing it."""
        ledger = Ledger(self.recipe.products, self.recipe.data, obsid)
        pending: set[str] = set()
        for stage in self.order:
            decision = decide(self, stage, ledger, pending)
            if decision.action is Action.RUN:
                pending.add(stage)
            yield decision


def make_plan(
    recipe: Recipe,
    *,
    ciao: Installation | None = None,
    up_to: Collection[str] = (),
    force: Collection[str] = (),
    rerun_other_versions: bool = False,
    refresh_data: bool = False,
) -> Plan:
    """Order a recipe's stages.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    ciao : Installation or None
        The installed CIAO, as `chandra_runner.ciao.installation.find_ciao` finds it.
    up_to : collection of str
        Only these stages and those that they need; empty for all stages of the recipe.
    force : collection of str
        Stages that run even if they are up to date.
    rerun_other_versions : bool
        Whether products that another version of CIAO made are made again.
    refresh_data : bool
        Whether the archives are asked for newer raw data.

    Raises
    ------
    UsageError
        `up_to` or `force` names a stage that is not in the plan.
    SiteError
        A stage has no executor that can run here.

    Examples
    --------
    >>> from chandra_runner import load_recipe, make_plan
    >>> recipe = load_recipe("recipes/quickstart.yaml")
    >>> make_plan(recipe, up_to=["deflare"]).order
    ('download', 'prepare_chandra_info', 'chandra_repro', 'deflare')
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
    return Plan(
        recipe,
        graph,
        order,
        engines,
        frozenset(force),
        ciao=ciao,
        rerun_other_versions=rerun_other_versions,
        refresh_data=refresh_data,
    )


def stage_graph(wanted: Iterable[str]) -> nx.DiGraph[str]:
    """Return the wanted stages and all that they need; an edge from each stage to those that need it.

    Raises
    ------
    UsageError
        The stages need each other in a cycle.
    """
    import networkx as nx

    graph: nx.DiGraph[str] = nx.DiGraph()
    for name in with_dependencies(wanted):
        graph.add_node(name)
        graph.add_edges_from((need.stage, name) for need in get(name).needs)
    if not nx.is_directed_acyclic_graph(graph):
        cycle = " -> ".join(edge[0] for edge in nx.find_cycle(graph))
        raise UsageError(f"the stages {cycle} need each other", "one of these plugins is wrong")
    return graph


def _check_names(option: str, names: Collection[str], graph: nx.DiGraph[str]) -> None:
    for name in names:
        if name not in graph:
            known = ", ".join(stage for stage in stages() if stage in graph)
            raise UsageError(f"{option} {name}: the plan has no such stage", f"its stages are {known}")


def _engine(stage: type[Stage], requested: str, ciao: Installation | None) -> str:
    """Return which of a stage's executors runs."""
    available = stage.executors
    if ANY in available:
        return ANY
    if requested in ("auto", "ciao") and "ciao" in available and ciao is not None:
        return "ciao"
    if requested in ("auto", "native") and "native" in available:
        return "native"
    if requested == "ciao" and ciao is None:
        raise SiteError(f"engine: ciao requires CIAO, but CIAO was not found ({looked_for()})", GET_CIAO)
    engines = " and ".join(available) or "none"
    raise SiteError(
        f"stage {stage.name} cannot run with engine: {requested} here (its executors: {engines})",
        "switch the stage off, or choose another engine",
    )
