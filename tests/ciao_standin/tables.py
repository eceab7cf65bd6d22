"""The parameter tables of CIAO's tools, and parameter files."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chandra_runner

from .messages import Failure

SOURCE = Path(chandra_runner.__file__).parent / "ciao" / "parameters.json"
"""The tables that the package checks its commands with: CIAO's own."""
_NUMBERS = {"i": (int, r"[+-]?\d+"), "r": (float, r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")}


@dataclass(frozen=True)
class Parameter:
    """A parameter of a tool.

    Parameters
    ----------
    name : str
        Its name.
    kind : str
        ``f`` file, ``s`` text, ``b`` boolean, ``i`` whole number, ``r`` number.
    default : str
        As in a parameter file; empty where there is none.
    options : tuple of str
        What it may be; anything where empty.
    low, high : float or None
        Its limits.
    """

    name: str
    kind: str
    default: str = ""
    options: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None

    def value(self, text: str) -> Any:
        """What a text means; None for a number that is not given.

        Raises
        ------
        Failure
            It is of another type, or not allowed.
        """
        if self.options and text not in self.options:
            raise Failure(f"parameter {self.name}: '{text}' is none of {'|'.join(self.options)}")
        if self.kind == "b":
            if text not in ("yes", "no"):
                raise Failure(f"parameter {self.name}: '{text}' is no boolean, yes or no")
            return text == "yes"
        if self.kind in _NUMBERS:
            return self._number(text)
        return text

    def _number(self, text: str) -> float | None:
        if text in ("", "INDEF") and not self.default:
            return None
        convert, form = _NUMBERS[self.kind]
        if not re.fullmatch(form, text):
            raise Failure(f"parameter {self.name}: '{text}' is no number of type {self.kind}")
        number: float = convert(text)
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise Failure(f"parameter {self.name}: {text} is not from {self.low} to {self.high}")
        return number


MODE = Parameter("mode", "s", "ql", ("ql", "hl", "h", "q"))
"""How a tool is run: h never asks, q asks for what is required, l remembers. Every tool has it."""


@dataclass(frozen=True)
class Table:
    """All parameters of a tool."""

    tool: str
    required: tuple[Parameter, ...]
    optional: tuple[Parameter, ...]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """All, in their order."""
        return (*self.required, *self.optional, MODE)

    def __contains__(self, name: str) -> bool:
        return any(parameter.name == name for parameter in self.parameters)

    def defaults(self) -> dict[str, str]:
        """Values as CIAO ships them."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def write(self, path: Path, texts: Mapping[str, str]) -> None:
        """Write a parameter file. Values of what is not required are not remembered.

        Raises
        ------
        Failure
            The directory cannot be written to.
        """
        try:
            with path.open("w", newline="") as stream:
                rows = csv.writer(stream, lineterminator="\n")
                for p in self.parameters:
                    asked = p in self.required
                    value = texts[p.name] if asked else p.default
                    low, high = ("|".join(p.options), "") if p.options else (p.low, p.high)
                    rows.writerow([p.name, p.kind, "a" if asked else "h", value, low, high, p.name])
        except OSError as error:
            raise Failure(f"could not write parameter file {path}: {error.strerror}") from error

    def read(self, path: Path) -> dict[str, str]:
        """Values in a parameter file; one that knows another parameter is of another version.

        Raises
        ------
        Failure
            It cannot be read, or is of another version.
        """
        try:
            with path.open(newline="") as stream:
                texts = {row[0]: row[3] for row in csv.reader(stream) if row}
        except (OSError, IndexError, UnicodeDecodeError, csv.Error) as error:
            raise Failure(f"parameter file corrupt: {path}") from error
        for name in texts:
            if name not in self:
                raise Failure(f"parameter not found: '{name}' of {path}")
        return texts


def read_tables() -> dict[str, Table]:
    """Tables of all tools, by name."""
    document = json.loads(SOURCE.read_text(encoding="utf-8"))
    return {tool: _table(tool, entry) for tool, entry in document["tools"].items()}


def _table(tool: str, entry: Mapping[str, Any]) -> Table:
    required, optional = (tuple(map(_parameter, entry[part])) for part in ("required", "optional"))
    return Table(tool, required, optional)


def _parameter(entry: Mapping[str, Any]) -> Parameter:
    default = entry["default"]
    if isinstance(default, bool):
        default = "yes" if default else "no"
    return Parameter(
        entry["name"],
        entry["type"],
        "" if default is None else str(default),
        tuple(entry.get("options", ())),
        entry.get("min"),
        entry.get("max"),
    )
