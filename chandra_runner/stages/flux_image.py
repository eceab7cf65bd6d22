"""Flux images with their exposure and PSF maps."""

from __future__ import annotations

from ..imaging import ImageStage


class FluxImage(ImageStage):
    """Count, exposure (cm2 s count/photon) and flux (photon/cm2/s) images of each exposure and band."""

    name = "flux_image"
    makes = ("image", "expmap", "flux", "psfmap")


STAGE = FluxImage
