"""Rate images with their exposure and PSF maps."""

from __future__ import annotations

from typing import ClassVar

from chandra_runner.stages.images.bands import Band
from chandra_runner.stages.images.image_stage import ImageStage
from chandra_runner.stages.images.native import ExposureContext, ImageProducts, Sensitivity, make_images
from chandra_runner.stages.stage import Job


def native(job: Job) -> None:
    """Make images in counts per second of exposure."""
    make_images(job, _kind())


def ciao(job: Job) -> None:
    """The same, with CIAO's fluximage."""
    from chandra_runner.stages.images.ciao import make_images_with_ciao

    make_images_with_ciao(job, _kind())


def _kind() -> ImageProducts:
    return ImageProducts("rate", "s", "count s-1", _seconds, "time")


def _seconds(_scene: ExposureContext, _band: Band) -> Sensitivity:
    """The exposure is a time."""
    return Sensitivity(1.0)


class RateImage(ImageStage):
    """Count, exposure (s) and rate (count/s) images of each exposure and band."""

    name = "rate_image"
    makes = ("image", "expmap", "rate", "psfmap", "plot")
    executors: ClassVar = {"native": native, "ciao": ciao}


STAGE = RateImage
