"""What the schema refuses, in words that an astronomer understands, with what would be right."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from chandra_runner.errors import Problem
from chandra_runner.quantities import QuantityError, expected_form
from chandra_runner.stages.registry import stages
from chandra_runner.suggestions import did_you_mean, number_hint

from .located_value import LocatedValue

Path = tuple[str | int, ...]
"""Keys and positions that lead from the root of a file to a value."""

_SHOWN = 40
_MEANT_BOOLEANS = {
    **dict.fromkeys(("yes", "on", "y", "true", "1"), "true"),
    **dict.fromkeys(("no", "off", "n", "false", "0"), "false"),
}


@dataclass(frozen=True)
class Refusal:
    """What a schema has against a value.

    Parameters
    ----------
    keyword : str
        The keyword of the schema that refuses: ``type``, ``enum``...
    wanted : Any
        What the schema says there.
    schema : Mapping
        The schema of the value.
    message : str
        What jsonschema says about it.
    cause : QuantityError, optional
        What is wrong with a number with a unit.
    """

    keyword: str
    wanted: Any
    schema: Mapping[str, Any]
    message: str
    cause: QuantityError | None = None

    @property
    def of_value(self) -> bool:
        """Whether it is about the value as a whole, and not about some of its parts."""
        return self.keyword not in _OF_PARTS

    @property
    def of_keys(self) -> bool:
        """Whether it is only that some keys are unknown."""
        return self.keyword == "additionalProperties"


def explain(refusal: Refusal, node: LocatedValue, path: Path) -> Iterator[Problem]:
    """Problems for one thing that the schema refuses, at a node and the path that leads to it."""
    if refusal.keyword in _OF_PARTS:
        yield from _OF_PARTS[refusal.keyword](refusal, node, path)
        return
    message, hint = _OF_VALUES.get(refusal.keyword, _other)(refusal, node)
    if node.value is None and not node.text:
        message = "there is no value"
    yield node.problem(f"{_name(path)}: {message}", hint)


def shown(node: LocatedValue) -> str:
    """A value as it is written, cut where it is long."""
    if isinstance(node.value, Mapping):
        return "a group of settings" if node.value else "{}"
    if isinstance(node.value, tuple):
        return "a list" if node.value else "[]"
    text = node.text if len(node.text) <= _SHOWN else f"{node.text[:_SHOWN]}..."
    if node.quoted:
        return f'"{text}"'
    return text


def _name(path: Path) -> str:
    """The innermost key that leads to a value."""
    names = [key for key in path if isinstance(key, str)]
    return names[-1] if names else "recipe"


# Errors that are about parts of a value: keys that are too many or missing, items given twice.


def _unknown(refusal: Refusal, node: LocatedValue, path: Path) -> Iterator[Problem]:
    known = refusal.schema.get("properties", {})
    patterns = refusal.schema.get("patternProperties", {})
    for key, value in node.mapping.items():
        if key not in known and not any(re.search(pattern, key) for pattern in patterns):
            yield value.key_problem(*_unknown_key(key, path, known))


def _unknown_key(key: str, path: Path, known: Mapping[str, Any]) -> tuple[str, str]:
    owners = " or ".join(name for name, stage in stages().items() if key in stage.schema()["properties"])
    if path == ("per_observation",):
        return f"{key} is not an ObsID", number_hint(key) or "write a positive whole number, such as 754"
    if not path and key in stages():
        return f"{key} is a stage", f"write it under stages, as stages: {{{key}: {{...}}}}"
    if not path and owners:
        return f"{key} is a setting of {owners}", "write it there, under stages"
    if not path:
        return f"a recipe has no {key}", did_you_mean(key, list(known), "it has")
    if path == ("stages",) or (len(path) == 2 and path[0] == "per_observation"):
        if owners and key not in stages():
            return f"{key} is a setting, not a stage", f"write it inside {owners}"
        return f"there is no stage {key}", did_you_mean(key, list(stages()), "the stages are")
    hint = did_you_mean(key, list(known), "its settings are")
    if owners:
        hint = f"{owners} has" if hint.startswith("its") else f"{hint} Or is it for {owners}?"
    return f"{_name(path)} has no setting {key}", hint


def _required(refusal: Refusal, node: LocatedValue, path: Path) -> Iterator[Problem]:
    for key in refusal.wanted:
        if key not in node.mapping:
            example = "1" if key == "recipe" else "..."
            yield node.problem(f"{key} is missing", f"begin with the line {key}: {example}")


def _twice(refusal: Refusal, node: LocatedValue, path: Path) -> Iterator[Problem]:
    first: dict[str, LocatedValue] = {}
    for item in node.items:
        key = repr(item.plain())
        if key in first:
            where = f"first in line {first[key].line}, column {first[key].column}"
            yield item.problem(f"{_name(path)}: {shown(item)} is given twice ({where})", "keep one of them")
        first.setdefault(key, item)


def _together(refusal: Refusal, node: LocatedValue, path: Path) -> Iterator[Problem]:
    for key, others in refusal.wanted.items():
        missing = [other for other in others if other not in node.mapping]
        if key in node.mapping and missing:
            message = f"{key} is given without {' and '.join(missing)}"
            yield node.mapping[key].key_problem(message, "they go together: give both, or neither")


# Errors that are about a value as a whole.

_Sentence = tuple[str, str]


def _other(refusal: Refusal, node: LocatedValue) -> _Sentence:
    return refusal.message, ""


def _unit(refusal: Refusal, node: LocatedValue) -> _Sentence:
    cause = refusal.cause
    if cause is None:
        return f"{shown(node)} is not a number with a unit", f"write {expected_form(refusal.wanted)}"
    return cause.message, cause.hint


def _type(refusal: Refusal, node: LocatedValue) -> _Sentence:
    kinds = refusal.wanted if isinstance(refusal.wanted, list) else [refusal.wanted]
    wanted = next(kind for kind in kinds if kind != "null")
    return _WANTED[wanted](refusal, node)


def _want_number(refusal: Refusal, node: LocatedValue) -> _Sentence:
    whole = "whole " if "integer" in refusal.wanted else ""
    hint = number_hint(node.text) if isinstance(node.value, str) else ""
    if isinstance(node.value, float):
        low, high = math.floor(node.value), math.ceil(node.value)
        hint = f"write {low}" if low == high else f"write {low} or {high}"
    if len(node.items) == 1:
        hint = f"write it without brackets: {shown(node.items[0])}"
    return f"{shown(node)} is not a {whole}number", hint or f"write a {whole}number{_such_as(refusal)}"


def _want_boolean(refusal: Refusal, node: LocatedValue) -> _Sentence:
    meant = _MEANT_BOOLEANS.get(node.text.lower(), "true or false")
    return f"{shown(node)} is neither true nor false", f"write {meant}"


def _want_text(refusal: Refusal, node: LocatedValue) -> _Sentence:
    if "enum" in refusal.schema:
        return _not_one_of(refusal.schema["enum"], node, "")
    if isinstance(node.value, bool | int | float):
        return f"{shown(node)} is not text", f'put it between quotes: "{node.text}"'
    return f"{shown(node)} is not text", f"write a text{_such_as(refusal)}"


def _want_list(refusal: Refusal, node: LocatedValue) -> _Sentence:
    if re.fullmatch(r"[\w.:, -]+", node.text):
        return f"{shown(node)} is not a list", f"write it in brackets: [{node.text}]"
    return f"{shown(node)} is not a list", f"write a list{_such_as(refusal)}"


def _want_mapping(refusal: Refusal, node: LocatedValue) -> _Sentence:
    names = [item.text for item in node.items or (node,)]
    if all(name in stages() for name in names):
        return f"{shown(node)} is not a group of settings", f"write a stage as {names[0]}: {{}}"
    return f"{shown(node)} is not a group of settings", "write name: value, or {} for the defaults"


def _such_as(refusal: Refusal) -> str:
    """An example of what is wanted, where the schema has one."""
    examples = [*refusal.schema.get("examples", ()), refusal.schema.get("default")]
    return f" such as {examples[0]}" if examples[0] else ""


_WANTED: Mapping[str, Callable[[Refusal, LocatedValue], _Sentence]] = {
    "number": _want_number,
    "integer": _want_number,
    "boolean": _want_boolean,
    "string": _want_text,
    "array": _want_list,
    "object": _want_mapping,
}


def _enum(refusal: Refusal, node: LocatedValue) -> _Sentence:
    return _not_one_of(refusal.wanted, node, "")


def _not_one_of(choices: Collection[Any], node: LocatedValue, hint: str) -> _Sentence:
    words = [str(choice) for choice in choices]
    near = did_you_mean(node.text, words, "write one of")
    if near.startswith("write") and hint:
        near = hint
    return f"{shown(node)} is not possible here", near


def _any_of(refusal: Refusal, node: LocatedValue) -> _Sentence:
    choices = [choice for branch in refusal.wanted for choice in branch.get("enum", ())]
    return _not_one_of(choices, node, refusal.schema.get("x-hint", ""))


def _const(refusal: Refusal, node: LocatedValue) -> _Sentence:
    if isinstance(node.value, int) and node.value > refusal.wanted:
        return f"this program does not know version {node.value}", "install a newer chandra_runner"
    return f"{shown(node)} is not a version of the format", f"write recipe: {refusal.wanted}"


def _pattern(refusal: Refusal, node: LocatedValue) -> _Sentence:
    return f"{shown(node)} is not of the right form", refusal.schema.get("x-hint", "")


def _range(refusal: Refusal, node: LocatedValue) -> _Sentence:
    schema = refusal.schema
    low, over, high = (schema.get(key) for key in ("minimum", "exclusiveMinimum", "maximum"))
    if high is None:
        hint = f"write {low} or more" if low is not None else f"write more than {over}"
    else:
        hint = f"write {low} to {high}" if low is not None else f"write more than {over}, at most {high}"
    return f"{shown(node)} is out of range", hint


def _few(refusal: Refusal, node: LocatedValue) -> _Sentence:
    return f"{len(node.items)} items are too few" if node.items else "the list is empty", _count(refusal)


def _many(refusal: Refusal, node: LocatedValue) -> _Sentence:
    return f"{len(node.items)} items are too many", _count(refusal)


def _count(refusal: Refusal) -> str:
    low, high = refusal.schema.get("minItems"), refusal.schema.get("maxItems")
    if low == high:
        return f"write {low} items"
    return f"write at least {low}" + (f" and at most {high}" if high else "")


def _short(refusal: Refusal, node: LocatedValue) -> _Sentence:
    return "the text is empty", "write something, or leave it out"


def _long(refusal: Refusal, node: LocatedValue) -> _Sentence:
    return f"{len(node.text)} characters are too many", f"write at most {refusal.wanted}"


_OF_PARTS: Mapping[str, Callable[[Refusal, LocatedValue, Path], Iterator[Problem]]] = {
    "additionalProperties": _unknown,
    "required": _required,
    "uniqueItems": _twice,
    "dependencies": _together,
}

_OF_VALUES: Mapping[str, Callable[[Refusal, LocatedValue], _Sentence]] = {
    "x-unit": _unit,
    "type": _type,
    "enum": _enum,
    "anyOf": _any_of,
    "const": _const,
    "pattern": _pattern,
    "minimum": _range,
    "exclusiveMinimum": _range,
    "maximum": _range,
    "minItems": _few,
    "maxItems": _many,
    "minLength": _short,
    "maxLength": _long,
}
