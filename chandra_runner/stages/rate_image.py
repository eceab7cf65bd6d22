"""Rate images with their exposure and PSF maps."""

from __future__ import annotations

from ..imaging import ImageStage


class RateImage(ImageStage):
    """Count, exposure (s) and rate (count/s) images of each exposure and band."""

    name = "rate_image"
    makes = ("image", "expmap", "rate", "psfmap")


STAGE = RateImage
