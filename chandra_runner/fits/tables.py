"""Finding tables in files by their columns, and reading the columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from chandra_runner.errors import DataError

from .reader import read_hdus


def has_columns(hdu: Any, *columns: str) -> bool:
    """Return whether an HDU is a table with these columns; upper and lower case count as equal."""
    names = getattr(getattr(hdu, "columns", None), "names", ())
    return {column.upper() for column in columns} <= {name.upper() for name in names}


def tables_with(path: Path, *columns: str) -> Iterator[Any]:
    """Find all tables of a file that have these columns.

    Raises
    ------
    DataError
        The file is damaged.
    """
    return (hdu for hdu in read_hdus(path)[1:] if has_columns(hdu, *columns))


def table_with(path: Path, *columns: str) -> Any:
    """Find the first table of a file that has these columns.

    Raises
    ------
    DataError
        The file is damaged, or has no such table.
    """
    for hdu in tables_with(path, *columns):
        return hdu
    raise DataError(f"{path.name} has no table with the columns {', '.join(columns)}")


def number_column(hdu: Any, column: str) -> NDArray[np.float64]:
    """Read a column of a table as numbers; upper and lower case count as equal in its name.

    Raises
    ------
    DataError
        The table has no such column, or the column does not hold numbers.
    """
    names = {name.upper(): name for name in hdu.columns.names}
    if column.upper() not in names:
        raise DataError(f"extension {hdu.name} has no column {column}")
    try:
        return np.asarray(hdu.data[names[column.upper()]], dtype=np.float64)
    except ValueError as error:
        raise DataError(f"column {column} of extension {hdu.name} does not hold numbers") from error
