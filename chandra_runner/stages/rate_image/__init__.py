"""Stage rate_image: images in counts per second, with their exposure and PSF maps."""

from __future__ import annotations

from typing import ClassVar

from chandra_runner.stages.images.image_stage import ImageStage
from chandra_runner.stages.images.units import RATE
from chandra_runner.stages.job import Job

from .settings import RateImageSettings


def run_native(job: Job[RateImageSettings]) -> None:
    """Make images in counts per second of exposure with the native engine."""
    from chandra_runner.stages.images.native import make_images

    from .native import exposure_in_seconds

    make_images(job, RATE, exposure_in_seconds)


def run_ciao(job: Job[RateImageSettings]) -> None:
    """Make the same with CIAO's fluximage."""
    from chandra_runner.stages.images.ciao import make_images

    make_images(job, RATE)


class RateImage(ImageStage):
    """Count, exposure (s) and rate (count/s) images of each exposure and band."""

    name = "rate_image"
    version = 2
    makes = ("image", "expmap", "rate", "psfmap", "plot")
    units = RATE
    settings_class = RateImageSettings
    executors: ClassVar = {"native": run_native, "ciao": run_ciao}


STAGE = RateImage
