"""Settings of the stage download; generated from its schema by tools/generate_settings.py."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class DownloadSettings:
    """All settings of the stage, defaults filled in; the schema describes them."""

    files: Literal["needed", "all"]
    idle_timeout: Quantity
    timeout: Quantity | None
