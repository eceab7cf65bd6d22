"""Stage prepare_chandra_info: describe an ObsID: instrument, mode, exposures."""

from __future__ import annotations

from typing import ClassVar

from loguru import logger

from chandra_runner.observation.directory import read_observation
from chandra_runner.observation.raw_files import EXPOSURE_KINDS
from chandra_runner.stages.job import Job
from chandra_runner.stages.outcome import Excluded
from chandra_runner.stages.stage import ANY, RAW, Need, Stage

from .settings import PrepareChandraInfoSettings


def describe_observation(job: Job[PrepareChandraInfoSettings]) -> None:
    """Write observation.json from the files in the ObsID directory and their headers.

    Raises
    ------
    Excluded
        The observation is not active.
    """
    observation = read_observation(job.raw, job.observation)
    if not observation.active:
        raise Excluded(observation.reason)
    for note in observation.notes:
        job.warn(note)
    ids = ", ".join(exposure.id for exposure in observation.exposures)
    logger.info(f"{observation.detector}, grating {observation.grating}, {observation.datamode}: {ids}")
    job.output("observation.json", "observation").write_text(observation.to_json(), encoding="utf-8")


class PrepareChandraInfo(Stage):
    """Instrument, detector, grating, mode, exposures; active, or why not."""

    name = "prepare_chandra_info"
    needs = (Need(RAW, "download"),)
    makes = ("observation",)
    raw = EXPOSURE_KINDS | {"oif"}
    settings_class = PrepareChandraInfoSettings
    executors: ClassVar = {ANY: describe_observation}


STAGE = PrepareChandraInfo
