"""Files that commands write where the user says."""

from __future__ import annotations

import os
from pathlib import Path

from chandra_runner.errors import ChandraRunnerError, UsageError, from_os
from chandra_runner.storage.atomic_write import write_atomically


def check_directory(path: Path) -> None:
    """Check, before any work is done, that there can be a file at a path.

    Raises
    ------
    UsageError
        It is a directory, or is in a directory that does not exist.
    """
    if path.is_dir():
        raise UsageError(f"{path} is a directory", "add the name of a file")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}", "create it first")


def check_new(path: Path) -> None:
    """Check that a new file can be made at a path, where nothing may be overwritten.

    Raises
    ------
    UsageError
        Something exists there, or the directory does not.
    """
    check_directory(path)
    if os.path.lexists(path):
        raise UsageError(f"{path} exists and is not overwritten", "name another file, or remove it")


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; a file that exists is replaced, and its permissions are kept.

    What cannot be replaced is written to: links, named pipes, /dev/stdout.

    Raises
    ------
    UsageError
        There cannot be a file of that name.
    ChandraRunnerError
        It could not be written.
    """
    check_directory(path)
    try:
        if path.is_symlink() or (path.exists() and not path.is_file()):
            path.write_text(text, encoding="utf-8")
            return
        mode = path.stat().st_mode if path.exists() else None
        write_atomically(path, text)
        if mode is not None:
            path.chmod(mode)
    except OSError as error:
        raise _named(error, path) from error


def write_new_recipe(path: Path, text: str) -> None:
    """Write a new recipe; one that turns out not to be valid is removed again.

    Raises
    ------
    ChandraRunnerError
        It could not be written, or is not valid.
    """
    from chandra_runner.recipe.recipe import load_recipe

    check_new(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        check_new(path)
    except OSError as error:
        raise _named(error, path) from error
    try:
        load_recipe(path)
    except ChandraRunnerError:
        path.unlink()
        raise


def _named(error: OSError, path: Path) -> ChandraRunnerError:
    """Put an error into words, with the name that the user gave instead of that of a temporary file."""
    return from_os(OSError(error.errno, error.strerror, str(path)))
