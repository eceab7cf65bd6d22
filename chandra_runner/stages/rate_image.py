"""Rate images with their exposure and PSF maps."""

from __future__ import annotations

from typing import ClassVar

from ..bands import Band
from ..imaging import ImageStage
from ..stage import Job
from ._images import Kind, Scene, Sensitivity, make_images


def native(job: Job) -> None:
    """Make images in counts per second of exposure."""
    make_images(job, Kind("rate", "s", "count s-1", _seconds))


def _seconds(_scene: Scene, _band: Band) -> Sensitivity:
    """The exposure is a time."""
    return Sensitivity(1.0)


class RateImage(ImageStage):
    """Count, exposure (s) and rate (count/s) images of each exposure and band."""

    name = "rate_image"
    makes = ("image", "expmap", "rate", "psfmap", "plot")
    executors: ClassVar = {"native": native}


STAGE = RateImage
