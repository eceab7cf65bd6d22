"""Parameter tables of CIAO tools: those that CIAO enforces, for the tools that are called here."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chandra_runner.errors import DataError

Value = str | bool | int | float

LONGEST = 1500
"""Most characters in a value; CIAO truncates values of more than about 2,000."""
_TABLES = Path(__file__).with_name("parameters.json")
_FORBIDDEN = re.compile(r'[^ -~]|"')
"""Parameter files are ASCII, with their values between double quotes."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool.

    Parameters
    ----------
    name : str
        Name of the parameter.
    kind : str
        ``f`` file, ``s`` string, ``b`` boolean, ``i`` integer, ``r`` real.
    options : tuple of str
        The only values allowed; empty if any is.
    minimum, maximum : float
        Bounds of a number, both allowed.
    """

    name: str
    kind: str
    options: tuple[str, ...] = ()
    minimum: float = -math.inf
    maximum: float = math.inf

    def text(self, value: Value) -> str:
        """Return a value as text for the command line.

        Raises
        ------
        DataError
            The tool would refuse it.
        """
        text = self._typed(value)
        if self.options and text not in self.options:
            raise DataError(f"{self.name}={text} is not one of {', '.join(self.options)}")
        if not isinstance(value, str) and not self.minimum <= value <= self.maximum:
            raise DataError(f"{self.name}={text} is not within {self.minimum:g} and {self.maximum:g}")
        if len(text) > LONGEST:
            raise DataError(f"{self.name} would be {len(text)} characters long; CIAO accepts {LONGEST}")
        return text

    def _typed(self, value: Value) -> str:
        match self.kind:
            case "b" if isinstance(value, bool):
                return "yes" if value else "no"
            case "i" if isinstance(value, int) and not isinstance(value, bool):
                return str(value)
            case "r" if isinstance(value, int | float) and math.isfinite(value) and value is not True:
                return f"{value:.12g}"
            case "f" | "s" if isinstance(value, str) and not _FORBIDDEN.search(value):
                return value
        raise DataError(f"{self.name} does not accept {value!r}")


@dataclass(frozen=True)
class Tool:
    """A tool with its parameters by name, in the tool's order; those in `required` must be given."""

    name: str
    parameters: Mapping[str, Parameter]
    required: frozenset[str]


@cache
def tools() -> Mapping[str, Tool]:
    """Return the tools that are called here, by name."""
    document = json.loads(_TABLES.read_text(encoding="utf-8"))
    return {name: _tool(name, rows) for name, rows in document["tools"].items()}


def _tool(name: str, rows: Mapping[str, list[dict[str, Any]]]) -> Tool:
    parameters = [_parameter(row) for row in (*rows["required"], *rows["optional"])]
    # A parameter with a default is not required, also where the table lists it so.
    required = frozenset(row["name"] for row in rows["required"] if row["default"] is None)
    return Tool(name, {parameter.name: parameter for parameter in parameters}, required)


def _parameter(row: Mapping[str, Any]) -> Parameter:
    return Parameter(
        row["name"],
        row["type"],
        tuple(row.get("options", ())),
        row.get("min", -math.inf),
        row.get("max", math.inf),
    )
