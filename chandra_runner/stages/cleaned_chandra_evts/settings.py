"""Settings of the stage cleaned_chandra_evts; generated from its schema by tools/generate_settings.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class CleanedChandraEvtsSettings:
    """All settings of the stage, defaults filled in; the schema describes them."""

    lo_en: Quantity | None
    hi_en: Quantity | None
    status_zero: bool
    allowed_grades: list[int]
    timeout: Quantity | None
