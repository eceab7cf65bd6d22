"""Images with CIAO's fluximage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from chandra_runner.ciao.session import Session, ToolError
from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.reader import read_hdus
from chandra_runner.native.geometry import Array
from chandra_runner.stages.ciao_session import ciao_session, take
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.product_names import ProductNames

from .bands import HRC_WIDE, Band, bands_of
from .ciao_commands import FluximageFiles, fluximage_call
from .exposures import companions, image_exposures
from .pictures import DisplayedImage, draw_image
from .units import ImageUnits

if TYPE_CHECKING:
    from astropy.io.fits import Header


def make_images(job: Job[Any], units: ImageUnits) -> None:
    """Make the images of all exposures and bands.

    Raises
    ------
    Excluded
        No exposure can have an image.
    """
    image_exposures(job, lambda product, events: _Images(job, units, product, events).make())


class _Images:
    """The images of one exposure."""

    def __init__(self, job: Job[Any], units: ImageUnits, product: Product, events: EventFile) -> None:
        self._job, self._units, self._product, self._events = job, units, product, events
        self._hrc = events.instrument == "HRC"
        self._names = ProductNames.of_events(product.path.name)

    def make(self) -> None:
        """Run fluximage and collect what it made."""
        inputs = self._inputs()
        steps = fluximage_call(
            self._files(),
            self._job.settings,
            hrc=self._hrc,
            units=self._units,
            cores=self._job.cores,
        )
        with ciao_session(self._job, self._product.exposure) as session:
            session.place({path.name: path for path in inputs})
            session.run(steps)
            for band in (HRC_WIDE,) if self._hrc else bands_of(self._job.settings):
                self._take(session, band)

    def _inputs(self) -> list[Path]:
        files = companions(self._job, self._product.exposure)
        if not files.asol:
            raise DataError("there is no aspect solution, which fluximage requires", "use engine: native")
        others = (files.badpix, files.mask, files.dtf)
        return [self._product.path, *files.asol, *(path for path in others if path)]

    def _files(self) -> FluximageFiles:
        files = companions(self._job, self._product.exposure)
        badpix, mask, dtf = (path.name if path else "" for path in (files.badpix, files.mask, files.dtf))
        return FluximageFiles(
            events=self._product.path.name,
            root=self._names.stem,
            asol=[path.name for path in files.asol],
            badpix=badpix,
            mask=mask,
            dtf=dtf,
        )

    def _take(self, session: Session, band: Band) -> None:
        """Collect the images of one band, and draw them."""
        wanted = ["expmap", "image", *(["psfmap"] if self._job.settings.psf_ecf is not None else [])]
        found = {role: self._find(session, band, role) for role in wanted}
        ratio = self._units.ratio_role
        found[ratio] = session.made(self._names.image(band.name, ratio, thresholded=False), "fluximage")
        exposure_map, _ = _read(found["expmap"])
        for role, made in found.items():
            path = self._job.output(made.name, role, self._product.exposure, band.name)
            take(made, path)
            pixels, header = _read(path)
            seen = exposure_map > 0
            shown = DisplayedImage(
                role=role,
                content=self._content(role),
                unit=self._unit(role),
                pixels=pixels,
                seen=seen,
                header=header,
            )
            draw_image(self._job, self._product.exposure, band, self._events.header, path, shown)

    def _find(self, session: Session, band: Band, role: str) -> Path:
        """Return an image that fluximage made; its name tells whether a threshold was applied."""
        for thresholded in (True, False):
            path = session.directory / self._names.image(band.name, role, thresholded=thresholded)
            if path.is_file():
                return path
        raise ToolError(f"fluximage returned success but did not create the {role} of the band {band.name}")

    def _content(self, role: str) -> str:
        enclosed = self._job.settings.psf_ecf
        psf = f"PSF radius map, {100 * enclosed:g} %" if enclosed else ""
        contents = {"image": "count image", "expmap": "exposure map", "psfmap": psf}
        return contents.get(role, f"{role} image")

    def _unit(self, role: str) -> str:
        units = {"image": "count", "expmap": self._units.exposure, "psfmap": "arcsec"}
        return units.get(role, self._units.ratio)


def _read(path: Path) -> tuple[Array, Header]:
    """Return pixels and header of an image, the header with what drawing it requires."""
    hdu = read_hdus(path)[0]
    if hdu.data is None or hdu.data.ndim != 2:
        raise DataError(f"{path.name} has no image")
    header = hdu.header.copy()
    header.setdefault("RADESYS", "ICRS")
    for axis in (1, 2):
        header.setdefault(f"CUNIT{axis}", "deg")
    return hdu.data, header
