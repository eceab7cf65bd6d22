"""Settings of the stage chandra_repro; generated from its schema by tools/generate_settings.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class ChandraReproSettings:
    """All settings of the stage, defaults filled in; the schema describes them."""

    destreak: bool
    check_very_faint: bool
    pix_adj: Literal["default", "edser", "none", "randomize"]
    asol_update: bool
    grating_pi_filter: bool
    timeout: Quantity | None
