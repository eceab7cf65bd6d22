"""Images with CIAO's fluximage."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.ciao.commands import Imaging, images
from chandra_runner.ciao.session import TEMPORARY, Session, ToolError
from chandra_runner.errors import DataError
from chandra_runner.stages.ciao_session import ciao_session, keep
from chandra_runner.stages.stage import Job, Product

from .bands import HRC_WIDE, Band, bands_of
from .native import ImageProducts, companions, image_exposures
from .pictures import DisplayedImage, draw

if TYPE_CHECKING:
    from astropy.io.fits import Header

    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.geometry import Array

_ENDINGS = {"expmap": ".expmap", "image": ".img", "psfmap": ".psfmap"}
"""Of the files that are cut where there is little exposure, by role."""


def make_images_with_ciao(job: Job, kind: ImageProducts) -> None:
    """Images of all exposures and bands."""
    image_exposures(job, lambda product, events: _Images(job, kind, product, events).make())


class _Images:
    """Makes the images of one exposure."""

    def __init__(self, job: Job, kind: ImageProducts, product: Product, events: EventFile) -> None:
        self._job, self._kind, self._product, self._events = job, kind, product, events
        self._hrc = events.instrument == "HRC"
        self._stem = product.path.name.partition("_clean_")[0]

    def make(self) -> None:
        """Run fluximage, and take what it made."""
        inputs = self._inputs()
        steps = images(
            self._names(),
            self._job.settings,
            hrc=self._hrc,
            units=self._kind.units,
            cores=self._job.cores,
            temporary=TEMPORARY,
        )
        with ciao_session(self._job, self._product.exposure) as session:
            session.place({path.name: path for path in inputs})
            session.run(steps)
            for band in (HRC_WIDE,) if self._hrc else bands_of(self._job.settings):
                self._take(session, band)

    def _inputs(self) -> list[Path]:
        files = companions(self._job, self._product.exposure)
        if not files.asol:
            raise DataError("there is no aspect solution, which fluximage needs", "use engine: native")
        others = (files.badpix, files.mask, files.dtf)
        return [self._product.path, *files.asol, *(path for path in others if path)]

    def _names(self) -> Imaging:
        files = companions(self._job, self._product.exposure)
        return Imaging(
            self._product.path.name,
            self._stem,
            [path.name for path in files.asol],
            *(path.name if path else "" for path in (files.badpix, files.mask, files.dtf)),
        )

    def _take(self, session: Session, band: Band) -> None:
        """Take the images of one band for products, and draw them."""
        wanted = ["expmap", "image", *(["psfmap"] if self._job.settings["psf_ecf"] is not None else [])]
        found = {role: self._find(session, band, role) for role in wanted}
        found[self._kind.ratio] = session.made(f"{self._stem}_{band.name}_flux.img", "fluximage")
        exposure_map, _ = _read(found["expmap"])
        for role, made in found.items():
            path = self._job.output(made.name, role, self._product.exposure, band.name)
            keep(made, path)
            pixels, header = _read(path)
            seen = exposure_map > 0
            shown = DisplayedImage(role, self._content(role), self._unit(role), pixels, seen, header)
            draw(self._job, self._product.exposure, band, self._events.header, path, shown)

    def _find(self, session: Session, band: Band, role: str) -> Path:
        """An image; without a cut its name lacks ``_thresh``."""
        for infix in ("_thresh", ""):
            path = session.directory / f"{self._stem}_{band.name}{infix}{_ENDINGS[role]}"
            if path.is_file():
                return path
        raise ToolError(f"fluximage ended as if all were well, but made no {role} of the band {band.name}")

    def _content(self, role: str) -> str:
        enclosed = self._job.settings["psf_ecf"]
        psf = f"PSF radius map, {100 * enclosed:g} %" if enclosed else ""
        contents = {"image": "count image", "expmap": "exposure map", "psfmap": psf}
        return contents.get(role, f"{role} image")

    def _unit(self, role: str) -> str:
        units = {"image": "count", "expmap": self._kind.exposure_unit, "psfmap": "arcsec"}
        return units.get(role, self._kind.ratio_unit)


def _read(path: Path) -> tuple[Array, Header]:
    """Pixels and header of an image, the header with what a picture needs."""
    from chandra_runner.fits.reader import read_hdus

    hdu = read_hdus(path)[0]
    if hdu.data is None or hdu.data.ndim != 2:
        raise DataError(f"{path.name} has no image")
    header = hdu.header.copy()
    header.setdefault("RADESYS", "ICRS")
    for axis in (1, 2):
        header.setdefault(f"CUNIT{axis}", "deg")
    return hdu.data, header
