"""Parse YAML safely, every value with its place in the file.

Recipes come from other people. Therefore: no tags, no merge keys, no duplicate keys, one document,
bounded size, depth and aliases, and scalars as YAML 1.2 resolves them: `no` is a string; `01575`,
`0x1F`, `1_000` and `1:30` are never numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import yaml

from chandra_runner.errors import Problem, RecipeError

from .located_value import LocatedValue, Scalar
from .yaml_messages import describe_syntax_error
from .yaml_text import NOT_PRINTABLE, check_printable

MAX_DEPTH = 20
"""Levels of nesting; a recipe needs six."""
MAX_VALUES = 500_000
MAX_ALIASES = 200
MAX_ALIASED_VALUES = 20_000

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INT = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_WORDS: Mapping[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


def parse_yaml(text: str, file: Path) -> LocatedValue:
    """Parse YAML text into values that know their places.

    Parameters
    ----------
    text : str
        The content of the file.
    file : Path
        The file, for the places of values and problems.

    Raises
    ------
    RecipeError
        It is not YAML, or uses something that is not allowed.

    Examples
    --------
    >>> root = parse_yaml("deflare: {method: clean}", Path("recipe.yaml"))
    >>> method = root.child("deflare").child("method")
    >>> method.value, method.line, method.column
    ('clean', 1, 19)
    """
    check_printable(text, file)
    return _Parser(text, file).parse()


def resolve_scalar(text: str) -> Scalar:
    """Return the value of a plain scalar: YAML 1.2, finite decimal numbers only.

    Examples
    --------
    >>> resolve_scalar("754"), resolve_scalar("2e3"), resolve_scalar("true")
    (754, 2000.0, True)
    >>> resolve_scalar("no"), resolve_scalar("01575")
    ('no', '01575')
    """
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    # The length is bounded because float() takes long for a number of a million digits.
    if len(text) < 50 and _FLOAT.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text


class _Parser:
    """Builds located values from the events of a YAML parser, and collects what is wrong."""

    def __init__(self, text: str, file: Path) -> None:
        self._file = file
        self._text = text
        self._problems: list[Problem] = []
        self._events: Iterator[Any] = iter(())
        self._open: list[yaml.CollectionStartEvent] = []
        self._anchors: dict[str, tuple[LocatedValue, int] | None] = {}
        self._values = 0
        self._aliases = 0
        self._aliased_values = 0

    def parse(self) -> LocatedValue:
        """Return the root of the document; raise RecipeError with all problems."""
        root = LocatedValue(None, self._file, 1, 1)
        try:
            self._events = self._bounded_events(self._text)
            root = self._document()
        except yaml.YAMLError as error:
            self._syntax_error(error)
        if self._problems:
            raise RecipeError(self._problems)
        return root

    def _syntax_error(self, error: yaml.YAMLError) -> None:
        """Add the problem that a parser's error is, whatever its words."""
        collections = tuple(self._open)
        mark = getattr(error, "problem_mark", None)
        if mark is not None:
            # libyaml scans up to 1024 characters ahead of its events and, from 0.2.6 on, refuses deep
            # nesting there itself. The text before the error is parsed again, so that our own limit is
            # reported first, with its place.
            with suppress(yaml.YAMLError):
                for _ in self._bounded_events(self._text[: mark.index]):
                    pass
        self._problems.append(describe_syntax_error(error, self._text, self._file, collections))

    def _bounded_events(self, text: str) -> Iterator[Any]:
        """Yield the parser's events; stop where the nesting becomes too deep."""
        self._open = []
        for event in yaml.parse(text, Loader=_LOADER):
            if isinstance(event, yaml.CollectionEndEvent):
                self._open.pop()
            elif isinstance(event, yaml.NodeEvent) and len(self._open) > MAX_DEPTH:
                self._stop(event, f"nested deeper than {MAX_DEPTH} levels", "look for stray brackets")
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open.append(event)
            yield event

    def _document(self) -> LocatedValue:
        """Return the one document of the text; an empty value when there is none."""
        next(self._events)  # start of the stream
        event: Any = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return LocatedValue(None, self._file, 1, 1)
        if event.tags:
            self._complain(event, "a %TAG line", "tags are not allowed: remove it")
        root = self._value(next(self._events))
        next(self._events)  # end of the document
        event = next(self._events)
        if isinstance(event, yaml.DocumentStartEvent):
            hint = "a file holds one document: remove the ---"
            self._complain(event, "a second YAML document begins here", hint)
        return root

    def _value(self, event: Any) -> LocatedValue:
        self._values += 1
        if self._values > MAX_VALUES:
            self._stop(event, f"more than {MAX_VALUES:,} values", "remove those that are not needed")
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._complain(event, f"a YAML tag ({tag})", "tags are not allowed: write the plain value")
        if event.anchor is None:
            return self._content(event)
        before = self._values
        self._anchors[event.anchor] = None  # known, but not complete: an alias inside it would never end
        value = self._content(event)
        self._anchors[event.anchor] = value, self._values - before + 1
        return value

    def _content(self, event: Any) -> LocatedValue:
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._located(event, tuple(self._items()))
        return self._located(event, self._entries())

    def _scalar(self, event: Any) -> LocatedValue:
        quoted = bool(event.style)  # plain scalars have the style None or "", depending on the parser
        if NOT_PRINTABLE.search(event.value):
            hint = "remove the escape sequence"
            self._complain(event, "the text contains a control character", hint)
        value = event.value if quoted else resolve_scalar(event.value)
        return self._located(event, value, text=event.value, quoted=quoted)

    def _items(self) -> Iterator[LocatedValue]:
        for event in self._events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            yield self._value(event)

    def _entries(self) -> Mapping[str, LocatedValue]:
        entries: dict[str, LocatedValue] = {}
        for event in self._events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._value(event)
            value = self._value(next(self._events))
            value = replace(value, key_line=key.line, key_column=key.column)
            if self._is_valid_key(key, event):
                self._add_entry(entries, key, value)
        return entries

    def _is_valid_key(self, key: LocatedValue, event: Any) -> bool:
        if isinstance(key.value, tuple | Mapping) or not key.text:
            self._complain(event, "a key must be a word or a number", 'write "name: value"')
            return False
        if key.text == "<<" and not key.quoted:
            hint = "write the settings out, or put them in a file to extend"
            self._complain(event, "a merge key (<<)", hint)
            return False
        return True

    def _add_entry(self, entries: dict[str, LocatedValue], key: LocatedValue, value: LocatedValue) -> None:
        first = entries.setdefault(key.text, value)
        if first is not value:
            message = f"{key.text} is given twice, first in line {first.key_line}"
            self._problems.append(key.problem(message, "keep one of them"))

    def _alias(self, event: Any) -> LocatedValue:
        self._aliases += 1
        name = event.anchor
        if self._aliases > MAX_ALIASES:
            self._stop(event, f"more than {MAX_ALIASES} aliases (*{name})", "write the values out")
        if name not in self._anchors:
            self._stop(event, f"*{name} refers to nothing", f"write &{name} before the value it stands for")
        target = self._anchors[name]
        if target is None:
            self._stop(event, f"*{name} is inside the value that it refers to", "write the value out")
        value, size = target
        # Every use of an alias counts with all values in it: ten aliases of ten aliases of ... are a bomb.
        self._values += size
        self._aliased_values += size
        if self._aliased_values > MAX_ALIASED_VALUES:
            message = f"the aliases expand to more than {MAX_ALIASED_VALUES:,} values"
            self._stop(event, message, "write the values out")
        return replace(value, line=event.start_mark.line + 1, column=event.start_mark.column + 1)

    def _located(self, event: Any, value: Any, text: str = "", *, quoted: bool = False) -> LocatedValue:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        return LocatedValue(value, self._file, line, column, text=text, quoted=quoted)

    def _complain(self, event: Any, message: str, hint: str) -> None:
        self._problems.append(self._located(event, None).problem(message, hint))

    def _stop(self, event: Any, message: str, hint: str) -> NoReturn:
        self._complain(event, message, hint)
        raise RecipeError(self._problems)
