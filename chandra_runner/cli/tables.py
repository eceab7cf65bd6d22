"""Text for people: tables, counts, words."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

_GAP = "  "
_NARROWEST = 20
"""Characters: a last column that would get fewer is not wrapped."""


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    title : str
        Its title; a table whose columns have no titles has no title line.
    right : bool
        Whether its cells are aligned to the right, as numbers are.
    """

    title: str = ""
    right: bool = False


def render_table(
    columns: Sequence[Column], rows: Iterable[Sequence[str]], *, width: int | None = None
) -> list[str]:
    """Return a table as text: one string for the titles, if there are any, and one for each row.

    Every column is as wide as its widest cell. The last one is wrapped to the terminal. Where there is no
    terminal, as in a pipe, every row stays one line, so that it can be searched.

    Parameters
    ----------
    columns : sequence of Column
        What the columns are.
    rows : iterable of sequences of str
        The cells of each row, one for each column.
    width : int, optional
        Width to wrap to, characters; by default that of the terminal.

    Examples
    --------
    >>> print(*render_table([Column("ObsID", right=True), Column("target")], [("493", "A1795")]), sep="\\n")
    ObsID  target
      493  A1795
    """
    cells = [tuple(row) for row in rows]
    titles = tuple(column.title for column in columns)
    if any(titles):
        cells.insert(0, titles)
    widths = [max((len(row[index]) for row in cells), default=0) for index in range(len(columns) - 1)]
    limit = _terminal_width() if width is None else width
    return [_line(columns, row, widths, limit) for row in cells]


def words(value: StrEnum) -> str:
    """Return the value of an enum as a person would write it.

    Examples
    --------
    >>> from chandra_runner.stages.outcome import Outcome
    >>> words(Outcome.UP_TO_DATE)
    'up to date'
    """
    return value.value.replace("_", " ")


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "observation"), counted(2, "observation")
    ('1 observation', '2 observations')
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def count_tasks(values: Sequence[StrEnum]) -> str:
    """Return how many tasks there are of each outcome, in the order in which its enum lists them.

    Examples
    --------
    >>> from chandra_runner.stages.outcome import Outcome
    >>> count_tasks([Outcome.FAILED, Outcome.DONE, Outcome.DONE])
    '3 tasks: 2 done, 1 failed'
    """
    counts = Counter(values)
    kinds = [kind for value in values[:1] for kind in type(value) if counts[kind]]
    parts = [f"{counts[kind]} {words(kind)}" for kind in kinds]
    return f"{counted(len(values), 'task')}: {', '.join(parts)}"


def _line(columns: Sequence[Column], row: Sequence[str], widths: Sequence[int], limit: int | None) -> str:
    padded = [
        cell.rjust(size) if column.right else cell.ljust(size)
        for column, cell, size in zip(columns[:-1], row, widths, strict=False)
    ]
    start = "".join(cell + _GAP for cell in padded)
    if limit is None or limit - len(start) < _NARROWEST or not row[-1]:
        return (start + row[-1]).rstrip()
    return textwrap.fill(
        row[-1],
        limit,
        initial_indent=start,
        subsequent_indent=" " * len(start),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _terminal_width() -> int | None:
    """Return the width of the terminal that standard output is, or None where it is something else."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
