"""A value of a recipe, and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chandra_runner.errors import Problem

Scalar = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class LocatedValue:
    """A value and where it stands.

    Parameters
    ----------
    value : None, bool, int, float, str, tuple of LocatedValue, or Mapping of str to LocatedValue
        What it is; the keys of a mapping are their text (``493:`` and ``"493":`` are the same key).
    file : Path
        Where it is written.
    line, column : int
        Of the value, from 1.
    key_line, key_column : int
        Of the key it belongs to; 0 where there is none.
    text : str
        A scalar as it is written, without quotes.
    quoted : bool
        Whether the scalar is written between quotes, or as a block of text.
    """

    value: Scalar | tuple[LocatedValue, ...] | Mapping[str, LocatedValue]
    file: Path
    line: int
    column: int
    key_line: int = 0
    key_column: int = 0
    text: str = ""
    quoted: bool = False

    @property
    def mapping(self) -> Mapping[str, LocatedValue]:
        """The entries, when it is a mapping; else none."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[LocatedValue, ...]:
        """The items, when it is a list; else none."""
        return self.value if isinstance(self.value, tuple) else ()

    def child(self, key: str) -> LocatedValue:
        """The value of a key; an empty one at this place where there is none."""
        return self.mapping.get(key) or LocatedValue(None, self.file, self.line, self.column)

    def plain(self) -> Any:
        """The value without places: dict, list or scalar."""
        if isinstance(self.value, Mapping):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value

    def problem(self, message: str, hint: str = "") -> Problem:
        """Something is wrong with this value."""
        return Problem(self.file, self.line, self.column, message, hint)

    def key_problem(self, message: str, hint: str = "") -> Problem:
        """Something is wrong with the key of this value."""
        return Problem(self.file, self.key_line or self.line, self.key_column or self.column, message, hint)
