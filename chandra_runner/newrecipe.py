"""Writing recipe files that were not there."""

from __future__ import annotations

import os
from pathlib import Path

from .errors import ChandraRunnerError, UsageError, from_os


def check_free(path: Path) -> None:
    """Refuse a path at which no new file can be made.

    Raises
    ------
    UsageError
        Something is there, or there is no such directory.
    """
    if os.path.lexists(path):
        raise UsageError(f"{path} exists, and is not overwritten", "name another file, or remove it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}", "make it first")


def write_recipe(path: Path, text: str) -> None:
    """Write a new recipe; none is left behind that is not valid.

    Raises
    ------
    ChandraRunnerError
        It cannot be written, or is not valid.
    """
    from .recipe import load_recipe

    check_free(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        check_free(path)
    except OSError as error:
        raise from_os(error) from None
    try:
        load_recipe(path)
    except ChandraRunnerError:
        path.unlink()
        raise
