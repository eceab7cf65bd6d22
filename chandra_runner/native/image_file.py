"""Image files: headers with sky coordinates and provenance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from astropy.io import fits

from chandra_runner.fits.carried_keywords import IMAGE_KEYWORDS, carried_keywords
from chandra_runner.fits.event_header import set_exposure
from chandra_runner.fits.gti import GoodTimes
from chandra_runner.fits.writer import add_provenance, write_fits

from .geometry import Array, Pointing
from .grid import Grid


@dataclass(frozen=True, kw_only=True)
class ImageLabel:
    """What an image shows, for its header.

    Parameters
    ----------
    content : str
        ``count image``, ``exposure map``...
    unit : str
        Unit of the pixels (BUNIT).
    band : str
        Name of the energy band.
    energies : tuple of 3 floats, or None
        Lower and upper edge and effective energy, keV; None if the detector has no energies.
    """

    content: str
    unit: str
    band: str
    energies: tuple[float, float, float] | None


def image_header(
    events: fits.Header, pointing: Pointing, grid: Grid, good_times: GoodTimes, dtcor: float
) -> fits.Header:
    """Return the header that all images of an event list have in common.

    Parameters
    ----------
    events : Header
        Header of the event list.
    pointing, grid : Pointing, Grid
        Coordinates of the pixels: written as celestial WCS, and as sky (physical) pixels both in
        LTM/LTV and in WCS ``P``, because ds9 and CIAO read different ones.
    good_times : GoodTimes
        Good times, for the exposure keywords.
    dtcor : float
        Live fraction of the good time.
    """
    header = carried_keywords(events, IMAGE_KEYWORDS)
    set_exposure(header, good_times, dtcor)
    header["HDUNAME"] = ("IMAGE", "ASCDM block name")
    header["HDUCLASS"], header["HDUCLAS1"] = "OGIP", "IMAGE"
    header["RADESYS"], header["EQUINOX"] = "ICRS", 2000.0
    # x0 and y0 are outer edges, and the center of the first image pixel is 1 in FITS: hence the 0.5 below.
    degrees = pointing.detector.pixel / 3600
    celestial = (("RA---TAN", pointing.ra, grid.x0, -1, "x"), ("DEC--TAN", pointing.dec, grid.y0, 1, "y"))
    header["WCSNAMEP"] = "PHYSICAL"
    # The names by which CIAO's filters call the two coordinate systems, as in image.fits[sky=circle(...)].
    header["MTYPE1"], header["MFORM1"] = "sky", "x,y"
    header["MTYPE2"], header["MFORM2"] = "EQPOS", "RA,DEC"
    for axis, (kind, value, low, sign, name) in enumerate(celestial, 1):
        header[f"CTYPE{axis}"] = kind
        header[f"CRVAL{axis}"] = value
        header[f"CRPIX{axis}"] = (pointing.detector.center - low) / grid.step + 0.5
        header[f"CDELT{axis}"] = sign * degrees * grid.step
        header[f"CUNIT{axis}"] = "deg"
        header[f"CTYPE{axis}P"] = name
        header[f"CRVAL{axis}P"] = low
        header[f"CRPIX{axis}P"] = 0.5
        header[f"CDELT{axis}P"] = grid.step
        header[f"CUNIT{axis}P"] = "pixel"
        header[f"WCSTY{axis}P"] = "PHYSICAL"
        header[f"LTV{axis}"] = 0.5 - low / grid.step
        header[f"LTM{axis}_{axis}"] = 1 / grid.step
    return header


def write_image(
    path: Path, pixels: Array, header: fits.Header, label: ImageLabel, history: Iterable[str]
) -> None:
    """Write an image as the primary HDU of a file.

    Parameters
    ----------
    path : Path
        The file, which must not exist.
    pixels : ndarray, shape (ny, nx)
        Pixels: integers or float32.
    header : Header
        Header from `image_header`.
    label : ImageLabel
        What the image shows.
    history : iterable of str
        What was done, one line each.
    """
    hdu = fits.PrimaryHDU(pixels)
    hdu.header.update(header)
    hdu.header["CONTENT"] = (label.content, "What the pixels are")
    hdu.header["BUNIT"] = (label.unit, "Unit of the pixels")
    hdu.header["BAND"] = (label.band, "Energy band")
    if label.energies is not None:
        cards = ("ENERGYLO", "Lower edge"), ("ENERGYHI", "Upper edge"), ("ENERGYEF", "Effective energy")
        for (key, comment), energy in zip(cards, label.energies, strict=True):
            hdu.header[key] = (energy, f"[keV] {comment} of the band")
    add_provenance(hdu.header, history)
    write_fits(path, [hdu])
