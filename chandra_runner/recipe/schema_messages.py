"""Explain what a schema rejects in words that an astronomer understands, with what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chandra_runner.errors import Problem
from chandra_runner.stages.registry import stages
from chandra_runner.suggestions import did_you_mean, nearest, number_hint

from .located_value import LocatedValue
from .value_messages import Message, explain_value

if TYPE_CHECKING:
    from jsonschema import ValidationError

KeyPath = tuple[str | int, ...]
"""Keys and positions that lead from the root of a file to a value."""

RECIPE = "recipe"
"""The kind of document whose keys may be stages."""


@dataclass(frozen=True)
class SchemaViolation:
    """A value that its schema rejects, and why.

    Parameters
    ----------
    error : jsonschema.ValidationError
        The error of the validator.
    value : LocatedValue
        The value that is rejected.
    path : KeyPath
        The keys and positions that lead to the value.
    document : str
        The kind of document, such as ``recipe``.
    """

    error: ValidationError
    value: LocatedValue
    path: KeyPath
    document: str

    @property
    def keyword(self) -> str:
        """The keyword of the schema that rejects the value: ``type``, ``enum``..."""
        return str(self.error.validator)

    @property
    def expected(self) -> Any:
        """The value of that keyword in the schema."""
        return self.error.validator_value

    @property
    def schema(self) -> Mapping[str, Any]:
        """The schema of the value."""
        return self.error.schema if isinstance(self.error.schema, Mapping) else {}

    @property
    def concerns_parts(self) -> bool:
        """Whether only parts of the value are wrong: unknown or missing keys, items given twice."""
        return self.keyword in _PARTS

    @property
    def name(self) -> str:
        """The innermost key that leads to the value."""
        names = [key for key in self.path if isinstance(key, str)]
        return names[-1] if names else self.document


def explain_violation(violation: SchemaViolation) -> Iterator[Problem]:
    """Yield the problems that a user has to solve for one error of the validator."""
    if violation.concerns_parts:
        yield from _PARTS[violation.keyword](violation)
        return
    message, hint = explain_value(violation)
    if violation.value.value is None and not violation.value.text:
        message = "the value is missing"
    yield violation.value.problem(f"{violation.name}: {message}", hint)


def _unknown_keys(violation: SchemaViolation) -> Iterator[Problem]:
    known = violation.schema.get("properties", {})
    patterns = violation.schema.get("patternProperties", {})
    # The validator reports all unknown keys in one error; a user needs the place of each.
    for key, value in violation.value.mapping.items():
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            yield value.key_problem(*_unknown_key(key, violation, known))


def _unknown_key(key: str, violation: SchemaViolation, known: Mapping[str, Any]) -> Message:
    """Explain one unknown key by what it looks like: an ObsID, a stage, a setting, or a misspelled name."""
    path = violation.path
    if violation.document != RECIPE:
        return _not_a_key(key, violation, known)
    if path == ("per_observation",):
        return f"{key} is not an ObsID", number_hint(key) or "write a positive whole number, such as 754"
    owners = " or ".join(name for name, stage in stages().items() if key in stage.schema()["properties"])
    if not path:
        return _unknown_key_of_recipe(key, owners) or _not_a_key(key, violation, known)
    # Under stages, and under an ObsID, there are stages; anywhere else below, there are settings.
    if path == ("stages",) or (len(path) == 2 and path[0] == "per_observation"):
        if owners and key not in stages():
            return f"{key} is a setting, not a stage", f"write it under {owners}"
        return f"there is no stage {key}", did_you_mean(key, list(stages()), "the stages are")
    return f"{violation.name} has no setting {key}", _setting_hint(key, list(known), owners)


def _not_a_key(key: str, violation: SchemaViolation, known: Mapping[str, Any]) -> Message:
    return f"{key} is not a key of a {violation.document}", did_you_mean(key, list(known), "the keys are")


def _unknown_key_of_recipe(key: str, owners: str) -> Message | None:
    if key in stages():
        return f"{key} is a stage", f"write it under stages, as stages: {{{key}: {{...}}}}"
    if owners:
        return f"{key} is a setting of {owners}", "write it there, under stages"
    return None


def _setting_hint(key: str, settings: Collection[str], owners: str) -> str:
    near = nearest(key, settings)
    if near and owners:
        return f"did you mean {near}? Or is it for {owners}?"
    return f"{owners} has" if owners else did_you_mean(key, settings, "its settings are")


def _missing_keys(violation: SchemaViolation) -> Iterator[Problem]:
    for key in violation.expected:
        if key not in violation.value.mapping:
            example = violation.schema.get("properties", {}).get(key, {}).get("const", "...")
            yield violation.value.problem(f"{key} is missing", f"begin with the line {key}: {example}")


def _repeated_items(violation: SchemaViolation) -> Iterator[Problem]:
    # repr, as items may be lists, which are not hashable, and 1 and true are not the same item.
    first: dict[str, LocatedValue] = {}
    for item in violation.value.items:
        key = repr(item.plain())
        if key in first:
            where = f"first in line {first[key].line}, column {first[key].column}"
            message = f"{violation.name}: {item.shown} is given twice ({where})"
            yield item.problem(message, "keep one of them")
        first.setdefault(key, item)


def _missing_companions(violation: SchemaViolation) -> Iterator[Problem]:
    settings = violation.value.mapping
    for key, others in violation.expected.items():
        missing = [other for other in others if other not in settings]
        if key in settings and missing:
            message = f"{key} is given without {' and '.join(missing)}"
            yield settings[key].key_problem(message, "give both, or neither")


_PARTS: Mapping[str, Callable[[SchemaViolation], Iterator[Problem]]] = {
    "additionalProperties": _unknown_keys,
    "required": _missing_keys,
    "uniqueItems": _repeated_items,
    "dependencies": _missing_companions,
}
