"""How a task ends, and how long work says how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a task ends."""

    DONE = "done"
    """It ran and made every product that it promised."""
    UP_TO_DATE = "up_to_date"
    """Its products are those that it would make, so it did not run."""
    FAILED = "failed"
    """It ran and could not make its products; those of the last good run are kept."""
    TIMED_OUT = "timed_out"
    """It took longer than its `timeout` and was stopped."""
    BLOCKED = "blocked"
    """A task that it depends on failed, or another run holds the lock of its ObsID."""
    EXCLUDED = "excluded"
    """The stage does not apply to this observation; this is not a failure."""
    INTERRUPTED = "interrupted"
    """The run was stopped; the next run continues from here."""


class Excluded(Exception):
    """Raise in an executor when the stage does not apply to the observation; the message says why."""


@dataclass(frozen=True)
class Progress:
    """How far a task is: `done` of `total`, in `unit`."""

    done: float
    total: float
    unit: str
