"""Stage deflare: find the good times without background flares in a light curve of each exposure."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from chandra_runner.stages.job import Job
from chandra_runner.stages.stage import Need, Stage

from .settings import DeflareSettings

if TYPE_CHECKING:
    from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext


def run_native(job: Job[DeflareSettings]) -> None:
    """Make light curve, good times and plot of each exposure with the native engine."""
    from .native import deflare

    deflare(job)


def run_ciao(job: Job[DeflareSettings]) -> None:
    """Make the same with CIAO's dmextract and deflare."""
    from .ciao import deflare

    deflare(job)


class Deflare(Stage):
    """Light curve, and the good times in it that are free of flares."""

    name = "deflare"
    version = 2
    needs = (Need("events", "chandra_repro"),)
    makes = ("lightcurve", "gti", "plot")
    settings_class = DeflareSettings
    executors: ClassVar = {"native": run_native, "ciao": run_ciao}

    @classmethod
    def ciao_commands(cls, context: CommandContext) -> CiaoCommands:
        """Return the calls of dmextract and deflare."""
        from .ciao_commands import commands

        return commands(context)


STAGE = Deflare
