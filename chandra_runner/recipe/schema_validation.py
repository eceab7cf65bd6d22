"""A recipe's files against their schema: every error of the schema with its place, in plain words."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from chandra_runner.errors import Problem
from chandra_runner.quantities import QuantityError, expected_form, number_in_unit
from chandra_runner.resources import read_schema, resource
from chandra_runner.stages.registry import stages

from .located_value import LocatedValue
from .schema_messages import Path, Refusal, explain

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


@dataclass(frozen=True)
class SchemaError:
    """A problem, and which part of the recipe it concerns.

    Parameters
    ----------
    path : tuple of (str or int)
        Where it is; for unknown keys, the mapping that they stand in; else with the schema's
        keyword at its end.
    problem : Problem
        What is wrong.
    """

    path: Path
    problem: Problem


def schema_errors(
    root: LocatedValue, *, complete: bool, schema: Mapping[str, Any] | None = None
) -> Iterator[SchemaError]:
    """What the schema refuses in one file.

    Parameters
    ----------
    root : LocatedValue
        The file's content, a mapping.
    complete : bool
        Whether nothing required may be missing; a file that others extend may be partial.
    schema : Mapping, optional
        That of another file than a recipe.
    """
    validator = _validator() if schema is None else _validator().evolve(schema=_undeclared(schema))
    seen: set[Path] = set()
    for error in sorted(validator.iter_errors(root.plain()), key=_rank):
        path: Path = tuple(error.absolute_path)
        refusal = _refusal(error)
        if refusal.keyword == "required" and not path and not complete:
            continue
        if refusal.keyword == "pattern" and "x-unit" in refusal.schema:
            continue  # that is for editors; x-unit knows better
        if refusal.of_value:
            if path in seen:
                continue  # one value, one problem: the first says enough
            seen.add(path)
        for problem in explain(refusal, node_at(root, path), path):
            yield SchemaError(path if refusal.of_keys else (*path, refusal.keyword), problem)


def _rank(error: ValidationError) -> int:
    """What is not even of the right type need not hear what else is wrong with it."""
    order = ("x-unit", "type")
    return order.index(error.validator) if error.validator in order else len(order)


def _refusal(error: ValidationError) -> Refusal:
    schema = error.schema if isinstance(error.schema, Mapping) else {}
    cause = error.cause if isinstance(error.cause, QuantityError) else None
    return Refusal(str(error.validator), error.validator_value, schema, error.message, cause)


def node_at(root: LocatedValue, path: Path) -> LocatedValue:
    """The node at the end of a path; the last one there is, where the path goes on."""
    node = root
    for key in path:
        if isinstance(key, int) and key < len(node.items):
            node = node.items[key]
        elif str(key) in node.mapping:
            node = node.mapping[str(key)]
        else:
            break
    return node


@cache
def recipe_schema() -> Mapping[str, Any]:
    """Return the schema of a recipe, with the stages of installed plugins."""
    document = deepcopy(read_schema(resource("schemas", "recipe.schema.json")))
    schemas = {name: _undeclared(stage.schema()) for name, stage in stages().items()}
    properties = document["properties"]
    properties["stages"]["properties"] = schemas
    for entry in properties["per_observation"]["patternProperties"].values():
        entry["properties"] = schemas
    return document


@cache
def _validator() -> Validator:
    from jsonschema import Draft7Validator, validators

    checker = Draft7Validator.TYPE_CHECKER.redefine("integer", _is_integer)
    kind: type[Validator] = validators.extend(  # type: ignore[no-untyped-call]
        Draft7Validator, {"x-unit": _check_unit}, type_checker=checker
    )
    return kind(_undeclared(recipe_schema()))


def _undeclared(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Drop ``$schema``, for which jsonschema would use its own validator instead of ours."""
    return {key: value for key, value in schema.items() if key != "$schema"}


def archive_hint(name: str) -> str:
    """What would be the name of an archive; empty when this is one."""
    schema = recipe_schema()["definitions"]["archive"]
    return "" if _validator().evolve(schema=schema).is_valid(name) else str(schema["x-hint"])


def _is_integer(_checker: object, value: object) -> bool:
    # JSON Schema takes 754.0 for an integer; an ObsID written so is a slip.
    return isinstance(value, int) and not isinstance(value, bool)


def _check_unit(
    _validator: Validator, unit: str, value: Any, schema: Mapping[str, Any]
) -> Iterator[ValidationError]:
    from jsonschema import ValidationError

    if value is None and "null" in schema["type"]:
        return
    try:
        _check_quantity(value, unit, schema)
    except QuantityError as error:
        yield ValidationError(str(error), cause=error)
    except TypeError:
        yield ValidationError("not a number with a unit")


def _check_quantity(value: Any, unit: str, schema: Mapping[str, Any]) -> None:
    """Raise QuantityError, or TypeError for what is neither text nor number."""
    if isinstance(value, str):
        _check_bounds(number_in_unit(value, unit), value.strip(), unit, schema)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # 500 may be meant in eV, 0.015 as a fraction: then "500 keV" would be no good advice.
        sensible = unit != "%" and value <= schema.get("x-maximum", value)
        hint = f"{value} {unit}" if sensible else expected_form(unit)
        raise QuantityError(f"{value} has no unit", f"write {hint}")
    else:
        raise TypeError


def _check_bounds(value: float, text: str, unit: str, schema: Mapping[str, Any]) -> None:
    low, high = schema.get("x-minimum", -math.inf), schema.get("x-maximum", math.inf)
    over = schema.get("x-exclusiveMinimum", -math.inf)
    if value <= over:
        raise QuantityError(f"{text} is too small", f"write more than {over} {unit}")
    if value < low:
        raise QuantityError(f"{text} is too small", f"write {low} {unit} or more")
    if value > high:
        hint = f"did you mean {value:g} eV?" if unit == "keV" else f"write {high} {unit} or less"
        raise QuantityError(f"{text} is too large", hint)
