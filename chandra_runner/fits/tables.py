"""Finding tables in files by the columns that they should have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chandra_runner.errors import DataError

from .reader import read_hdus


def has_columns(hdu: Any, *columns: str) -> bool:
    """Whether an HDU is a table with these columns, their names in any case."""
    names = getattr(getattr(hdu, "columns", None), "names", ())
    return {column.upper() for column in columns} <= {name.upper() for name in names}


def tables_with(path: Path, *columns: str) -> Iterator[Any]:
    """All tables of a file that have these columns.

    Raises
    ------
    DataError
        The file is damaged.
    """
    return (hdu for hdu in read_hdus(path)[1:] if has_columns(hdu, *columns))


def table_with(path: Path, *columns: str) -> Any:
    """The first table of a file that has these columns.

    Raises
    ------
    DataError
        The file is damaged, or has no such table.
    """
    for hdu in tables_with(path, *columns):
        return hdu
    raise DataError(f"{path.name} has no table with the columns {', '.join(columns)}")
