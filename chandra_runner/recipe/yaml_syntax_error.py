"""A YAML syntax error: where the parser gave up, and what the text looks like there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_QUOTED = re.compile(r"""'([^']|'')*'(?!')|"([^"\\]|\\.)*\"""", re.DOTALL)


@dataclass(frozen=True)
class Position:
    """A position in the text, counted from 0."""

    line: int
    column: int


@dataclass(frozen=True)
class YamlSyntaxError:
    """A syntax error as the parser reports it, with the text around it.

    Parameters
    ----------
    lines : list of str
        The text.
    at : Position
        Where the parser gave up.
    begin : Position or None
        Where the part begins that it was reading; None where it does not say.
    open_collections : sequence of yaml.CollectionStartEvent
        The lists and mappings that are not closed, the innermost last.
    """

    lines: list[str]
    at: Position
    begin: Position | None
    open_collections: Sequence[yaml.CollectionStartEvent]

    @property
    def collection(self) -> yaml.CollectionStartEvent | None:
        """The open list or mapping that begins where the part begins."""
        # The innermost one: a mapping and the brackets that are its first key begin in the same place.
        found = (
            each for each in reversed(self.open_collections) if position_of(each.start_mark) == self.begin
        )
        return next(found, None)

    @property
    def line(self) -> str:
        """The line where the parser gave up."""
        return self.lines[self.at.line] if self.at.line < len(self.lines) else ""

    @property
    def before(self) -> str:
        """That line, up to where it gave up."""
        return self.line[: self.at.column]

    @property
    def character(self) -> str:
        """The character where it gave up; empty at the end of a line."""
        return self.line[self.at.column : self.at.column + 1]

    @property
    def beginning(self) -> str:
        """The line from where the part begins; empty where the parser does not say."""
        if self.begin is None or self.begin.line >= len(self.lines):
            return ""
        return self.lines[self.begin.line][self.begin.column :]

    @property
    def is_inside_brackets(self) -> bool:
        """Whether the part is in brackets; they are counted where the parser does not know yet."""
        if self.collection or self.begin is None:
            return bool(self.collection and self.collection.flow_style)
        # Before it knows whether a bracket begins a key, the parser has not opened a collection for it.
        part = "".join([*self.lines[self.begin.line : self.at.line], self.before])[self.begin.column :]
        return sum(map(part.count, "[{")) > sum(map(part.count, "]}"))

    @property
    def is_closed_quote(self) -> bool:
        """Whether the part is text between quotes, which is complete."""
        rest = "\n".join([self.beginning, *self.lines[self.begin.line + 1 :]]) if self.begin else ""
        return _QUOTED.match(rest) is not None

    @property
    def indicator(self) -> str:
        """The first character of the part, unless the part is an open collection."""
        return "" if self.collection else self.beginning[:1]

    @property
    def indent(self) -> int:
        """Number of spaces at the beginning of the line where the parser gave up."""
        return _indent(self.line)

    @property
    def line_above(self) -> Position | None:
        """The beginning of the last line with content above the one where the parser gave up."""
        for number in range(min(self.at.line, len(self.lines)) - 1, -1, -1):
            content = self.lines[number].strip()
            if content and not content.startswith("#"):
                return Position(number, _indent(self.lines[number]))
        return None

    @classmethod
    def of(
        cls, error: yaml.YAMLError, text: str, open_collections: Sequence[yaml.CollectionStartEvent]
    ) -> YamlSyntaxError:
        """Return the error of a parser in a text, with the collections that were open."""
        begin = position_of(getattr(error, "context_mark", None))
        at = position_of(getattr(error, "problem_mark", None)) or begin or Position(0, 0)
        return cls(text.splitlines(), at, begin, open_collections)


def position_of(mark: Any) -> Position | None:
    """Return the position of a mark, which is None where the parser does not say."""
    # libyaml and PyYAML's own parser have marks of different classes.
    return Position(mark.line, mark.column) if mark else None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))
