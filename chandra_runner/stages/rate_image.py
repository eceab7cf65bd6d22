"""Rate images with their exposure and PSF maps."""

from __future__ import annotations

from typing import ClassVar

from ..bands import Band
from ..imaging import ImageStage
from ..stage import Job
from ._images import Kind, Scene, Sensitivity, make_images


def native(job: Job) -> None:
    """Make images in counts per second of exposure."""
    make_images(job, _kind())


def ciao(job: Job) -> None:
    """The same, with CIAO's fluximage."""
    from ._ciao_images import make_images_with_ciao

    make_images_with_ciao(job, _kind())


def _kind() -> Kind:
    return Kind("rate", "s", "count s-1", _seconds, "time")


def _seconds(_scene: Scene, _band: Band) -> Sensitivity:
    """The exposure is a time."""
    return Sensitivity(1.0)


class RateImage(ImageStage):
    """Count, exposure (s) and rate (count/s) images of each exposure and band."""

    name = "rate_image"
    makes = ("image", "expmap", "rate", "psfmap", "plot")
    executors: ClassVar = {"native": native, "ciao": ciao}


STAGE = RateImage
