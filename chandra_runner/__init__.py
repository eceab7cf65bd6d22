"""Reduce Chandra X-ray observations from a recipe file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chandra_runner.observation.oif import parse_oif

__version__ = "0.1.0"
__all__ = ["__version__", "parse_oif"]


def __getattr__(name: str) -> object:
    # astropy is imported where it is used: `chandra-run --help` must answer at once.
    if name == "parse_oif":
        from chandra_runner.observation.oif import parse_oif

        return parse_oif
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
