"""How a task ended, and what a run reports while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chandra_runner.errors import ExitCode
from chandra_runner.stages.outcome import Outcome, Progress


@dataclass(frozen=True)
class TaskReport:
    """How one task ended.

    Parameters
    ----------
    observation, stage
        The task.
    outcome : Outcome
        How it ended.
    reasons : tuple of str
        Why it ran, was excluded or failed.
    seconds : float
        Wall clock time, s.
    warnings : tuple of str
        Warnings of the stage for the user.
    log : Path or None
        Its log, if it ran.
    exit_code : ExitCode
        What it means for the run.
    """

    observation: int
    stage: str
    outcome: Outcome
    reasons: tuple[str, ...] = ()
    seconds: float = 0.0
    warnings: tuple[str, ...] = ()
    log: Path | None = None
    exit_code: ExitCode = ExitCode.OK


class Reporter(Protocol):
    """Called while a run goes on, from several threads."""

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """A task starts to run."""

    def progressed(self, observation: int, stage: str, progress: Progress) -> None:
        """A running task reports how far it is."""

    def ended(self, report: TaskReport) -> None:
        """A task has ended."""


class SilentReporter:
    """A reporter that reports nothing."""

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """Ignore it."""

    def progressed(self, observation: int, stage: str, progress: Progress) -> None:
        """Ignore it."""

    def ended(self, report: TaskReport) -> None:
        """Ignore it."""
