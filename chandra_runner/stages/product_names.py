"""File names of products: those that CIAO's tools and analysis threads use."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

_STEM = re.compile(r"(?P<stem>.+?)_(?:repro|clean)_evt2\.fits")


@dataclass(frozen=True)
class ProductNames:
    """The file names of one exposure's products.

    Parameters
    ----------
    stem : str
        What all of them begin with: ``acisf00754``, ``acisf90007_000`` (an observing interval),
        ``acisf14990e1`` (interleaved).

    Examples
    --------
    >>> ProductNames("acisf00754").cleaned_events
    'acisf00754_clean_evt2.fits'
    >>> ProductNames.of_events("acisf00754_repro_evt2.fits").flare_free_gti
    'acisf00754_deflare_gti.fits'
    """

    stem: str

    @classmethod
    def of_events(cls, events: str) -> Self:
        """Return the names that go with an event list of chandra_repro or cleaned_chandra_evts.

        Raises
        ------
        ValueError
            The file is not called like one.
        """
        match = _STEM.fullmatch(events)
        if match is None:
            raise ValueError(f"{events} is not the name of an event list of this program")
        return cls(match["stem"])

    def remade(self, kind: str) -> str:
        """Return the name of a file (``bpix1``, ``fov1``, ``flt2``) that chandra_repro makes again."""
        return f"{self.stem}_repro_{kind}.fits"

    @property
    def level2_events(self) -> str:
        """Event list of chandra_repro."""
        return self.remade("evt2")

    @property
    def level2_gti(self) -> str:
        """Good time intervals of chandra_repro."""
        return self.remade("flt2")

    @property
    def light_curve(self) -> str:
        """Light curve, as dmextract writes it."""
        return f"{self.stem}_ltc1.fits"

    @property
    def light_curve_plot(self) -> str:
        """Plot of the light curve with its good times."""
        return f"{self.stem}_ltc1.png"

    @property
    def flare_free_gti(self) -> str:
        """Good time intervals without flares."""
        return f"{self.stem}_deflare_gti.fits"

    @property
    def filtered_events(self) -> str:
        """Event list after the cuts in energy, grade and status, before those in time (CIAO only)."""
        return f"{self.stem}_filtered_evt2.fits"

    @property
    def cleaned_events(self) -> str:
        """Event list of cleaned_chandra_evts."""
        return f"{self.stem}_clean_evt2.fits"

    def image(self, band: str, role: str, *, thresholded: bool) -> str:
        """Return the name of an image, as fluximage calls it.

        Parameters
        ----------
        band : str
            Name of the energy band.
        role : str
            ``image``, ``expmap``, ``psfmap``, ``rate`` or ``flux``.
        thresholded : bool
            Whether pixels with little exposure were set to zero.
        """
        if role in ("rate", "flux"):  # fluximage calls both so, whatever the units of the exposure map
            return f"{self.stem}_{band}_flux.img"
        ending = {"image": "img", "expmap": "expmap", "psfmap": "psfmap"}[role]
        return f"{self.stem}_{band}{'_thresh' if thresholded else ''}.{ending}"


def updated_aspect_solution(obsid: int) -> str:
    """Return the name of the file in which chandra_repro combines and updates old aspect solutions."""
    return f"pcadf{obsid:05d}_repro_asol1.fits"
