"""The log that a user sees: set up once, by the command line."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from loguru import logger

if TYPE_CHECKING:
    from loguru import Record
    from rich.console import Console

LEVELS = {-1: "WARNING", 0: "INFO", 1: "DEBUG"}


def set_up(verbosity: int, console: Console | None = None) -> None:
    """Send log messages to standard error.

    Parameters
    ----------
    verbosity : int
        -1 for warnings and errors only, 0, or 1 for everything.
    console : rich.console.Console, optional
        Where a progress bar is shown: messages go above it.
    """

    def show(message: str) -> None:
        if console is None:
            sys.stderr.write(message)
        else:
            console.print(message, end="", markup=False, highlight=False, soft_wrap=True)

    logger.remove()
    logger.add(show, format=_format, level=LEVELS[max(-1, min(verbosity, 1))])


def _format(record: Record) -> str:
    level = record["level"].name.lower()
    return "{message}\n" if level in ("info", "debug") else f"{level}: {{message}}\n"
