"""Find and read the files that come with the package: schemas and standard recipes."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parent


@cache
def resource(kind: str, name: str = "") -> Path:
    """Return the path of a packaged file or directory.

    A wheel carries ``schemas`` and ``recipes`` inside the package; in a checkout (editable
    install) they are beside it.

    Parameters
    ----------
    kind : str
        ``"schemas"`` or ``"recipes"``.
    name : str
        Path below that directory, such as ``"stages/deflare.schema.json"``; empty for the directory.
    """
    installed = _PACKAGE / kind
    return (installed if installed.is_dir() else _PACKAGE.parent / kind) / name


@cache
def read_schema(path: Path) -> dict[str, Any]:
    """Read a JSON schema and put everything it refers to in its place.

    The files keep what several schemas share in one definition, for people and editors; the program
    sees each schema complete. References are relative to the file that they are in.

    Parameters
    ----------
    path : Path
        The schema file.

    Returns
    -------
    dict
        The schema without any ``$ref``; shared by all callers, so do not change it.

    Examples
    --------
    >>> schema = read_schema(resource("schemas", "stages/deflare.schema.json"))
    >>> schema["properties"]["timeout"]["x-unit"]
    's'
    """
    schema: dict[str, Any] = _resolve(_read_json(path), path)
    return schema


@cache
def _read_json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _resolve(schema: Any, path: Path) -> Any:
    """Return a part of the schema file `path` with its references resolved."""
    if isinstance(schema, list):
        return [_resolve(item, path) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        definition = _resolve(*_definition(schema["$ref"], path))
        # A whole file inside another one must not choose its validator again.
        return {key: value for key, value in definition.items() if key != "$schema"}
    complete = {key: _resolve(value, path) for key, value in schema.items()}
    return _merge_definitions(complete, schema.get("allOf", ()))


def _definition(reference: str, path: Path) -> tuple[Any, Path]:
    """Return the definition that a reference names, and its file."""
    name, _, pointer = reference.partition("#")
    file = Path(os.path.normpath(path.parent / name)) if name else path
    definition = _read_json(file)
    for key in pointer.split("/")[1:]:
        definition = definition[key]
    return definition, file


def _merge_definitions(schema: dict[str, Any], all_of: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Merge the members of ``allOf`` that are references into the schema around them.

    Draft 7 ignores what is beside a ``$ref``, so a setting with its own default refers to the kind of
    quantity that it is inside ``allOf``. Merged, the unit is beside the bounds, where its users look.
    """
    merged = dict(schema)
    rest = []
    for raw, member in zip(all_of, schema.get("allOf", ()), strict=True):
        # Two values of one keyword cannot be merged in general: then both apply, as draft 7 says.
        if "$ref" in raw and not member.keys() & merged.keys():
            merged |= member
        else:
            rest.append(member)
    if rest:
        return {**merged, "allOf": rest}
    merged.pop("allOf", None)
    return merged
