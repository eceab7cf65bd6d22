"""Stage chandra_repro: level-2 events of each exposure, with their good times and companion files."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from chandra_runner.stages.job import Job
from chandra_runner.stages.stage import Need, Stage

from .settings import ChandraReproSettings

if TYPE_CHECKING:
    from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext


def run_native(job: Job[ChandraReproSettings]) -> None:
    """Make level 2 from the archive's calibration, with the native engine."""
    from .native import reprocess

    reprocess(job)


def run_ciao(job: Job[ChandraReproSettings]) -> None:
    """Make level 2 with CIAO's chandra_repro, which also redoes gain, CTI, bad pixels and boresight."""
    from .ciao import reprocess

    reprocess(job)


class ChandraRepro(Stage):
    """Level-2 events: good status, grade and time, with exposure keywords that agree."""

    name = "chandra_repro"
    version = 2
    needs = (Need("raw", "download"), Need("observation", "prepare_chandra_info"))
    makes = ("events", "gti", "badpix", "fov", "mask", "asol", "dtf")
    raw = frozenset(
        {"evt1", "evt2", "flt1", "bpix1", "asol1", "osol1", "msk1", "fov1", "dtf1", "stat1"}
        | {"mtl1", "pbk0", "bias0"}  # read by CIAO only
    )
    settings_class = ChandraReproSettings
    executors: ClassVar = {"native": run_native, "ciao": run_ciao}

    @classmethod
    def ciao_commands(cls, context: CommandContext) -> CiaoCommands:
        """Return the calls of chandra_repro, and of splitobs where there are observing intervals."""
        from .ciao_commands import commands

        return commands(context)


STAGE = ChandraRepro
