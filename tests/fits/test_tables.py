"""Tables are found by their columns, and columns are read as numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.tables import has_columns, number_column, table_with, tables_with


def table(name: str, **columns: list[float] | list[str]) -> fits.BinTableHDU:
    made = [
        fits.Column(key, "8A" if isinstance(values[0], str) else "1J", array=values)
        for key, values in columns.items()
    ]
    return fits.BinTableHDU.from_columns(made, name=name)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    hdus = [
        fits.PrimaryHDU(),
        table("A", Time=[1, 2]),
        table("B", TIME=[3], dtf=[4]),
        table("C", TIME=[5], DTF=[6]),
    ]
    fits.HDUList(hdus).writeto(tmp_path / "tables.fits")
    return tmp_path / "tables.fits"


def test_tables_are_found_by_their_columns_in_upper_or_lower_case(path: Path) -> None:
    assert [hdu.name for hdu in tables_with(path, "time")] == ["A", "B", "C"]
    assert table_with(path, "TIME", "DTF").name == "B"


def test_a_missing_table_is_named_by_its_columns(path: Path) -> None:
    with pytest.raises(DataError, match=r"tables\.fits has no table with the columns time, x$"):
        table_with(path, "time", "x")


def test_an_image_has_no_columns() -> None:
    assert not has_columns(fits.ImageHDU(np.zeros((2, 2))), "x")


def test_columns_of_any_number_type_are_read_as_floats() -> None:
    numbers = number_column(table("A", Count=[1, 2]), "COUNT")
    assert numbers.dtype == np.float64
    assert numbers.tolist() == [1.0, 2.0]


def test_a_missing_column_or_one_of_text_is_named() -> None:
    with pytest.raises(DataError, match="extension A has no column x"):
        number_column(table("A", y=[1]), "x")
    with pytest.raises(DataError, match="column y of extension A does not hold numbers"):
        number_column(table("A", y=["text"]), "y")
