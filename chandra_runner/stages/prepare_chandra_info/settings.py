"""Settings of the stage prepare_chandra_info; generated from its schema by tools/generate_settings.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class PrepareChandraInfoSettings:
    """All settings of the stage, defaults filled in; the schema describes them."""

    timeout: Quantity | None
