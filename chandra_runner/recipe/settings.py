"""The settings of one stage: what the recipe states, and the schema's defaults for the rest.

Keywords in the schema of a setting beyond those of JSON Schema:

==================  ==========================================================================
``x-unit``          the setting is a quantity, as text; its canonical unit
``x-minimum`` ...   bounds of a quantity, in its canonical unit (``x-maximum``, ``x-exclusiveMinimum``)
``x-fingerprint``   false: the setting does not change the products
``x-when``          ``{"method": ["clean"]}``: it has an effect only with these values of other settings
``x-replaces``      settings that are another way to state the same: inherited ones are dropped
``x-with``          a setting that must be given, too
``x-less-than``     a setting that must be larger
``x-path``          the setting is a file, relative to the recipe; words that are not files
``x-hint``          what a message suggests where the value does not have the expected form
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

FILE_CONTENT = "sha256:"
"""What the normal form of a setting that names a file begins with; the digest of the file follows."""


@dataclass(frozen=True)
class StageSettings:
    """The settings of one stage, for one observation or for all that share them.

    Parameters
    ----------
    stage : type of Stage
        The stage.
    stated : Mapping of str to LocatedValue
        The settings that the recipe states, by name.
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
    def normal_form(self) -> Mapping[str, Any]:
        """The settings that make the products what they are, as the fingerprint sees them.

        In JSON types, units converted; without settings at their default, so that a fingerprint stays the
        same when a new setting is added, and without those that other settings leave without effect.
        """
        defaults = _default_canonical_values(self.stage)
        # Stated settings over the defaults, both in one form: 200 s and 0.2 ks are the same.
        stated = {name: self._content(name) for name in self.stated if name in defaults}
        effective = {name: value for name, value in {**defaults, **stated}.items() if self.has_effect(name)}
        # A stage may put several settings into one (bands for en_bounds and effective_ens). The defaults
        # go through the same change, so that the two can be compared.
        normal = self.stage.normal(effective)
        normal_defaults = self.stage.normal(defaults)
        return {
            name: value
            for name, value in normal.items()
            if name not in normal_defaults or value != normal_defaults[name]
        }

    def value(self, name: str) -> Any:
        """Return a setting as an executor sees it."""
        return self.file(name) or _parse(self._plain(name), self.schemas[name])

    def canonical_value(self, name: str) -> Any:
        """Return a setting in JSON types, quantities as text in their canonical unit."""
        return _canonical(self._plain(name), self.schemas[name])

    def file(self, name: str) -> Path | None:
        """Return the file that a setting names; None where it names none."""
        words = self.schemas[name].get("x-path")
        stated = self.stated.get(name)
        if words is None or stated is None or stated.value is None or stated.value in words:
            return None
        return (stated.file.parent / stated.text).absolute()

    def has_effect(self, name: str) -> bool:
        """Whether a setting has an effect with the values of the others."""
        conditions: Mapping[str, list[Any]] = self.schemas[name].get("x-when", {})
        return all(self._plain(other) in values for other, values in conditions.items())

    def _content(self, name: str) -> Any:
        """Return what a setting means for the products: a file counts by its content, not by its path."""
        path = self.file(name)
        if path is None:
            return self.canonical_value(name)
        with path.open("rb") as stream:
            return FILE_CONTENT + hashlib.file_digest(stream, "sha256").hexdigest()

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
def _default_canonical_values(stage: type[Stage]) -> Mapping[str, Any]:
    """Return the defaults of the settings that count in a fingerprint."""
    settings = StageSettings(stage, {})
    counting = [name for name, schema in settings.schemas.items() if schema.get("x-fingerprint", True)]
    return {name: settings.canonical_value(name) for name in counting}


def _parse(value: Any, schema: Schema) -> Any:
    if isinstance(value, list):
        return [_parse(item, schema["items"]) for item in value]
    if "x-unit" in schema and value is not None:
        return parse_quantity(value, schema["x-unit"])
    return float(value) if _is_real(value, schema) else value


def _canonical(value: Any, schema: Schema) -> Any:
    if isinstance(value, list):
        return [_canonical(item, schema["items"]) for item in value]
    if "x-unit" in schema and value is not None:
        return canonical_text(value, schema["x-unit"])
    # 3 and 3.0 would be different texts in the JSON that is digested.
    if _is_real(value, schema) and float(value).is_integer():
        return int(value)
    return value


def _is_real(value: Any, schema: Schema) -> bool:
    """Whether a value is a real number, for which 3 and 3.0 are the same."""
    types = schema.get("type", ())
    return ("number" in types) and isinstance(value, int | float) and not isinstance(value, bool)
