"""Fields of view of the reference observations, for several tests."""

from __future__ import annotations

import warnings
from functools import cache
from pathlib import Path

from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.field_of_view import Companions, FieldOfView, load_field_of_view


def one(directory: Path, pattern: str) -> Path | None:
    """A file of an ObsID directory, if there is any."""
    found = sorted(directory.glob(f"*/{pattern}"))
    return found[0] if found else None


def companions(directory: Path) -> Companions:
    """All files that go with the events of an ObsID."""
    asol = tuple(sorted(directory.glob("primary/pcad*_asol1.fits.gz")))
    kinds = ("bpix1", "msk1", "fov1", "dtf1")
    return Companions(asol, *(one(directory, f"*_{kind}.fits.gz") for kind in kinds))


def events_path(directory: Path) -> Path:
    """The level-2 events of an ObsID."""
    return next(directory.glob("primary/*_evt2.fits.gz"))


@cache
def field_of(directory: Path) -> FieldOfView:
    """What an ObsID of one exposure looked at."""
    with EventFile.open(events_path(directory)) as events:
        return load_field_of_view(events, companions(directory))


def wcs_of(header: fits.Header, key: str = " ") -> WCS:
    """Return the world coordinates of an image, without warnings about its dates."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(header, key=key)
