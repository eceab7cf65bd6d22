"""Settings of the stage deflare; generated from its schema by tools/generate_settings.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class DeflareSettings:
    """All settings of the stage, defaults filled in; the schema describes them."""

    method: Literal["sigma", "clean"]
    allowed_sigma: float
    min_length: int
    time_bin_size: Quantity
    lc_lo_en: Quantity
    lc_hi_en: Quantity
    mean: Quantity | None
    stddev: float | None
    scale: float
    minfrac: float
    timeout: Quantity | None
