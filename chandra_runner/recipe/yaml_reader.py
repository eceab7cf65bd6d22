"""YAML read safely, every value with its place in the file.

Recipes come from other people. So: no tags, no merge keys, no duplicate keys, one document, bounded
size, depth and aliases, and scalars as YAML 1.2 resolves them: `no` is a string; `01575`, `0x1F`,
`1_000` and `1:30` are never numbers.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from chandra_runner.errors import Problem, RecipeError

from .located_value import LocatedValue, Scalar
from .yaml_messages import explain

MAX_BYTES = 4_000_000
MAX_DEPTH = 20
MAX_NODES = 500_000
MAX_ALIASES = 200
MAX_ALIASED_NODES = 20_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


class SourceError(Exception):
    """A file cannot be read at all, and why; who named it knows the place to blame."""


def read(file: Path) -> str:
    """The text of a YAML file.

    Raises
    ------
    SourceError
        It is not there, not a file, too large, or may not be read.
    RecipeError
        It is not UTF-8 text.
    """
    if os.path.isdir(file):
        raise SourceError(f"{file} is a directory, not a recipe file")
    if not os.path.lexists(file):
        raise SourceError(f"there is no file {file}")
    if not os.path.isfile(file):
        raise SourceError(f"{file} is not a regular file that can be read")
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise SourceError(f"{file} cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise SourceError(f"{file} is larger than {MAX_BYTES // 1_000_000} MB, which no recipe is")
    return _decode(data, file)


def parse(text: str, file: Path) -> LocatedValue:
    """Parse YAML text into nodes.

    Raises
    ------
    RecipeError
        It is not YAML, or uses what a recipe may not use.
    """
    bad = _NOT_PRINTABLE.search(text)
    if bad:
        message = f"a control character ({bad[0]!a})"
        raise _at_end_of(text[: bad.start()], file, message, "remove it; it is invisible")
    builder = _Builder(text, file)
    try:
        root = builder.document()
    except yaml.MarkedYAMLError as error:
        builder.problems.append(explain(error, text, file))
    if builder.problems:
        raise RecipeError(builder.problems)
    return root


def resolve(text: str) -> Scalar:
    """The value of a plain scalar: YAML 1.2, decimal numbers only, finite ones only."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if len(text) < 50 and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


def _decode(data: bytes, file: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _at_end_of(before, file, message, "save the file with the encoding UTF-8") from None


def _at_end_of(before: str, file: Path, message: str, hint: str) -> RecipeError:
    line = before.count("\n") + 1
    return RecipeError([Problem(file, line, len(before) - before.rfind("\n"), message, hint)])


class _Builder:
    """Makes nodes of YAML events, and keeps what is wrong on the way."""

    def __init__(self, text: str, file: Path) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._text = text
        self._events: Iterator[Any] = iter(())
        self._anchors: dict[str, tuple[LocatedValue, int] | None] = {}
        self._nodes = 0
        self._aliases = 0
        self._aliased_nodes = 0

    def document(self) -> LocatedValue:
        """The one document of the text; an empty mapping place when there is none."""
        self._events = yaml.parse(self._text, Loader=_LOADER)
        next(self._events)  # start of the stream
        event: Any = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return LocatedValue(None, self._file, 1, 1)
        if event.tags:
            self._complain(event, "a %TAG line", "a recipe has no tags: remove it")
        root = self._node(next(self._events), 0)
        next(self._events)  # end of the document
        event = next(self._events)
        if isinstance(event, yaml.DocumentStartEvent):
            hint = "a recipe is one document: remove the ---"
            self._complain(event, "a second YAML document begins here", hint)
        return root

    def _node(self, event: Any, depth: int) -> LocatedValue:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._stop(event, f"more than {MAX_NODES:,} values", "no recipe needs so many")
        if depth > MAX_DEPTH:
            hint = "a recipe needs six: look for stray brackets"
            self._stop(event, f"nested deeper than {MAX_DEPTH} levels", hint)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._complain(event, f"a YAML tag ({tag})", "a recipe has no tags: write the plain value")
        if event.anchor is None:
            return self._untagged(event, depth)
        before = self._nodes
        self._anchors[event.anchor] = None
        node = self._untagged(event, depth)
        self._anchors[event.anchor] = node, self._nodes - before + 1
        return node

    def _untagged(self, event: Any, depth: int) -> LocatedValue:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._place(event, tuple(self._items(depth)))
        return self._place(event, self._entries(depth))

    def _scalar(self, event: Any) -> LocatedValue:
        quoted = bool(event.style)  # None or "" is plain, as the parser likes
        if _NOT_PRINTABLE.search(event.value):
            self._complain(event, "the text holds a control character", "remove the escape that makes it")
        value = event.value if quoted else resolve(event.value)
        return replace(self._place(event, value), text=event.value, quoted=quoted)

    def _items(self, depth: int) -> Iterator[LocatedValue]:
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._node(event, depth + 1)

    def _entries(self, depth: int) -> Mapping[str, LocatedValue]:
        entries: dict[str, LocatedValue] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            value = replace(value, key_line=key.line, key_column=key.column)
            if self._is_key(key, event):
                self._enter(entries, key, value)
        return entries

    def _is_key(self, key: LocatedValue, event: Any) -> bool:
        if isinstance(key.value, tuple | Mapping) or not key.text:
            self._complain(event, "a key must be a word or a number", 'write "name: value"')
            return False
        if key.text == "<<" and not key.quoted:
            hint = "write the settings out, or put them in a file to extend"
            self._complain(event, "a merge key (<<)", hint)
            return False
        return True

    def _enter(self, entries: dict[str, LocatedValue], key: LocatedValue, value: LocatedValue) -> None:
        first = entries.setdefault(key.text, value)
        if first is not value:
            where = f"it is first given in line {first.key_line}"
            self.problems.append(key.problem(f"{key.text} is given twice; {where}", "keep one of them"))

    def _alias(self, event: Any) -> LocatedValue:
        self._aliases += 1
        name = event.anchor
        if self._aliases > MAX_ALIASES:
            self._stop(event, f"more than {MAX_ALIASES} aliases (*{name})", "write the values out")
        if name not in self._anchors:
            self._stop(event, f"*{name} refers to nothing", f"write &{name} before the value it means")
        target = self._anchors[name]
        if target is None:
            self._stop(event, f"*{name} stands inside what it refers to", "write the value out")
        node, size = target
        self._nodes += size
        self._aliased_nodes += size
        if self._aliased_nodes > MAX_ALIASED_NODES:
            message = f"the aliases expand to more than {MAX_ALIASED_NODES:,} values"
            self._stop(event, message, "write the values out")
        return replace(node, line=event.start_mark.line + 1, column=event.start_mark.column + 1)

    def _place(self, event: Any, value: Any) -> LocatedValue:
        mark = event.start_mark
        return LocatedValue(value, self._file, mark.line + 1, mark.column + 1)

    def _complain(self, event: Any, message: str, hint: str) -> None:
        self.problems.append(self._place(event, None).problem(message, hint))

    def _stop(self, event: Any, message: str, hint: str) -> NoReturn:
        self._complain(event, message, hint)
        raise RecipeError(self.problems)
