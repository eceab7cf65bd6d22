"""Pictures of the images, as PNG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chandra_runner.plots.image import ImagePlot, plot_image
from chandra_runner.stages.job import Job

from .bands import Band

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from chandra_runner.native.geometry import Array


@dataclass(frozen=True, kw_only=True)
class DisplayedImage:
    """An image to draw.

    Parameters
    ----------
    role : str
        Role of the product, such as ``expmap``.
    content : str
        What the image shows, such as ``exposure map``.
    unit : str
        Unit of the pixels.
    pixels : ndarray, shape (ny, nx)
        The image.
    seen : ndarray of bool, shape (ny, nx)
        Which pixels were exposed.
    header : Header
        Header of the image, with its coordinates.
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
    """Draw an image as PNG, next to its FITS file.

    Parameters
    ----------
    job : Job
        The task that makes the image.
    exposure : str
        Id of the exposure.
    band : Band
        Energy band.
    events : Header
        Header of the event list.
    path : Path
        Path of the FITS file.
    shown : DisplayedImage
        The image.
    """
    picture = ImagePlot(
        pixels=shown.pixels,
        seen=shown.seen,
        title=_title(job, exposure, band, events),
        content=shown.content,
        unit=shown.unit,
        counted=shown.role in ("image", "rate", "flux"),
        # Exposures of one image differ by little, counts by much.
        decades=1.0 if shown.role == "expmap" else 5.0,
    )
    plot_image(job.output(f"{path.name}.png", "plot", exposure, band.name), shown.header, picture)


def _title(job: Job[Any], exposure: str, band: Band, events: Header) -> str:
    acis = str(events.get("INSTRUME", "")).strip().upper() == "ACIS"
    energies = f"{band.lo:g}–{band.hi:g} keV" if acis else ""
    name = "" if band.name[0].isdigit() else band.name
    target = str(events.get("OBJECT", "")).strip()
    return " · ".join(filter(None, (job.title(exposure), f"{name} {energies}".strip(), target)))
