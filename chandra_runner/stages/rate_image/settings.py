"""Settings of the stage rate_image; generated from its schema by tools/generate_settings.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class RateImageSettings:
    """All settings of the stage, defaults filled in; the schema describes them."""

    bands: list[Any] | None
    en_bounds: list[list[Quantity]]
    effective_ens: list[Quantity]
    acis_bin_size: float
    hrc_bin_size: float
    xygrid: str | None
    psf_ecf: float | None
    expmap_threshold: Quantity
    timeout: Quantity | None
