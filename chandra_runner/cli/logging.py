"""The log on the terminal. The package is silent until the command line sets it up."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from loguru import Record
    from rich.console import Console

_LEVELS = {-1: "WARNING", 0: "INFO", 1: "DEBUG"}


def set_up(verbosity: int, console: Console | None = None) -> None:
    """Send the log messages of the package to standard error.

    Parameters
    ----------
    verbosity : int
        -1 for warnings and errors, 0 for information as well, 1 for everything.
    console : rich.console.Console, optional
        Where a progress bar is shown; messages appear above it.
    """

    def show(message: str) -> None:
        if console is None:
            sys.stderr.write(message)
        else:
            console.print(message, end="", markup=False, highlight=False, soft_wrap=True)

    logger.enable("chandra_runner")
    logger.remove()
    logger.add(show, format=_format, level=_LEVELS[max(-1, min(verbosity, 1))])


def _format(record: Record) -> str:
    level = record["level"].name.lower()
    return "{message}\n" if level in ("info", "debug") else f"{level}: {{message}}\n"
