"""A value of a YAML file, and its place in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chandra_runner.errors import Problem

_SHOWN = 40
"""Characters of a value that a message shows."""

Scalar = None | bool | int | float | str


@dataclass(frozen=True, slots=True)
class LocatedValue:
    """A value and its place in a file.

    Parameters
    ----------
    value : None, bool, int, float, str, tuple of LocatedValue, or Mapping of str to LocatedValue
        The value. The keys of a mapping are text: ``493:`` and ``"493":`` are the same key.
    file : Path
        The file.
    line, column : int
        The place where the value begins, counted from 1.
    key_line, key_column : int
        The place where the key of the value begins; 0 for a value without a key.
    text : str
        A scalar as it is written, without quotes; empty for lists and mappings.
    quoted : bool
        Whether a scalar is written between quotes or as a block of text.
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
        """The entries of a mapping; empty for other values."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[LocatedValue, ...]:
        """The items of a list; empty for other values."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def shown(self) -> str:
        """The value as messages show it: as it is written, shortened where it is long."""
        if isinstance(self.value, Mapping):
            return "a mapping" if self.value else "{}"
        if isinstance(self.value, tuple):
            return "a list" if self.value else "[]"
        text = self.text if len(self.text) <= _SHOWN else f"{self.text[:_SHOWN]}..."
        return f'"{text}"' if self.quoted else text

    def child(self, key: str) -> LocatedValue:
        """Return the value of a key; an empty value at the place of this one where there is no such key."""
        return self.mapping.get(key) or LocatedValue(None, self.file, self.line, self.column)

    def plain(self) -> Any:
        """Return the value without places, as dict, list or scalar."""
        if isinstance(self.value, Mapping):
            return {key: value.plain() for key, value in self.value.items()}
        if isinstance(self.value, tuple):
            return [item.plain() for item in self.value]
        return self.value

    def problem(self, message: str, hint: str = "") -> Problem:
        """Return a problem at the place of this value."""
        return Problem(self.file, self.line, self.column, message, hint)

    def key_problem(self, message: str, hint: str = "") -> Problem:
        """Return a problem at the place of the key of this value; of the value where there is no key."""
        return Problem(self.file, self.key_line or self.line, self.key_column or self.column, message, hint)
