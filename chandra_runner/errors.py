"""The errors that a user can meet. Only bugs show tracebacks; these show a message."""

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
    """The environment is: no CIAO for ``engine: ciao``, disk full, ObsIDs locked by another run."""
    INTERRUPTED = 130


class ChandraRunnerError(Exception):
    """Base of all errors that are the user's or the environment's, not ours.

    Parameters
    ----------
    message : str
        What is wrong, and where.
    hint : str
        What to do about it; empty where there is nothing to say.
    """

    exit_code = ExitCode.TASKS

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}" if self.hint else self.message


class UsageError(ChandraRunnerError):
    """The command line asks for something that cannot be."""

    exit_code = ExitCode.USAGE


class SiteError(ChandraRunnerError):
    """The machine lacks something: CIAO, disk space, permission, a free lock."""

    exit_code = ExitCode.ENVIRONMENT


class DataError(ChandraRunnerError):
    """A data file is missing, damaged or not what it should be: the task that needs it fails."""


class BadValueError(ValueError):
    """A value that means nothing where it stands; whoever knows the place makes a message of it.

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


# numpy and astropy notice a full disk by what was not written, and raise an OSError without number.
_WRITTEN_IN_PART = re.compile(r"requested and \d+ written|[Nn]ot enough (free )?space")


def from_os(error: OSError) -> ChandraRunnerError:
    """An operating system's error in words for the user."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or _WRITTEN_IN_PART.search(str(error)):
        return SiteError("the disk is full", "make room, then run again")
    return DataError(f"{error.filename or 'a file'}: {error.strerror or error}")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong in a recipe, with its place."""

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
    """Settings of a stage that its schema accepts but that cannot work.

    Parameters
    ----------
    setting : tuple of (str or int)
        Path of the value inside the stage's settings, such as ``("effective_ens", 2)``.
    message : str
        What is wrong.
    hint : str
        What would be right.
    """

    setting: tuple[str | int, ...]
    message: str
    hint: str = ""


class RecipeError(ChandraRunnerError):
    """A recipe with problems: all of them, in the order of their places."""

    exit_code = ExitCode.USAGE

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda p: (str(p.file), p.line, p.column))
        super().__init__("\n".join(str(problem) for problem in self.problems))
