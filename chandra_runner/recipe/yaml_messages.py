"""Explain YAML syntax errors in the words of a person who did not write a YAML parser.

A parser says where it gave up, and where the part begins that it was reading. Its words differ between
libyaml, its versions and PyYAML's own parser, so nothing here depends on them: each explanation looks at
the text in these two places, and at the collections that are open. Where none fits, the parser's words
are passed on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from chandra_runner.errors import Problem

from .yaml_syntax_error import Position, YamlSyntaxError, position_of

_NAME_VALUE = 'write "name: value"'


@dataclass(frozen=True)
class _Explanation:
    position: Position
    message: str
    hint: str


def describe_syntax_error(
    error: yaml.YAMLError, text: str, file: Path, open_collections: Sequence[yaml.CollectionStartEvent]
) -> Problem:
    """Return the problem that a parser's error is: its place, what is wrong, and what to write.

    Parameters
    ----------
    error : yaml.YAMLError
        The parser's error.
    text : str
        The text that was parsed.
    file : Path
        The file that the text was read from.
    open_collections : sequence of yaml.CollectionStartEvent
        The lists and mappings that were not closed, the innermost last.
    """
    syntax_error = YamlSyntaxError.of(error, text, open_collections)
    found = _explain(syntax_error)
    if found is None:
        message = f"this is not YAML ({getattr(error, 'problem', None) or error})"
        found = _Explanation(syntax_error.at, message, "look for a stray character here or in the line above")
    return Problem(file, found.position.line + 1, found.position.column + 1, found.message, found.hint)


def _explain(error: YamlSyntaxError) -> _Explanation | None:
    """Return the first explanation that fits; the narrow ones come first."""
    return next((found for rule in _RULES if (found := rule(error))), None)


def _tab(error: YamlSyntaxError) -> _Explanation | None:
    if not error.line[: error.at.column + 1].endswith("\t"):
        return None
    return _Explanation(error.at, "a tab", "YAML is indented with spaces only")


def _quote(error: YamlSyntaxError) -> _Explanation | None:
    """An open quote, or a backslash between double quotes."""
    if error.begin is None or error.indicator not in ("'", '"'):
        return None
    if error.indicator == '"' and (error.character == "\\" or re.search(r"\\\w?$", error.before)):
        message = "a backslash that has no meaning between double quotes"
        return _Explanation(error.at, message, "use single quotes, which keep a \\ as it is")
    # The parser also stops at text between quotes that is complete, when no colon follows it.
    if error.is_closed_quote:
        return None
    hint = "write the same quote at the end of the text"
    return _Explanation(error.begin, "this quote is never closed", hint)


def _directive(error: YamlSyntaxError) -> _Explanation | None:
    if not error.line.startswith("%") or (error.at.column > 0 and error.indicator != "%"):
        return None
    position = Position(error.at.line, 0)
    return _Explanation(position, "a line that begins with %", "such lines are not allowed: remove it")


def _reserved_character(error: YamlSyntaxError) -> _Explanation | None:
    """A value that begins with a character that YAML reserves, or with an alias that has no name."""
    # | and > begin a block of text, but not inside brackets.
    is_start = error.begin in (None, error.at)
    if error.character in ("@", "`", "%") or (is_start and error.character in ("|", ">")):
        position, character = error.at, error.character
    elif error.begin and error.indicator in ("*", "&"):
        position, character = error.begin, error.indicator
    else:
        return None
    return _Explanation(position, f"a value cannot begin with {character}", "put it between quotes")


def _tag(error: YamlSyntaxError) -> _Explanation | None:
    if error.indicator != "!":
        return None
    return _Explanation(error.at, "a YAML tag (!)", "tags are not allowed: write the plain value")


def _block_text(error: YamlSyntaxError) -> _Explanation | None:
    if error.indicator not in ("|", ">"):
        return None
    message = f"unexpected text after {error.indicator}"
    return _Explanation(error.at, message, "begin the block of text in the next line")


def _unclosed_at_end(error: YamlSyntaxError) -> _Explanation | None:
    """The text ends inside brackets."""
    innermost = error.open_collections[-1] if error.open_collections else None
    if error.at.line < len(error.lines) or innermost is None or not innermost.flow_style:
        return None
    bracket, closing = ("[", "]") if isinstance(innermost, yaml.SequenceStartEvent) else ("{", "}")
    begin = position_of(innermost.start_mark) or error.at
    hint = f"write commas between the items, and {closing} at the end"
    return _Explanation(begin, f"this {bracket} is never closed", hint)


def _unclosed_bracket(error: YamlSyntaxError) -> _Explanation | None:
    bracket = error.beginning[:1]
    if error.begin is None or bracket not in ("[", "{") or not error.is_inside_brackets:
        return None
    closing = "]" if bracket == "[" else "}"
    hint = f"write commas between the items, and {closing} at the end"
    # In the line of the bracket, the item before is more likely incomplete than the whole list.
    if error.at.line == error.begin.line:
        return _Explanation(error.at, f"a comma or {closing} is missing here", hint)
    return _Explanation(error.begin, f"this {bracket} is never closed", hint)


def _block_list(error: YamlSyntaxError) -> _Explanation | None:
    if error.begin is None or not isinstance(error.collection, yaml.SequenceStartEvent):
        return None
    message = f"a line without - in a list that begins in line {error.begin.line + 1}"
    return _Explanation(error.at, message, "write - before it, or indent it as the block it belongs to")


def _block_mapping(error: YamlSyntaxError) -> _Explanation | None:
    if error.begin is None or error.collection is None:
        return None
    # In 'it's' the text ends at the apostrophe, and the s is outside.
    if re.search(r"""['"]\S*$""", error.before):
        hint = "write a quote inside quotes twice, or use the other kind of quote"
        return _Explanation(error.at, "unexpected text after a closing quote", hint)
    if error.character == ":":
        return _Explanation(error.at, "no name before the colon", _NAME_VALUE)
    if error.character == "-":
        message = "a list item (-) among lines of the form name: value"
        return _Explanation(error.at, message, "remove the -, or indent it")
    begin = f"line {error.begin.line + 1}, column {error.begin.column + 1}"
    message = f"this line is not indented as the block it belongs to, which begins in {begin}"
    return _Explanation(error.at, message, "lines of one block begin in the same column")


def _second_document(error: YamlSyntaxError) -> _Explanation | None:
    above = error.line_above
    if error.begin or above is None or not error.lines[above.line].startswith("..."):
        return None
    message = "a second YAML document begins here"
    return _Explanation(error.at, message, "a file holds one document: remove the ...")


def _after_document(error: YamlSyntaxError) -> _Explanation | None:
    """A line to the left of the first one, where everything is closed."""
    above = error.line_above
    if error.begin or error.open_collections or above is None or above.column <= error.at.column:
        return None
    message = f"this line is not indented as line {above.line + 1}"
    return _Explanation(error.at, message, "lines of one block begin in the same column")


def _unexpected_colon(error: YamlSyntaxError) -> _Explanation | None:
    """A colon where no value can begin: the line has one already, or the line above is not a key."""
    if error.begin or error.character != ":":
        return None
    if re.search(r":\s", error.before):
        hint = "put text that contains a colon between quotes"
        return _Explanation(error.at, "a second colon in this line", hint)
    # Otherwise the parser joined this line with the one above, as plain text may go on in the next line.
    above = error.line_above
    if above and error.indent > above.column:
        message = "this line is indented deeper than the line above, which has a value already"
        position = Position(error.at.line, error.indent)
        return _Explanation(position, message, "indent it as the line above")
    if above and ":" in error.lines[above.line]:
        return _Explanation(above, "no space after the colon", _NAME_VALUE)
    return _Explanation(above or error.at, "no colon in this line", _NAME_VALUE)


def _list_after_key(error: YamlSyntaxError) -> _Explanation | None:
    if error.begin or error.character != "-":
        return None
    hint = "begin the list in the next line, or use [ ]"
    return _Explanation(error.at, "a list item (-) in the line of its key", hint)


def _no_colon(error: YamlSyntaxError) -> _Explanation | None:
    """A name in a line of its own, for which the parser looked for a colon in vain."""
    # A key is in one line with its colon: the parser gives up at the end of that line or later.
    is_past_line = error.begin and (error.at.line > error.begin.line or not error.line[error.at.column :])
    if error.begin is None or not is_past_line or re.search(r":(\s|$)", error.beginning):
        return None
    if ":" in error.beginning:
        return _Explanation(error.begin, "no space after the colon", _NAME_VALUE)
    return _Explanation(error.begin, "no colon after this name", _NAME_VALUE)


def _no_value(error: YamlSyntaxError) -> _Explanation | None:
    if error.begin != error.at or error.character not in ("", ",", "]", "}", ":", "-", "."):
        return None
    if not error.character:
        return _Explanation(error.at, "a value is missing here", "write it")
    message = f"{error.character} where a value is expected"
    return _Explanation(error.at, message, "remove it, or write the value before it")


_RULES: tuple[Callable[[YamlSyntaxError], _Explanation | None], ...] = (
    _tab,
    _quote,
    _directive,
    _reserved_character,
    _tag,
    _block_text,
    _unclosed_bracket,
    _unclosed_at_end,
    _block_list,
    _block_mapping,
    _second_document,
    _unexpected_colon,
    _list_after_key,
    _after_document,
    _no_value,
    _no_colon,
)
