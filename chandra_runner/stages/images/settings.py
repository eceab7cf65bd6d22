"""The settings that the image stages share."""

from __future__ import annotations

from chandra_runner.stages.flux_image.settings import FluxImageSettings
from chandra_runner.stages.rate_image.settings import RateImageSettings

ImageSettings = RateImageSettings | FluxImageSettings
