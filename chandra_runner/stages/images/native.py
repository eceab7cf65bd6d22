"""Images with the native engine: from cleaned events to the images of every band."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.count_image import (
    ThresholdedImages,
    ZerothOrder,
    apply_exposure_threshold,
    count_images,
)
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.field_of_view import FieldOfView, load_field_of_view
from chandra_runner.native.geometry import Array
from chandra_runner.native.grid import Grid, GridError, parse_grid
from chandra_runner.native.image_file import ImageLabel, image_header, write_image
from chandra_runner.native.psf import REFERENCE, focal_plane_of, off_axis_map, psf_radius
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.product_names import ProductNames

from .bands import HRC_WIDE, Band, bands_of
from .exposures import companions, image_exposures
from .pictures import DisplayedImage, draw_image
from .units import ImageUnits

if TYPE_CHECKING:
    from .settings import ImageSettings


_CUT = "exposure only in the sky region to which the events were cut"


@dataclass(frozen=True)
class ExposureContext:
    """One exposure with what its images are made from.

    Parameters
    ----------
    job : Job
        The task.
    product : Product
        The cleaned event list.
    events : EventFile
        The same, open.
    field : FieldOfView
        Pointing, chips and exposure of the observation.
    grid : Grid
        Pixel grid of the images.
    angle : ndarray, shape (ny, nx)
        Off-axis angle, arcmin.
    """

    job: Job[ImageSettings]
    product: Product
    events: EventFile
    field: FieldOfView
    grid: Grid
    angle: Array

    def warn(self, message: str) -> None:
        """Warn of something about this exposure."""
        self.job.warn(message, self.product.exposure)


@dataclass(frozen=True)
class BandExposure:
    """The exposure map of one band.

    Parameters
    ----------
    pixels : ndarray, shape (ny, nx)
        Exposure, in the unit of the stage: s, or cm2 s count/photon.
    history : tuple of str
        Where effective areas come from, for the HISTORY of the image; one line each.
    """

    pixels: Array
    history: tuple[str, ...] = ()


ExposureOf = Callable[[Band], BandExposure]
"""Makes the exposure map of one band."""


def make_images(
    job: Job[Any], units: ImageUnits, exposure_of: Callable[[ExposureContext], ExposureOf]
) -> None:
    """Make the images of all exposures and bands.

    Parameters
    ----------
    job : Job
        The task of an image stage.
    units : ImageUnits
        Units of the exposure map.
    exposure_of : callable
        Returns what makes the exposure maps of an exposure.

    Raises
    ------
    Excluded
        No exposure can have an image.
    """

    def make(product: Product, events: EventFile) -> None:
        context = _context(job, product, events)
        _make_exposure(context, units, exposure_of(context))

    image_exposures(job, make)


def _context(job: Job[ImageSettings], product: Product, events: EventFile) -> ExposureContext:
    field = load_field_of_view(events, companions(job, product.exposure))
    grid = _grid(job.settings, field)
    angle = off_axis_map(field.pointing, grid, field.mean)
    context = ExposureContext(job, product, events, field, grid, angle)
    for note in field.notes:
        context.warn(note)
    job.log(f"{grid.nx} x {grid.ny} pixels from {grid.x0}, {grid.y0}", product.exposure)
    if field.is_cut:
        job.log(_CUT, product.exposure)
    return context


def _make_exposure(context: ExposureContext, units: ImageUnits, exposure_of: ExposureOf) -> None:
    settings = context.job.settings
    bands = bands_of(settings) if context.events.instrument == "ACIS" else (HRC_WIDE,)
    counts = _count(context, bands)
    if settings.psf_ecf == 1:
        context.warn("psf_ecf 1: no radius encloses all of a source; the PSF map holds that of an aperture")
    for band, image in zip(bands, counts, strict=True):
        exposure = exposure_of(band)
        if not exposure.pixels.any():
            raise DataError("the image is outside the field of view", "check xygrid")
        limit = settings.expmap_threshold.to_value("")
        images = apply_exposure_threshold(image, exposure.pixels, limit)
        for output in _outputs(context, band, units, images, exposure.history):
            _write(context, band, images, output)


def _grid(settings: ImageSettings, field: FieldOfView) -> Grid:

    try:
        if settings.xygrid is not None:
            return parse_grid(settings.xygrid)
        acis = field.pointing.detector is ACIS
        size = settings.acis_bin_size if acis else settings.hrc_bin_size
        return Grid.cover(field.extent, size)
    except GridError as error:
        raise DataError(error.message, error.hint) from error


def _count(context: ExposureContext, bands: tuple[Band, ...]) -> Array:
    """Return the count images of all bands, shape (bands, ny, nx)."""

    events = context.events
    if events.instrument != "ACIS":
        return count_images(events.chunks(), context.grid, None)
    events.require("energy")
    # Rounded to a millionth of an eV: 1.005 keV is 1005 eV, not 1004.9999999999999.
    edges = [(round(band.lo * 1000, 6), round(band.hi * 1000, 6)) for band in bands]
    counts = count_images(events.chunks(), context.grid, edges, _zeroth_order(context))
    empty = [band.name for band, image in zip(bands, counts, strict=True) if not image.any()]
    if empty:
        context.warn(f"no events in {', '.join(empty)}; check the energies that cleaned_chandra_evts selects")
    return counts


def _zeroth_order(context: ExposureContext) -> ZerothOrder | None:
    """Return how to select the undispersed events of a grating observation; None where all events count."""

    header, names = context.events.header, context.events.dtype.names or ()
    if str(header.get("GRATING", "NONE")).strip() == "NONE":
        return None
    if "tg_m" not in names:
        context.warn("events have no column tg_m, so the images include dispersed events")
        return None
    return ZerothOrder(header.get(f"TNULL{names.index('tg_m') + 1}"))


@dataclass(frozen=True, kw_only=True)
class _ImageOutput:
    """One image that is written, as FITS and as PNG."""

    role: str
    pixels: Array
    content: str
    unit: str
    history: tuple[str, ...] = ()


def _outputs(
    context: ExposureContext,
    band: Band,
    units: ImageUnits,
    images: ThresholdedImages,
    history: tuple[str, ...],
) -> Iterator[_ImageOutput]:
    """Yield the images of one band."""
    yield _ImageOutput(role="image", pixels=images.counts, content="count image", unit="count")
    yield _ImageOutput(
        role="expmap",
        pixels=images.exposure,
        content="exposure map",
        unit=units.exposure,
        history=history,
    )
    yield _ImageOutput(
        role=units.ratio_role,
        pixels=images.ratio,
        content=f"{units.ratio_role} image",
        unit=units.ratio,
        history=history,
    )
    enclosed = context.job.settings.psf_ecf
    if enclosed is not None:
        yield _psf_output(context, band, images, enclosed)


def _psf_output(
    context: ExposureContext, band: Band, images: ThresholdedImages, enclosed: float
) -> _ImageOutput:
    plane = focal_plane_of(context.field.pointing)
    radius = psf_radius(plane, enclosed, band.effective, context.angle)
    return _ImageOutput(
        role="psfmap",
        pixels=images.of(radius),
        content=f"PSF radius map, {100 * enclosed:g} %",
        unit="arcsec",
        history=(f"PSF radii: {plane}, {band.effective:g} keV, {REFERENCE}",),
    )


def _write(context: ExposureContext, band: Band, images: ThresholdedImages, output: _ImageOutput) -> None:
    """Write one image, and its picture."""
    job, exposure, events, field = context.job, context.product.exposure, context.events, context.field
    names = ProductNames.of_events(context.product.path.name)
    thresholded = job.settings.expmap_threshold.value > 0
    name = names.image(band.name, output.role, thresholded=thresholded)
    path = job.output(name, output.role, exposure, band.name)
    header = image_header(events.header, field.pointing, context.grid, events.good_times, field.dtcor)
    energies = (band.lo, band.hi, band.effective) if events.instrument == "ACIS" else None
    label = ImageLabel(content=output.content, unit=output.unit, band=band.name, energies=energies)
    cut = (_CUT,) if field.is_cut else ()
    history = (f"{output.content} of {context.product.path.name}", *output.history, *cut, *field.notes)
    write_image(path, output.pixels, header, label, history)
    shown = DisplayedImage(
        role=output.role,
        content=output.content,
        unit=output.unit,
        pixels=output.pixels,
        seen=images.seen,
        header=header,
    )
    draw_image(job, exposure, band, events.header, path, shown)
