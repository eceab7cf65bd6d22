"""What the YAML parser says, in words of a person who did not write a YAML parser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from chandra_runner.errors import Problem


@dataclass(frozen=True)
class _Place:
    """A place in the text, from 0."""

    line: int
    column: int


@dataclass(frozen=True)
class _Fault:
    """A syntax error as the parser reports it.

    Parameters
    ----------
    lines : list of str
        The text.
    at : _Place
        Where the parser gave up.
    opened : _Place
        Where what it was reading begins.
    """

    lines: list[str]
    at: _Place
    opened: _Place

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
        """What stands there; empty at the end of a line."""
        return self.line[self.at.column : self.at.column + 1]


@dataclass(frozen=True)
class _Finding:
    place: _Place
    message: str
    hint: str


def explain(error: yaml.MarkedYAMLError, text: str, file: Path) -> Problem:
    """Turn a parser's error into a problem with a place and a way out."""
    at = _place(error.problem_mark or error.context_mark)
    fault = _Fault(text.splitlines(), at, _place(error.context_mark) if error.context_mark else at)
    problem = error.problem or "it cannot be read"
    finding = _find(problem, fault)
    return Problem(file, finding.place.line + 1, finding.place.column + 1, finding.message, finding.hint)


def _find(problem: str, fault: _Fault) -> _Finding:
    if fault.line[: fault.at.column + 1].endswith("\t"):
        return _Finding(fault.at, "a tab", "YAML is indented with spaces only")
    for pattern, reader in _READERS:
        if re.search(pattern, problem):
            return reader(fault)
    hint = "look for a stray character here or in the line above"
    return _Finding(fault.at, f"this is not YAML ({problem})", hint)


def _place(mark: yaml.Mark | None) -> _Place:
    return _Place(mark.line, mark.column) if mark else _Place(0, 0)


def _second_colon(fault: _Fault) -> _Finding:
    if re.search(r":\s", fault.before):
        return _Finding(fault.at, "a second colon in this line", "put text that holds a colon between quotes")
    above = _line_above(fault)
    if above and _indent(fault.line) > _indent(fault.lines[above.line]):
        message = "this line is indented deeper than the line above, which has its value already"
        return _Finding(_Place(fault.at.line, _indent(fault.line)), message, "indent it as the line above")
    if above and ":" in fault.lines[above.line]:
        return _Finding(above, "no space after the colon", 'write "name: value"')
    return _Finding(above or fault.at, "no colon in this line", 'write "name: value"')


def _line_above(fault: _Fault) -> _Place | None:
    """The line that holds something above the one where the parser gave up."""
    for number in range(fault.at.line - 1, -1, -1):
        content = fault.lines[number].strip()
        if content and not content.startswith("#"):
            return _Place(number, _indent(fault.lines[number]))
    return None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _no_colon(fault: _Fault) -> _Finding:
    line = fault.lines[fault.opened.line]
    if ":" in line[fault.opened.column :]:
        return _Finding(fault.opened, "no space after the colon", 'write "name: value"')
    return _Finding(fault.opened, "no colon after this name", 'write "name: value"')


def _bad_block(fault: _Fault) -> _Finding:
    if re.search(r"""['"]\S*$""", fault.before):
        hint = "write a quote inside quotes twice, or use the other kind of quote"
        return _Finding(fault.at, "text goes on after its closing quote", hint)
    if fault.character == ":":
        return _Finding(fault.at, "no name before the colon", 'write "name: value"')
    if fault.character == "-":
        message = "a list item (-) among lines of the form name: value"
        return _Finding(fault.at, message, "remove the -, or indent it")
    opened = f"line {fault.opened.line + 1}, column {fault.opened.column + 1}"
    message = f"this line is not indented as the block it belongs to, which begins in {opened}"
    return _Finding(fault.at, message, "lines that belong together begin in the same column")


def _bad_list(fault: _Fault) -> _Finding:
    message = "a line without - in a list that begins in line " + str(fault.opened.line + 1)
    return _Finding(fault.at, message, "write the - before it, or indent it as it belongs")


def _unclosed(fault: _Fault) -> _Finding:
    bracket = "[" if fault.lines[fault.opened.line][fault.opened.column :].startswith("[") else "{"
    closing = "]" if bracket == "[" else "}"
    hint = f"write commas between the items, and {closing} at the end"
    if fault.at.line == fault.opened.line:
        return _Finding(fault.at, f"a comma or {closing} is missing here", hint)
    return _Finding(fault.opened, f"this {bracket} is never closed", hint)


def _unclosed_quote(fault: _Fault) -> _Finding:
    return _Finding(fault.opened, "this quote is never closed", "write the same quote at the end of the text")


def _bad_start(fault: _Fault) -> _Finding:
    message = f"a value cannot begin with {fault.character}"
    return _Finding(fault.at, message, "put it between quotes")


def _no_value(fault: _Fault) -> _Finding:
    what = f"{fault.character} stands where a value should" if fault.character else "a value is missing here"
    return _Finding(fault.at, what, "remove it, or write the value before it")


def _dash(fault: _Fault) -> _Finding:
    hint = "begin the list in the next line, or use [ ]"
    return _Finding(fault.at, "a list item (-) in the line of its key", hint)


def _escape(fault: _Fault) -> _Finding:
    message = "a backslash that means nothing between double quotes"
    return _Finding(fault.at, message, "use single quotes, which take \\ as it is")


def _anchor(fault: _Fault) -> _Finding:
    sign = fault.lines[fault.opened.line][fault.opened.column :][:1]
    return _Finding(fault.opened, f"a value cannot begin with {sign}", "put it between quotes")


def _directive(fault: _Fault) -> _Finding:
    place = _Place(fault.at.line, 0)
    return _Finding(place, "a line that begins with %", "a recipe has no such lines: remove it")


def _document(fault: _Fault) -> _Finding:
    hint = "a recipe is one document: remove the ..."
    return _Finding(fault.at, "a second YAML document begins here", hint)


def _tag(fault: _Fault) -> _Finding:
    return _Finding(fault.at, "a YAML tag (!)", "a recipe has no tags: write the plain value")


def _block_text(fault: _Fault) -> _Finding:
    return _Finding(fault.at, "something stands after | or >", "begin the block of text in the next line")


# libyaml's words first, then those of PyYAML's own parser where they differ.
_READERS: tuple[tuple[str, Callable[[_Fault], _Finding]], ...] = (
    (r"mapping values are not allowed", _second_colon),
    (r"could not find expected ':'", _no_colon),
    (r"did not find expected key|expected <block end>, but found '(?!\?)", _bad_block),
    (r"expected '-' indicator|expected <block end>", _bad_list),
    (r"expected ',' or", _unclosed),
    (r"found unexpected end of stream|found unexpected document separator", _unclosed_quote),
    (r"cannot start any token", _bad_start),
    (r"expected (the )?node content", _no_value),
    (r"sequence entries are not allowed", _dash),
    (r"escape|hexdecimal", _escape),
    (r"expected alphabetic or numeric", _anchor),
    (r"directive|incompatible YAML", _directive),
    (r"document start", _document),
    (r"undefined tag", _tag),
    (r"expected comment or line break|chomping", _block_text),
)
