"""How a task ended, and who is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from chandra_runner.errors import ExitCode
from chandra_runner.stages.stage import Outcome, Progress


@dataclass(frozen=True)
class TaskReport:
    """How one task ended.

    Parameters
    ----------
    observation, stage
        Which task.
    outcome : Outcome
        How it ended.
    reasons : tuple of str
        Why it ran, was excluded or failed.
    seconds : float
        Wall clock time, s.
    warnings : tuple of str
        What the stage wants the user to know.
    log : Path or None
        Its log, where it ran.
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
    """Is told what happens while it happens; called from several threads."""

    def started(self, observation: int, stage: str, reasons: Sequence[str]) -> None:
        """A task begins to run."""

    def progressed(self, observation: int, stage: str, progress: Progress) -> None:
        """A running task says how far it is."""

    def ended(self, report: TaskReport) -> None:
        """A task has ended."""
