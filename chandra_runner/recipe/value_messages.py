"""Explain why a schema rejects a value as a whole: what is wrong, and what would be right."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

from chandra_runner.quantities import QuantityError, expected_form
from chandra_runner.stages.registry import stages
from chandra_runner.suggestions import nearest, number_hint

from .located_value import LocatedValue

if TYPE_CHECKING:
    from .schema_messages import SchemaViolation

Message = tuple[str, str]
"""What is wrong, and what would be right."""

_MEANT_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}


def explain_value(violation: SchemaViolation) -> Message:
    """Return what is wrong with a value that its schema rejects; the validator's words where none fit."""
    if violation.keyword not in _MESSAGES:
        return violation.error.message, ""
    return _MESSAGES[violation.keyword](violation)


def _quantity(violation: SchemaViolation) -> Message:
    cause = violation.error.cause
    if isinstance(cause, QuantityError):
        return cause.message, cause.hint
    return (
        f"{violation.value.shown} is not a number with a unit",
        f"write {expected_form(violation.expected)}",
    )


def _type(violation: SchemaViolation) -> Message:
    types = violation.expected if isinstance(violation.expected, list) else [violation.expected]
    return _TYPES[next(name for name in types if name != "null")](violation)


def _number(violation: SchemaViolation) -> Message:
    value = violation.value
    whole = "whole " if "integer" in violation.expected else ""
    hint = number_hint(value.text) if isinstance(value.value, str) else ""
    # 3.0 and 2.5 arrive here where a whole number is expected.
    if isinstance(value.value, float):
        low, high = math.floor(value.value), math.ceil(value.value)
        hint = f"write {low}" if low == high else f"write {low} or {high}"
    if len(value.items) == 1:
        hint = f"write it without brackets: {value.items[0].shown}"
    hint = hint or f"write a {whole}number{_such_as(violation)}"
    return f"{value.shown} is not a {whole}number", hint


def _boolean(violation: SchemaViolation) -> Message:
    meant = _MEANT_BOOLEANS.get(violation.value.text.lower(), "true or false")
    return f"{violation.value.shown} is neither true nor false", f"write {meant}"


def _text(violation: SchemaViolation) -> Message:
    value = violation.value
    if "enum" in violation.schema:
        return _not_one_of(violation.schema["enum"], value)
    if isinstance(value.value, bool | int | float):
        return f"{value.shown} is not text", f'put it between quotes: "{value.text}"'
    return f"{value.shown} is not text", f"write a text{_such_as(violation)}"


def _list(violation: SchemaViolation) -> Message:
    text = violation.value.text
    # "754, 28229" and "broad" are what a list looks like to someone who does not know YAML.
    if re.fullmatch(r"[\w.:, -]+", text):
        return f"{violation.value.shown} is not a list", f"write it in brackets: [{text}]"
    return f"{violation.value.shown} is not a list", f"write a list{_such_as(violation)}"


def _mapping(violation: SchemaViolation) -> Message:
    value = violation.value
    # A name, or a list of names, where the stages with their settings belong.
    names = [item.text for item in value.items or (value,)]
    if all(name in stages() for name in names):
        return f"{value.shown} is not a mapping", f"write a stage as {names[0]}: {{}}"
    return f"{value.shown} is not a mapping", "write name: value, or {} for the defaults"


def _such_as(violation: SchemaViolation) -> str:
    """Return an example of what is expected, where the schema has one."""
    examples = [*violation.schema.get("examples", ()), violation.schema.get("default")]
    return f" such as {examples[0]}" if examples[0] else ""


_TYPES: Mapping[str, Callable[[SchemaViolation], Message]] = {
    "number": _number,
    "integer": _number,
    "boolean": _boolean,
    "string": _text,
    "array": _list,
    "object": _mapping,
}


def _enum(violation: SchemaViolation) -> Message:
    return _not_one_of(violation.expected, violation.value)


def _not_one_of(choices: Collection[Any], value: LocatedValue, hint: str = "") -> Message:
    """Explain a value that is not among the choices; `hint` replaces the list of the choices."""
    words = [str(choice) for choice in choices]
    near = nearest(value.text, words)
    otherwise = hint or f"write one of {', '.join(words)}"
    return f"{value.shown} is not a valid value", f"did you mean {near}?" if near else otherwise


def _any_of(violation: SchemaViolation) -> Message:
    # The names are the enum of one branch; what the others accept, such as URLs, is described by x-hint.
    choices = [choice for branch in violation.expected for choice in branch.get("enum", ())]
    return _not_one_of(choices, violation.value, violation.schema.get("x-hint", ""))


def _const(violation: SchemaViolation) -> Message:
    """Explain a format version that is not the one that this program reads."""
    value = violation.value.value
    if isinstance(value, int) and value > violation.expected:
        return f"format version {value} is newer than this program", "install a newer chandra_runner"
    return f"{violation.value.shown} is not a format version", f"write {violation.name}: {violation.expected}"


def _pattern(violation: SchemaViolation) -> Message:
    return f"{violation.value.shown} does not have the expected form", violation.schema.get("x-hint", "")


def _range(violation: SchemaViolation) -> Message:
    keywords = ("minimum", "exclusiveMinimum", "maximum")
    low, over, high = (violation.schema.get(keyword) for keyword in keywords)
    if high is None:
        hint = f"write {low} or more" if low is not None else f"write more than {over}"
    else:
        hint = f"write {low} to {high}" if low is not None else f"write more than {over}, at most {high}"
    return f"{violation.value.shown} is out of range", hint


def _too_few(violation: SchemaViolation) -> Message:
    count = len(violation.value.items)
    return f"{_items(count)} are too few" if count else "the list is empty", _items_hint(violation)


def _too_many(violation: SchemaViolation) -> Message:
    return f"{_items(len(violation.value.items))} are too many", _items_hint(violation)


def _items_hint(violation: SchemaViolation) -> str:
    low, high = violation.schema.get("minItems", 0), violation.schema.get("maxItems")
    if low == high:
        return f"write {_items(low)}"
    return f"write at least {_items(low)}" + (f" and at most {high}" if high else "")


def _items(count: int) -> str:
    return f"{count} item" if count == 1 else f"{count} items"


def _too_short(violation: SchemaViolation) -> Message:
    return "the text is empty", "write something, or omit it"


def _too_long(violation: SchemaViolation) -> Message:
    return f"{len(violation.value.text)} characters are too many", f"write at most {violation.expected}"


_MESSAGES: Mapping[str, Callable[[SchemaViolation], Message]] = {
    "x-unit": _quantity,
    "type": _type,
    "enum": _enum,
    "anyOf": _any_of,
    "const": _const,
    "pattern": _pattern,
    "minimum": _range,
    "exclusiveMinimum": _range,
    "maximum": _range,
    "minItems": _too_few,
    "maxItems": _too_many,
    "minLength": _too_short,
    "maxLength": _too_long,
}
