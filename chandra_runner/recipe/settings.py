"""The settings of one stage: what the recipe states, filled up with the schema's defaults.

What a property's schema says beyond JSON Schema:

==================  ==========================================================================
``x-unit``          a quantity, as text; its canonical unit
``x-minimum`` ...   bounds of a quantity, in its canonical unit (also ``x-maximum``, ``x-exclusiveMinimum``)
``x-fingerprint``   false: says nothing about the products
``x-when``          ``{"method": ["clean"]}``: applies only with these values of other settings
``x-replaces``      settings that say the same in another way: stating this one drops inherited ones
``x-with``          the setting that must be given too
``x-less-than``     the setting that must be larger
``x-path``          a file, relative to the recipe; the words in the list are no files
==================  ==========================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from chandra_runner.quantities import canonical_text, parse_quantity
from chandra_runner.stages.stage import Stage

from .located_value import LocatedValue

Schema = Mapping[str, Any]


@dataclass(frozen=True)
class StageSettings:
    """The settings of one stage, for one observation or for all that share them.

    Parameters
    ----------
    stage : type of Stage
        Whose.
    stated : Mapping of str to LocatedValue
        Those that the recipe states.
    """

    stage: type[Stage]
    stated: Mapping[str, LocatedValue]

    @property
    def schemas(self) -> Mapping[str, Schema]:
        """The schema of each setting."""
        properties: Mapping[str, Schema] = self.stage.schema()["properties"]
        return properties

    @cached_property
    def values(self) -> Mapping[str, Any]:
        """All settings as an executor sees them: quantities parsed, paths absolute, defaults filled in."""
        return {**_default_values(self.stage), **{name: self.value(name) for name in self.stated}}

    @cached_property
    def normal(self) -> Mapping[str, Any]:
        """What the fingerprint sees: JSON types, units converted, no defaults, nothing without effect."""
        defaults = _default_texts(self.stage)
        stated = {name: self._fingerprinted(name) for name in self.stated if name in defaults}
        texts = {name: text for name, text in {**defaults, **stated}.items() if self.applies(name)}
        said = self.stage.normal(texts)
        unsaid = self.stage.normal(defaults)
        return {name: text for name, text in said.items() if text != unsaid[name]}

    def value(self, name: str) -> Any:
        """One setting as an executor sees it."""
        return self.file(name) or _parsed(self._plain(name), self.schemas[name])

    def text(self, name: str) -> Any:
        """One setting in JSON types, quantities as text in their canonical unit."""
        return _normal(self._plain(name), self.schemas[name])

    def file(self, name: str) -> Path | None:
        """The file that a setting names; None where it names none."""
        words = self.schemas[name].get("x-path")
        node = self.stated.get(name)
        if words is None or node is None or node.value is None or node.value in words:
            return None
        return (node.file.parent / node.text).absolute()

    def applies(self, name: str) -> bool:
        """Whether the other settings let this one have an effect."""
        conditions: Mapping[str, list[Any]] = self.schemas[name].get("x-when", {})
        return all(self._plain(other) in values for other, values in conditions.items())

    def _fingerprinted(self, name: str) -> Any:
        """A file counts by what is in it, not by where it is."""
        path = self.file(name)
        if path is None:
            return self.text(name)
        with path.open("rb") as stream:
            return "sha256:" + hashlib.file_digest(stream, "sha256").hexdigest()

    def _plain(self, name: str) -> Any:
        return self.stated[name].plain() if name in self.stated else self.schemas[name].get("default")


class LazySettings:
    """Settings as attributes, parsed when they are read: most checks then need no astropy."""

    def __init__(self, settings: StageSettings) -> None:
        self._settings = settings

    def __getattr__(self, name: str) -> Any:
        if name not in self._settings.schemas:
            raise AttributeError(f"stage {self._settings.stage.name} has no setting {name}")
        return self._settings.value(name)


@cache
def _default_values(stage: type[Stage]) -> Mapping[str, Any]:
    settings = StageSettings(stage, {})
    return {name: settings.value(name) for name in settings.schemas}


@cache
def _default_texts(stage: type[Stage]) -> Mapping[str, Any]:
    """Of the settings that count in a fingerprint."""
    settings = StageSettings(stage, {})
    counting = [name for name, schema in settings.schemas.items() if schema.get("x-fingerprint", True)]
    return {name: settings.text(name) for name in counting}


def _parsed(value: Any, schema: Schema) -> Any:
    if isinstance(value, list):
        return [_parsed(item, schema["items"]) for item in value]
    if "x-unit" in schema and value is not None:
        return parse_quantity(value, schema["x-unit"])
    return float(value) if _is_real(value, schema) else value


def _normal(value: Any, schema: Schema) -> Any:
    if isinstance(value, list):
        return [_normal(item, schema["items"]) for item in value]
    if "x-unit" in schema and value is not None:
        return canonical_text(value, schema["x-unit"])
    if _is_real(value, schema) and float(value).is_integer():
        return int(value)
    return value


def _is_real(value: Any, schema: Schema) -> bool:
    """Whether 3 and 3.0 mean the same here."""
    kinds = schema.get("type", ())
    return ("number" in kinds) and isinstance(value, int | float) and not isinstance(value, bool)
