"""The units in which an image stage makes its exposure maps, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ImageUnits:
    """What makes one image stage different from the other.

    Parameters
    ----------
    ratio_role : str
        Role of the image of counts divided by exposure: ``rate`` or ``flux``.
    exposure : str
        Unit of the exposure map (BUNIT).
    ratio : str
        Unit of that image (BUNIT).
    fluximage : str
        What fluximage's parameter ``units`` calls that.
    """

    ratio_role: str
    exposure: str
    ratio: str
    fluximage: str


RATE = ImageUnits(ratio_role="rate", exposure="s", ratio="count s-1", fluximage="time")
FLUX = ImageUnits(
    ratio_role="flux", exposure="cm2 s count photon-1", ratio="photon cm-2 s-1", fluximage="default"
)
