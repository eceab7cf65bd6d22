"""Which versions of what made a product."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from chandra_runner.ciao.installation import Installation
from chandra_runner.ciao.installation import versions as ciao_versions

PACKAGES = ("chandra_runner", "numpy", "astropy")


@cache
def versions_of(engine: str, ciao: Installation | None) -> Mapping[str, str]:
    """Versions by name, of the runner and of what the engine uses."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:  # run from a bare checkout
            versions[package] = "unknown"
    if engine == "ciao" and ciao is not None:
        versions.update(ciao_versions(ciao))
    return versions
