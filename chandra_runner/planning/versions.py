"""The versions and engines that made products."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from chandra_runner.ciao.installation import Installation
from chandra_runner.ciao.installation import versions as ciao_versions
from chandra_runner.stages.stage import ANY

from .ledger import Ledger

PACKAGES = ("chandra_runner", "numpy", "astropy")


@cache
def versions_of(engine: str, ciao: Installation | None) -> Mapping[str, str]:
    """Return the versions, by name, of this program and of what an engine uses."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # imported from a checkout that is not installed
            versions[package] = "unknown"
    if engine == "ciao" and ciao is not None:
        versions.update(ciao_versions(ciao))
    return versions


def mixed_engines(ledger: Ledger, stages: Iterable[str]) -> str:
    """Say which stages of an observation were made by which engine, if by several; otherwise empty."""
    by_engine: dict[str, list[str]] = {}
    for stage in stages:
        made = ledger.manifest(stage)
        if made is not None and made.engine != ANY and made.outputs:
            by_engine.setdefault(made.engine, []).append(stage)
    if len(by_engine) < 2:
        return ""
    parts = (f"{', '.join(names)} by {engine}" for engine, names in sorted(by_engine.items()))
    return f"ObsID {ledger.obsid} mixes engines: {'; '.join(parts)}"
