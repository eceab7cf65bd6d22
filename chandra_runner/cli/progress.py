"""What a user sees of a run while it runs: a bar on a terminal, plain lines elsewhere."""

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


LINE_EVERY = 30.0
"""Seconds between two lines about how far a long task is, where there is no bar."""


class _Pace:
    """How far a task is, how fast it goes, how long it will take."""

    def __init__(self) -> None:
        self.last_line = self._began = time.monotonic()
        self._progress: Progress | None = None

    def see(self, progress: Progress) -> None:
        """Take note of how far it is."""
        self._progress = progress

    def __str__(self) -> str:
        if self._progress is None or not self._progress.total:
            return ""
        done, total, unit = self._progress.done, self._progress.total, self._progress.unit
        rate = done / max(time.monotonic() - self._began, 1e-3)
        left = f", {timedelta(seconds=round((total - done) / rate))} left" if rate else ""
        return f" {100 * done / total:.0f} % of {_amount(total, unit)} ({_amount(rate, unit)}/s{left})"


def _amount(value: float, unit: str) -> str:
    """A number with a prefix that a person can read: 12.3 MB."""
    thousands = min(int(math.log10(value) // 3), 4) if value >= 1 else 0
    return f"{value / 1000**thousands:.3g} {('', 'k', 'M', 'G', 'T')[thousands]}{unit}"


class LineReporter:
    """One log line for each task that ends, and now and then one about a task that takes long."""

    def __init__(self) -> None:
        self._running: dict[tuple[int, str], _Pace] = {}
        self._lock = threading.Lock()

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """A task begins to run."""
        logger.debug(f"{observation} {stage}: starts: {'; '.join(reasons)}")
        with self._lock:
            self._running[observation, stage] = _Pace()

    def progressed(self, observation: int, stage: str, progress: Progress) -> None:
        """A running task says how far it is."""
        with self._lock:
            pace = self._running[observation, stage]
            pace.see(progress)
            if time.monotonic() - pace.last_line >= LINE_EVERY:
                pace.last_line = time.monotonic()
                logger.info(f"{observation} {stage}:{pace}")

    def ended(self, report: TaskReport) -> None:
        """A task has ended."""
        with self._lock:
            self._running.pop((report.observation, report.stage), None)
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

    def __init__(self, progress: Bar, bar: TaskID) -> None:
        super().__init__()
        self._progress, self._bar = progress, bar

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """A task begins to run."""
        super().started(observation, stage, reasons)
        self._show(0)

    def progressed(self, observation: int, stage: str, progress: Progress) -> None:
        """A running task says how far it is."""
        with self._lock:
            self._running[observation, stage].see(progress)
        self._show(0)

    def ended(self, report: TaskReport) -> None:
        """A task has ended."""
        super().ended(report)
        self._show(1)

    def _show(self, advance: int) -> None:
        with self._lock:
            running = ", ".join(f"{obsid} {stage}{pace}" for (obsid, stage), pace in self._running.items())
        self._progress.update(self._bar, advance=advance, running=running)


@contextmanager
def reporting(tasks: int, verbosity: int, bar: bool) -> Iterator[LineReporter]:
    """A reporter for a run of so many tasks, with a bar where that is wanted and there is a terminal."""
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
