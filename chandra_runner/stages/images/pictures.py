"""Pictures of images, for people to look at."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chandra_runner.stages.job import Job

from .bands import Band

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from chandra_runner.native.geometry import Array


@dataclass(frozen=True)
class DisplayedImage:
    """An image of which there is to be a picture.

    Parameters
    ----------
    role, content, unit : str
        What it is.
    pixels : ndarray, shape (ny, nx)
        The image.
    seen : ndarray of bool, shape (ny, nx)
        Where there is an exposure.
    header : Header
        For its place in the sky.
    """

    role: str
    content: str
    unit: str
    pixels: Array
    seen: Array
    header: Header


def draw_image(
    job: Job[Any], exposure: str, band: Band, events: Header, path: Path, shown: DisplayedImage
) -> None:
    """Draw an image as PNG, beside its file.

    Parameters
    ----------
    job : Job
        Whose product it is.
    exposure : str
        Of which exposure.
    band : Band
        Energy band.
    events : Header
        Of the event list.
    path : Path
        Of the image.
    shown : DisplayedImage
        The image.
    """
    from chandra_runner.plots.image import ImagePlot, plot_image

    counted = shown.role in ("image", "rate", "flux")
    decades = 1.0 if shown.role == "expmap" else 5.0
    title = _title(job, exposure, band, events)
    picture = ImagePlot(shown.pixels, shown.seen, title, shown.content, shown.unit, counted, decades)
    plot_image(job.output(f"{path.name}.png", "plot", exposure, band.name), shown.header, picture)


def _title(job: Job[Any], exposure: str, band: Band, events: Header) -> str:
    acis = str(events.get("INSTRUME", "")).strip().upper() == "ACIS"
    energies = f"{band.lo:g}–{band.hi:g} keV" if acis else ""
    called = "" if band.name[0].isdigit() else band.name
    target = str(events.get("OBJECT", "")).strip()
    return " · ".join(filter(None, (job.title(exposure), f"{called} {energies}".strip(), target)))
