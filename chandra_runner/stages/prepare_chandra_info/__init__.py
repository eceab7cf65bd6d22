"""Find out what an ObsID is: instrument, mode, exposures, and whether there is anything to reduce."""

from __future__ import annotations

from typing import ClassVar

from loguru import logger

from chandra_runner.observation.directory import EXPOSURE_KINDS, read_observation
from chandra_runner.stages.stage import ANY, Excluded, Job, Need, Stage


def prepare(job: Job) -> None:
    """Write observation.json from the files in the ObsID directory and their headers."""
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
    needs = (Need("raw", "download"),)
    makes = ("observation",)
    raw = EXPOSURE_KINDS | {"oif"}
    executors: ClassVar = {ANY: prepare}


STAGE = PrepareChandraInfo
