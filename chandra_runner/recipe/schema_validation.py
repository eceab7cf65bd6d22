"""Check a recipe's files against their schema: every error with its place, in plain words."""

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
from .schema_messages import RECIPE, KeyPath, SchemaViolation, explain_violation

if TYPE_CHECKING:
    from jsonschema import ValidationError
    from jsonschema.protocols import Validator


@dataclass(frozen=True)
class SchemaProblem:
    """A problem that the schema finds, and the part of the document that it concerns.

    Parameters
    ----------
    path : KeyPath
        The keys and positions that lead to the value and the keyword of the schema that rejects it; for
        unknown keys only those that lead to the mapping that they are in.
    problem : Problem
        What is wrong, and where.
    """

    path: KeyPath
    problem: Problem


def schema_problems(
    root: LocatedValue,
    *,
    complete: bool = True,
    schema: Mapping[str, Any] | None = None,
    document: str = RECIPE,
) -> Iterator[SchemaProblem]:
    """Yield what a schema rejects in one file.

    Parameters
    ----------
    root : LocatedValue
        The content of the file, a mapping.
    complete : bool
        Whether required keys must be there; a file that others extend may be incomplete.
    schema : Mapping, optional
        The schema; by default that of a recipe.
    document : str
        What messages call the kind of file: ``recipe``, ``profile``.
    """
    validator = _validator() if schema is None else _validator().evolve(schema=_undeclared(schema))
    explained: set[KeyPath] = set()
    for error in sorted(validator.iter_errors(root.plain()), key=_rank):
        path: KeyPath = tuple(error.absolute_path)
        violation = SchemaViolation(error, value_at(root, path), path, document)
        if violation.keyword == "required" and not path and not complete:
            continue
        if violation.keyword == "pattern" and "x-unit" in violation.schema:
            continue  # the pattern is there for editors; x-unit has the better message
        if not violation.concerns_parts:
            if path in explained:
                continue  # one problem is enough for one value
            explained.add(path)
        where = path if violation.keyword == "additionalProperties" else (*path, violation.keyword)
        for problem in explain_violation(violation):
            yield SchemaProblem(where, problem)


def _rank(error: ValidationError) -> int:
    """Return the rank of an error of a value: where the type is wrong, other errors add nothing."""
    order = ("x-unit", "type")
    return order.index(error.validator) if error.validator in order else len(order)


def value_at(root: LocatedValue, path: KeyPath) -> LocatedValue:
    """Return the value at the end of a path, or the last one on the way where the path goes on."""
    value = root
    for key in path:
        if isinstance(key, int) and key < len(value.items):
            value = value.items[key]
        elif str(key) in value.mapping:
            value = value.mapping[str(key)]
        else:
            break
    return value


@cache
def recipe_schema() -> Mapping[str, Any]:
    """Return the schema of a recipe, with the stages of installed plugins."""
    # A copy, because the schema that was read is shared; the file knows the built-in stages only.
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
    """Return what to write instead of a name that is not an archive; empty for an archive."""
    schema = recipe_schema()["definitions"]["archive"]
    return "" if _validator().evolve(schema=schema).is_valid(name) else str(schema["x-hint"])


def _is_integer(_checker: object, value: object) -> bool:
    # For JSON Schema 754.0 is an integer, but an ObsID written like that is a mistake.
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
    """Raise QuantityError for a wrong quantity, TypeError for a value that is neither text nor number."""
    if isinstance(value, str):
        _check_bounds(number_in_unit(value, unit), value.strip(), unit, schema)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        # 500 may be meant in eV, 0.015 as a fraction: then "500 keV" would be bad advice.
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
    # 500 keV is above any limit for an energy, and what is written by someone who has 500 eV in mind.
    if value > high:
        hint = f"did you mean {value:g} eV?" if unit == "keV" else f"write {high} {unit} or less"
        raise QuantityError(f"{text} is too large", hint)
