"""dmcopy: event lists, filtered by energy, grade, status and good times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.event_selection import ANY_STATUS, HeaderUpdate, Selection, select_events
from chandra_runner.native.level2 import read_good_times, status_bits

from .files import VirtualFile, mark, output, parse
from .messages import Failure, warn


def run(values: dict[str, Any]) -> list[Path]:
    """Copy the events that pass the filters of the input's name."""
    source = parse(values["infile"])
    if source.binning or source.block not in ("", "EVENTS"):
        raise Failure(f"the stand-in copies tables of events, not '{values['infile']}'")
    with EventFile.open(source.path) as events:
        selection = select(source, events)
        target = output(values["outfile"], values["clobber"])
        report = select_events(events, target, selection, HeaderUpdate((), events.dtcor))
    if not report.rows_out:
        warn("dmcopy", f'Output file, "{target}", has no rows in it.')
    return [mark(target, "dmcopy")]


def select(source: VirtualFile, events: EventFile) -> Selection:
    """What the filters of a name mean.

    Raises
    ------
    Failure
        One of them makes no sense, or names a column that is not there.
    """
    selection = Selection(events.good_times)
    for text in source.filters:
        if text.startswith("@"):
            good_times = selection.good_times.intersect(read_good_times(parse(text[1:]).path))
            selection = replace(selection, good_times=good_times)
            continue
        for column, ranges in _columns(text):
            if column not in (events.dtype.names or ()):
                raise Failure(f"column '{column}' was not found in '{source.path}'", "dsFINDCOLERR")
            if column not in _MEANINGS:
                raise Failure(f"the stand-in cannot filter '{column}'")
            selection = replace(selection, **_MEANINGS[column](ranges))
    return selection


def _columns(text: str) -> Iterator[tuple[str, list[str]]]:
    """Columns and their ranges: commas stand between columns as well as between ranges."""
    column = ""
    ranges: list[str] = []
    for item in text.split(","):
        name, equals, first = item.partition("=")
        if equals:
            if column:
                yield column, ranges
            column, ranges = name.strip().lower(), [first.strip()]
        elif column:
            ranges.append(item.strip())
    if not column or not all(ranges):
        raise Failure(f"syntax error in filter '[{text}]'", "dsVFSYNTAXERR")
    yield column, ranges


def _energy(ranges: list[str]) -> dict[str, Any]:
    """A real column: the upper edge is left out."""
    match = re.fullmatch(r"(\d+\.?\d*):(\d+\.?\d*)", ",".join(ranges))
    if not match:
        raise Failure(f"the stand-in takes one range of energies, in eV, not '{','.join(ranges)}'")
    return {"energy": (float(match[1]), float(match[2]))}


def _grade(ranges: list[str]) -> dict[str, Any]:
    """A whole number: both ends of a range are kept."""
    grades: set[int] = set()
    for item in ranges:
        match = re.fullmatch(r"(\d+)(?::(\d+))?", item)
        if not match:
            raise Failure(f"syntax error in range '{item}'", "dsVFSYNTAXERR")
        grades.update(range(int(match[1]), int(match[2] or match[1]) + 1))
    return {"grades": tuple(sorted(grades))}


def _status(ranges: list[str]) -> dict[str, Any]:
    """Bits that have to be 0: all, or those marked 0."""
    (mask,) = ranges if len(ranges) == 1 else ("",)
    if mask == "0":
        return {"status": ANY_STATUS}
    if not re.fullmatch("[x0]{32}", mask):
        raise Failure(f"syntax error in bit mask '{','.join(ranges)}'", "dsVFSYNTAXERR")
    return {"status": status_bits(mask)}


_MEANINGS: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "energy": _energy,
    "grade": _grade,
    "status": _status,
}
