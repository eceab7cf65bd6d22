"""What the native executors of the image stages share: from cleaned events to images of every band."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chandra_runner.errors import DataError
from chandra_runner.stages.stage import Excluded, Job, Product, Settings

from .bands import HRC_WIDE, Band, bands_of
from .pictures import DisplayedImage, draw

if TYPE_CHECKING:
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.count_image import ThresholdedImages, ZerothOrder
    from chandra_runner.native.field_of_view import Companions, Field
    from chandra_runner.native.geometry import Array
    from chandra_runner.native.grid import Grid


@dataclass(frozen=True)
class ExposureContext:
    """One exposure, ready for its images.

    Parameters
    ----------
    job : Job
        The task.
    product : Product
        Its cleaned events.
    events : EventFile
        The same, open.
    field : Field
        What was looked at.
    grid : Grid
        The pixels.
    angle : ndarray, shape (ny, nx)
        Off-axis angle, arcmin.
    """

    job: Job
    product: Product
    events: EventFile
    field: Field
    grid: Grid
    angle: Array

    def warn(self, message: str) -> None:
        """Warn of something in this exposure."""
        self.job.warn(message, self.product.exposure)


@dataclass(frozen=True)
class Sensitivity:
    """What an exposure map in seconds is multiplied with.

    Parameters
    ----------
    factor : ndarray, shape (ny, nx), or float
        cm2 count/photon; 1 for maps in seconds.
    history : tuple of str
        Where it comes from, a line each.
    """

    factor: Array | float
    history: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImageProducts:
    """What tells one image stage from the other.

    Parameters
    ----------
    ratio : str
        Role of the image of counts by exposure: ``rate`` or ``flux``.
    exposure_unit, ratio_unit : str
        BUNIT of the exposure map and of that image.
    sensitivity : callable
        What the exposure in seconds is multiplied with, in one band.
    units : str
        What fluximage calls that.
    """

    ratio: str
    exposure_unit: str
    ratio_unit: str
    sensitivity: Callable[[ExposureContext, Band], Sensitivity]
    units: str


def make_images(job: Job, kind: ImageProducts) -> None:
    """Images of all exposures and bands.

    Raises
    ------
    Excluded
        No exposure can have an image.
    """
    image_exposures(job, lambda product, events: _make_exposure(job, kind, product, events))


def image_exposures(job: Job, work: Callable[[Product, EventFile], None]) -> None:
    """Do the work for each exposure that can have an image."""
    from chandra_runner.fits.event_file import EventFile

    for product in job.all("events", "cleaned_chandra_evts"):
        try:
            with EventFile.open(product.path) as events:
                if str(events.header.get("READMODE", "")).strip() == "CONTINUOUS":
                    job.warn("continuous clocking, there is no image", product.exposure)
                else:
                    work(product, events)
        except DataError as error:
            raise DataError(f"{product.exposure}: {error.message}", error.hint) from error
    if not job.products:
        raise Excluded("in continuous clocking there is no image, one dimension is lost")


def _make_exposure(job: Job, kind: ImageProducts, product: Product, events: EventFile) -> None:
    from chandra_runner.native.field_of_view import load_field_of_view
    from chandra_runner.native.psf import off_axis_map

    field = load_field_of_view(events, companions(job, product.exposure))
    grid = _grid(job.settings, field)
    angle = off_axis_map(field.pointing, grid, field.mean)
    scene = ExposureContext(job, product, events, field, grid, angle)
    for note in field.notes:
        scene.warn(note)
    job.log(f"{grid.nx} x {grid.ny} pixels from {grid.x0}, {grid.y0}", product.exposure)
    _make_bands(scene, kind)


def companions(job: Job, exposure: str) -> Companions:
    """The files that go with the events of an exposure."""
    from chandra_runner.native.field_of_view import Companions

    asol = tuple(p.path for p in job.all("asol", "chandra_repro") if p.exposure == exposure)
    others = (job.find(role, "chandra_repro", exposure) for role in ("badpix", "mask", "fov", "dtf"))
    return Companions(asol, *others)


def _grid(settings: Settings, field: Field) -> Grid:
    from chandra_runner.native.detectors import ACIS
    from chandra_runner.native.grid import Grid, GridError, parse_grid

    try:
        if settings["xygrid"] is not None:
            return parse_grid(settings["xygrid"])
        size = settings["acis_bin_size" if field.pointing.detector is ACIS else "hrc_bin_size"]
        return Grid.cover(field.extent, size)
    except GridError as error:
        raise DataError(error.message, error.hint) from error


def _make_bands(scene: ExposureContext, kind: ImageProducts) -> None:
    from chandra_runner.native.count_image import apply_exposure_threshold
    from chandra_runner.native.exposure_map import exposure_map

    bands = bands_of(scene.job.settings) if scene.events.instrument == "ACIS" else (HRC_WIDE,)
    counts = _count(scene, bands)
    seconds = exposure_map(scene.field.pointing, scene.grid, scene.field.chips)
    if not seconds.any():
        raise DataError("the image lies beside the field of view", "check xygrid")
    radius = _psf_radius(scene)
    for band, image in zip(bands, counts, strict=True):
        sensitivity = kind.sensitivity(scene, band)
        limit = scene.job.settings["expmap_threshold"].to_value("")
        images = apply_exposure_threshold(image, seconds * sensitivity.factor, limit)
        for sheet in _sheets(scene, kind, images, sensitivity, radius):
            _write(scene, band, images, sheet)


def _count(scene: ExposureContext, bands: tuple[Band, ...]) -> Array:
    """Count images of all bands."""
    from chandra_runner.native.count_image import count_images

    events = scene.events
    if events.instrument != "ACIS":
        return count_images(events.chunks(), scene.grid, None)
    events.require("energy")
    # To the millionth of an eV: 1.005 keV is 1005 eV, not 1004.9999999999999.
    edges = [(round(band.lo * 1000, 6), round(band.hi * 1000, 6)) for band in bands]
    counts = count_images(events.chunks(), scene.grid, edges, _zeroth_order(scene))
    empty = [band.name for band, image in zip(bands, counts, strict=True) if not image.any()]
    if empty:
        scene.warn(f"no event in {', '.join(empty)}; does cleaned_chandra_evts cut these energies?")
    return counts


def _zeroth_order(scene: ExposureContext) -> ZerothOrder | None:
    """With a grating only undispersed events go into an image, where events know their order."""
    from chandra_runner.native.count_image import ZerothOrder

    header, names = scene.events.header, scene.events.dtype.names or ()
    if str(header.get("GRATING", "NONE")).strip() == "NONE":
        return None
    if "tg_m" not in names:
        scene.warn("events have no column tg_m, so dispersed ones are in the images, too")
        return None
    return ZerothOrder(header.get(f"TNULL{names.index('tg_m') + 1}"))


def _psf_radius(scene: ExposureContext) -> Array | None:
    from chandra_runner.native.psf import psf_radius

    enclosed = scene.job.settings["psf_ecf"]
    if enclosed == 1:
        scene.warn("psf_ecf: no finite radius encloses all of a source, so there is no PSF map")
    return None if enclosed in (None, 1) else psf_radius(scene.angle, enclosed)


@dataclass(frozen=True)
class _Sheet:
    """One image that is written, as FITS and as PNG."""

    role: str
    ending: str
    pixels: Array
    content: str
    unit: str
    history: tuple[str, ...] = ()


def _sheets(
    scene: ExposureContext,
    kind: ImageProducts,
    images: ThresholdedImages,
    sensitivity: Sensitivity,
    radius: Array | None,
) -> Iterator[_Sheet]:
    """The images of one band, with the endings that fluximage gives their names."""
    from chandra_runner.native.psf import REFERENCE

    settings, told = scene.job.settings, sensitivity.history
    infix = "_thresh" if settings["expmap_threshold"].value > 0 else ""
    yield _Sheet("image", f"{infix}.img", images.counts, "count image", "count")
    yield _Sheet("expmap", f"{infix}.expmap", images.exposure, "exposure map", kind.exposure_unit, told)
    yield _Sheet(kind.ratio, "_flux.img", images.ratio, f"{kind.ratio} image", kind.ratio_unit, told)
    if radius is not None:
        formula = f"PSF radius of 90 % of the counts: 1 + 10 (angle/10')^2 arcsec, {REFERENCE}"
        enclosed = settings["psf_ecf"]
        scaled = () if enclosed == 0.9 else (f"scaled to {enclosed:g} as that of a Gaussian",)
        content = f"PSF radius map, {100 * enclosed:g} %"
        yield _Sheet("psfmap", f"{infix}.psfmap", images.of(radius), content, "arcsec", (formula, *scaled))


def _write(scene: ExposureContext, band: Band, images: ThresholdedImages, sheet: _Sheet) -> None:
    """Write one image, and its picture."""
    from chandra_runner.native.image_file import Label, image_header, write_image

    job, exposure, events, field = scene.job, scene.product.exposure, scene.events, scene.field
    stem = scene.product.path.name.partition("_clean_")[0]
    path = job.output(f"{stem}_{band.name}{sheet.ending}", sheet.role, exposure, band.name)
    header = image_header(events.header, field.pointing, scene.grid, events.good_times, field.dtcor)
    energies = (band.lo, band.hi, band.effective) if events.instrument == "ACIS" else None
    label = Label(sheet.content, sheet.unit, band.name, energies)
    history = (f"{sheet.content} of {scene.product.path.name}", *sheet.history, *field.notes)
    write_image(path, sheet.pixels, header, label, history)
    shown = DisplayedImage(sheet.role, sheet.content, sheet.unit, sheet.pixels, images.seen, header)
    draw(job, exposure, band, events.header, path, shown)
