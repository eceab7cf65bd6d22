"""The progress of a run: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from loguru import logger

from chandra_runner.running.task_report import TaskReport
from chandra_runner.stages.outcome import Outcome, Progress

from .tables import words

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

LEVELS = {
    Outcome.DONE: "INFO",
    Outcome.UP_TO_DATE: "DEBUG",
    Outcome.EXCLUDED: "INFO",
    Outcome.FAILED: "ERROR",
    Outcome.TIMED_OUT: "ERROR",
    Outcome.BLOCKED: "WARNING",
    Outcome.INTERRUPTED: "WARNING",
}
"""How important it is that a task ended so."""
LINE_INTERVAL = 30.0
"""Seconds between two lines about a long task, where there is no bar."""


class TaskProgress:
    """How far a task is, how fast it is, and how long it will take."""

    def __init__(self) -> None:
        self.last_line = self._started = time.monotonic()
        self._progress: Progress | None = None

    def update(self, progress: Progress) -> None:
        """Remember how far the task is."""
        self._progress = progress

    def __str__(self) -> str:
        if self._progress is None or not self._progress.total:
            return ""
        done, total, unit = self._progress.done, self._progress.total, self._progress.unit
        rate = done / max(time.monotonic() - self._started, 1e-3)
        left = f", {timedelta(seconds=round((total - done) / rate))} left" if rate else ""
        speed = f"{_format_amount(rate, unit)}/s"
        return f" {100 * done / total:.0f} % of {_format_amount(total, unit)} ({speed}{left})"


def _format_amount(value: float, unit: str) -> str:
    """Return a number with the prefix of its unit that makes it short, such as 12.3 MB."""
    thousands = min(int(math.log10(value) // 3), 4) if value >= 1 else 0
    return f"{value / 1000**thousands:.3g} {('', 'k', 'M', 'G', 'T')[thousands]}{unit}"


class LineReporter:
    """Log a line when a task ends, and from time to time one about a task that takes long."""

    def __init__(self) -> None:
        self._running: dict[tuple[int, str], TaskProgress] = {}
        self._lock = threading.Lock()

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """Log that a task starts."""
        logger.debug(f"{observation} {stage}: starts: {'; '.join(reasons)}")
        with self._lock:
            self._running[observation, stage] = TaskProgress()

    def progressed(self, observation: int, stage: str, progress: Progress) -> None:
        """Report how far a running task is."""
        with self._lock:
            current = self._running[observation, stage]
            current.update(progress)
            if time.monotonic() - current.last_line >= LINE_INTERVAL:
                current.last_line = time.monotonic()
                logger.info(f"{observation} {stage}:{current}")

    def ended(self, report: TaskReport) -> None:
        """Log how a task ended, and its warnings."""
        with self._lock:
            self._running.pop((report.observation, report.stage), None)
        task = f"{report.observation} {report.stage}"
        for warning in report.warnings:
            logger.warning(f"{task}: {warning}")
        # Tasks that never started are in the summary; a line for each would bury the others.
        minor = report.outcome in (Outcome.INTERRUPTED, Outcome.EXCLUDED) and report.log is None
        logger.log("DEBUG" if minor else LEVELS[report.outcome], f"{task}: {_ending(report)}")


def _ending(report: TaskReport) -> str:
    """Return how a task ended: its time if it is done, else the first reason, and the log if it failed."""
    if report.outcome is Outcome.DONE:
        return f"{words(report.outcome)} in {report.seconds:.1f} s"
    reason = f": {report.reasons[0]}" if report.reasons else ""
    failed = report.outcome in (Outcome.FAILED, Outcome.TIMED_OUT)
    log = f" (log: {report.log})" if failed and report.log else ""
    return f"{words(report.outcome)}{reason}{log}"


class BarReporter(LineReporter):
    """Log the same lines, above a bar that shows how far the run is and what it is doing."""

    def __init__(self, progress: Bar, bar: TaskID) -> None:
        super().__init__()
        self._progress, self._bar = progress, bar

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """Log that a task starts."""
        super().started(observation, stage, reasons)
        self._show(0)

    def progressed(self, observation: int, stage: str, progress: Progress) -> None:
        """Report how far a running task is."""
        with self._lock:
            self._running[observation, stage].update(progress)
        self._show(0)

    def ended(self, report: TaskReport) -> None:
        """Log how a task ended, and its warnings."""
        super().ended(report)
        self._show(1)

    def _show(self, advance: int) -> None:
        with self._lock:
            running = ", ".join(
                f"{obsid} {stage}{current}" for (obsid, stage), current in self._running.items()
            )
        self._progress.update(self._bar, advance=advance, running=running)


@contextmanager
def reporting(tasks: int, verbosity: int, bar: bool) -> Iterator[LineReporter]:
    """Yield a reporter for a run, with a bar where one is wanted and there is a terminal.

    Parameters
    ----------
    tasks : int
        Number of tasks, all of which the bar counts.
    verbosity : int
        As in `chandra_runner.cli.logging.set_up`.
    bar : bool
        Whether a bar is wanted.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    from .logging import set_up

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
    with Bar(*columns, console=console, transient=True) as bars:
        set_up(verbosity, bars.console)
        try:
            yield BarReporter(bars, bars.add_task("", total=tasks, running=""))
        finally:
            set_up(verbosity)
