"""Errors and problems that are shown to the user as messages; only bugs show tracebacks.

An error is raised and ends something; a problem is one of the things that are wrong in a recipe, which are
collected and reported together.
"""

from __future__ import annotations

import errno
import re
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path


class ExitCode(IntEnum):
    """What `chandra-run` returns to the shell."""

    OK = 0
    """Every task is done, up to date or excluded."""
    TASKS = 1
    """Some tasks failed, timed out or were blocked; the others were done."""
    USAGE = 2
    """The recipe or the command line is wrong."""
    ENVIRONMENT = 3
    """The environment is wrong: no CIAO for ``engine: ciao``, disk full, ObsIDs locked by another run."""
    INTERRUPTED = 130
    """The run was stopped by the user."""


class ChandraRunnerError(Exception):
    """Base of all errors whose cause is the user's input or the environment, not this program.

    Parameters
    ----------
    message : str
        What is wrong, and where.
    hint : str
        What to do about it; empty if nothing can be suggested.

    Examples
    --------
    >>> print(ChandraRunnerError("there is no stage deflair", "did you mean deflare?"))
    there is no stage deflair; did you mean deflare?
    """

    exit_code = ExitCode.TASKS

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(ChandraRunnerError):
    """The command line requests something that is not possible."""

    exit_code = ExitCode.USAGE


class SiteError(ChandraRunnerError):
    """Something is missing on this machine: CIAO, disk space, permission, a free lock."""

    exit_code = ExitCode.ENVIRONMENT


class DataError(ChandraRunnerError):
    """A data file is missing, damaged or not of the expected kind: the task that needs it fails."""


class BadValueError(ValueError):
    """A value is not valid; the caller knows its place and reports it there.

    Parameters
    ----------
    message : str
        What is wrong.
    hint : str
        What would be right.
    """

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(f"{message}; {hint}")
        self.message = message
        self.hint = hint


# numpy and astropy raise an OSError without errno and file name when a disk is full: numpy.ndarray.tofile
# counts the items that were written, astropy compares sizes. Only the message distinguishes such errors.
_WRITTEN_IN_PART = re.compile(r"requested and \d+ written|[Nn]ot enough (free )?space")


def from_os(error: OSError) -> ChandraRunnerError:
    """Return the error for the user that corresponds to one of the operating system.

    Examples
    --------
    >>> error = FileNotFoundError(errno.ENOENT, "No such file or directory", "evt2.fits")
    >>> print(from_os(error))
    evt2.fits: No such file or directory
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or _WRITTEN_IN_PART.search(str(error)):
        return SiteError("the disk is full", "make room, then run again")
    return DataError(f"{error.filename or 'a file'}: {error.strerror or error}")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a file, such as a recipe, at its place.

    Parameters
    ----------
    file : Path
        The file.
    line, column : int
        The place, counted from 1.
    message : str
        What is wrong.
    hint : str
        What would be right; empty if nothing can be suggested.

    Examples
    --------
    >>> print(Problem(Path("recipe.yaml"), 2, 16, "0754 is not a whole number", "write 754"))
    recipe.yaml:2:16: 0754 is not a whole number; write 754
    """

    file: Path
    line: int
    column: int
    message: str
    hint: str = ""

    def __str__(self) -> str:
        text = f"{self.message}; {self.hint}" if self.hint else self.message
        return f"{self.file}:{self.line}:{self.column}: {text}"


@dataclass(frozen=True)
class SettingProblem:
    """One thing that is wrong in the settings of a stage, though the schema accepts them.

    `Stage.check` yields such problems; the recipe knows the place of each setting and reports a `Problem`.

    Parameters
    ----------
    setting : tuple of (str or int)
        Path of the value inside the stage's settings, such as ``("effective_ens", 2)``.
    message : str
        What is wrong.
    hint : str
        What would be right; empty if nothing can be suggested.
    """

    setting: tuple[str | int, ...]
    message: str
    hint: str = ""


class RecipeError(ChandraRunnerError):
    """A recipe is not valid.

    Parameters
    ----------
    problems : list of Problem
        Everything that is wrong with it; kept in the order of files and places.
    """

    exit_code = ExitCode.USAGE

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (str(p.file), p.line, p.column))
        super().__init__("\n".join(str(problem) for problem in self.problems))
