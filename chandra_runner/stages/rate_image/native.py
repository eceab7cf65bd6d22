"""Exposure maps in seconds."""

from __future__ import annotations

from chandra_runner.native.exposure_map import exposure_map
from chandra_runner.stages.images.native import BandExposure, ExposureContext, ExposureOf


def exposure_in_seconds(context: ExposureContext) -> ExposureOf:
    """Return what makes the exposure maps of an exposure: the time is the same in all bands."""
    exposure = BandExposure(exposure_map(context.field.pointing, context.grid, context.field.chips))
    return lambda band: exposure
