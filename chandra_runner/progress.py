"""What a user sees of a run while it runs: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from loguru import logger

from .stage import Outcome
from .taskreport import TaskReport

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

LEVELS = {
    Outcome.DONE: "INFO",
    Outcome.UP_TO_DATE: "DEBUG",
    Outcome.EXCLUDED: "INFO",
    Outcome.FAILED: "ERROR",
    Outcome.TIMED_OUT: "ERROR",
    Outcome.BLOCKED: "WARNING",
    Outcome.INTERRUPTED: "WARNING",
}


class LineReporter:
    """One log line for each task that ends."""

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """A task begins to run."""
        logger.debug(f"{observation} {stage}: starts: {'; '.join(reasons)}")

    def ended(self, report: TaskReport) -> None:
        """A task has ended."""
        where = f"{report.observation} {report.stage}"
        for warning in report.warnings:
            logger.warning(f"{where}: {warning}")
        words = report.outcome.value.replace("_", " ")
        seconds = f" in {report.seconds:.1f} s" if report.outcome is Outcome.DONE else ""
        why = (
            "" if report.outcome is Outcome.DONE else "".join(f": {reason}" for reason in report.reasons[:1])
        )
        failed = report.outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
        log = f" (log: {report.log})" if failed and report.log else ""
        quiet = report.outcome in (Outcome.INTERRUPTED, Outcome.EXCLUDED) and report.log is None
        level = "DEBUG" if quiet else LEVELS[report.outcome]
        logger.log(level, f"{where}: {words}{seconds}{why}{log}")


class BarReporter(LineReporter):
    """The same lines, above a bar that shows how far the run is and what it is doing."""

    def __init__(self, progress: Progress, bar: TaskID) -> None:
        self._progress, self._bar = progress, bar
        self._running: dict[tuple[int, str], None] = {}
        self._lock = threading.Lock()

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """A task begins to run."""
        super().started(observation, stage, reasons)
        with self._lock:
            self._running[observation, stage] = None
            self._show(0)

    def ended(self, report: TaskReport) -> None:
        """A task has ended."""
        super().ended(report)
        with self._lock:
            self._running.pop((report.observation, report.stage), None)
            self._show(1)

    def _show(self, advance: int) -> None:
        running = ", ".join(f"{observation} {stage}" for observation, stage in self._running)
        self._progress.update(self._bar, advance=advance, running=running)


@contextmanager
def reporting(tasks: int, verbosity: int, bar: bool) -> Iterator[LineReporter]:
    """A reporter for a run of so many tasks, with a bar where that is wanted and there is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from .log import set_up

    console = Console(stderr=True)
    if not (bar and console.is_terminal):
        yield LineReporter()
        return
    columns = (
        MofNCompleteColumn(),
        BarColumn(bar_width=30),
        TimeElapsedColumn(),
        TextColumn("{task.fields[running]}"),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        set_up(verbosity, progress.console)
        try:
            yield BarReporter(progress, progress.add_task("", total=tasks, running=""))
        finally:
            set_up(verbosity)
