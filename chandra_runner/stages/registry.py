"""The stages: the built-in ones and those of installed plugins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from types import MappingProxyType

from loguru import logger

from chandra_runner.errors import UsageError

from .stage import Stage

ENTRY_POINTS = "chandra_runner.stages"
BUILT_IN = (
    "download",
    "prepare_chandra_info",
    "chandra_repro",
    "deflare",
    "cleaned_chandra_evts",
    "flux_image",
    "rate_image",
)


@cache
def stages() -> Mapping[str, type[Stage]]:
    """Return all stages by name, the built-in ones first, in the order in which they usually run."""
    found = {name: _built_in(name) for name in BUILT_IN}
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda e: e.name):
        stage = _plugin(entry, found)
        if stage is not None:
            found[stage.name] = stage
    return MappingProxyType(found)


def get(name: str) -> type[Stage]:
    """Return the stage of that name.

    Raises
    ------
    UsageError
        There is no such stage.
    """
    if name in BUILT_IN:
        return _built_in(name)
    if name not in stages():
        raise UsageError(f"there is no stage {name!r}", f"the stages are {', '.join(stages())}")
    return stages()[name]


def modules_to_preload(engines: Mapping[str, str]) -> list[str]:
    """Return the modules of built-in stages and of their executors, given the engine of each stage."""
    packages = {f"chandra_runner.stages.{name}": engines[name] for name in BUILT_IN if name in engines}
    executors = (f"{package}.{engine}" for package, engine in packages.items())
    return [*packages, *filter(find_spec, executors)]


def _built_in(name: str) -> type[Stage]:
    module = import_module(f"chandra_runner.stages.{name}")
    stage: type[Stage] = module.STAGE
    return stage


def _plugin(entry: EntryPoint, taken: Mapping[str, type[Stage]]) -> type[Stage] | None:
    """Load one plugin; a broken one is named in a warning and left out."""
    who = f"{entry.dist.name} {entry.dist.version}" if entry.dist else entry.value
    try:
        stage = entry.load()
        if not (isinstance(stage, type) and issubclass(stage, Stage)):
            raise TypeError(f"{entry.value} is not a Stage")
        if stage.name != entry.name:
            raise ValueError(f"its stage is called {stage.name!r}, not {entry.name!r}")
        if stage.name in taken:
            raise ValueError("there is already a stage of that name")
        stage.schema()
    except Exception as error:  # a plugin's module can raise anything when it is imported
        logger.warning(f"plugin {who}: stage {entry.name!r} was not loaded: {type(error).__name__}: {error}")
        return None
    return stage


def with_dependencies(wanted: Iterable[str]) -> tuple[str, ...]:
    """Return the wanted stages and all that they need, in the order of `stages`."""
    waiting, found = list(wanted), set()
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [need.stage for need in get(name).needs]
    return tuple(name for name in stages() if name in found)
