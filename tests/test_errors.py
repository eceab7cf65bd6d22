"""Errors that users see: their text, and those of the operating system."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from chandra_runner.errors import (
    ChandraRunnerError,
    DataError,
    ExitCode,
    Problem,
    RecipeError,
    SiteError,
    from_os,
)


def test_an_error_shows_what_is_wrong_and_what_to_do() -> None:
    assert str(ChandraRunnerError("wrong", "right")) == "wrong; right"
    assert str(ChandraRunnerError("wrong")) == "wrong"


def test_a_recipe_error_has_all_problems_in_the_order_of_their_places() -> None:
    places = [("b.yaml", 1, 1), ("a.yaml", 10, 1), ("a.yaml", 9, 2), ("a.yaml", 9, 1)]
    error = RecipeError([Problem(Path(file), line, column, "wrong") for file, line, column in places])
    assert str(error).splitlines() == [
        "a.yaml:9:1: wrong",
        "a.yaml:9:2: wrong",
        "a.yaml:10:1: wrong",
        "b.yaml:1:1: wrong",
    ]
    assert error.exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device", "x.fits"),
        OSError(errno.EDQUOT, "Disk quota exceeded", "x.fits"),
        OSError("1048576 requested and 524288 written"),
        OSError("Not enough space on disk: requested 4, available 2."),
    ],
    ids=["space", "quota", "numpy", "astropy"],
)
def test_a_full_disk_is_the_environments_fault_however_it_is_noticed(error: OSError) -> None:
    found = from_os(error)
    assert isinstance(found, SiteError)
    assert str(found) == "the disk is full; make room, then run again"


def test_other_errors_of_the_system_name_their_file() -> None:
    found = from_os(PermissionError(errno.EACCES, "Permission denied", "evt2.fits"))
    assert isinstance(found, DataError)
    assert str(found) == "evt2.fits: Permission denied"
    assert str(from_os(OSError("something new"))) == "a file: something new"
