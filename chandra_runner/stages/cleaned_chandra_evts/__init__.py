"""Stage cleaned_chandra_evts: select the events of the wanted energies and grades outside flares."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from chandra_runner.stages.job import Job
from chandra_runner.stages.stage import Need, Stage

from .settings import CleanedChandraEvtsSettings

if TYPE_CHECKING:
    from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext


def run_native(job: Job[CleanedChandraEvtsSettings]) -> None:
    """Select the events of every exposure that has good time left, with the native engine."""
    from .native import clean_events

    clean_events(job)


def run_ciao(job: Job[CleanedChandraEvtsSettings]) -> None:
    """Do the same with CIAO's dmcopy."""
    from .ciao import clean_events

    clean_events(job)


class CleanedChandraEvts(Stage):
    """Event lists inside the flare-free good times, of the wanted energies, grades and status."""

    name = "cleaned_chandra_evts"
    version = 2
    needs = (Need("events", "chandra_repro"), Need("gti", "deflare"))
    makes = ("events",)
    settings_class = CleanedChandraEvtsSettings
    executors: ClassVar = {"native": run_native, "ciao": run_ciao}

    @classmethod
    def ciao_commands(cls, context: CommandContext) -> CiaoCommands:
        """Return the calls of dmcopy."""
        from .ciao_commands import commands

        return commands(context)


STAGE = CleanedChandraEvts
