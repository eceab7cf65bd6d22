"""Flux images with their exposure and PSF maps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from chandra_runner.errors import DataError
from chandra_runner.stages.images.bands import Band
from chandra_runner.stages.images.image_stage import ImageStage
from chandra_runner.stages.images.native import ExposureContext, ImageProducts, Sensitivity, make_images
from chandra_runner.stages.stage import Job, SettingProblem, Settings

_NO_AREA = "there is no effective area: effective_area is not given and $CALDB is not set"
_WAYS_OUT = "give an ARF file, or install the CALDB and set $CALDB, or install CIAO and use engine: ciao"


def native(job: Job) -> None:
    """Make images in photons per cm2 and second."""
    make_images(job, _kind())


def ciao(job: Job) -> None:
    """The same, with CIAO's fluximage, whose CALDB has the effective area."""
    from chandra_runner.stages.images.ciao import make_images_with_ciao

    if job.settings["effective_area"] is not None:
        job.log("effective_area is not used, CIAO takes that of its CALDB")
    make_images_with_ciao(job, _kind())


def _kind() -> ImageProducts:
    return ImageProducts("flux", "cm2 s count photon-1", "photon cm-2 s-1", _area, "default")


def _area(scene: ExposureContext, band: Band) -> Sensitivity:
    """Effective area in one band: on the axis, times the mirror's vignetting."""
    from chandra_runner.native.effective_area import arf_area, vignetting

    given = scene.job.settings["effective_area"]
    if isinstance(given, Path):
        area, source = arf_area(given, band.effective), given.name
    else:
        area, source = _caldb_area(scene, band), "the CALDB"
    history = (
        f"effective area on the axis {area:.6g} cm2 at {band.effective:g} keV, from {source}",
        "times the vignetting of the mirror, mean over the azimuth, CALDB hrmaD1996-12-20vignetN0003",
        "all chips count as the one on the axis",
    )
    return Sensitivity(area * vignetting(band.effective, scene.angle), history)


def _caldb_area(scene: ExposureContext, band: Band) -> float:
    from chandra_runner.native.caldb import caldb_area, find_aimpoint

    directory = os.environ.get("CALDB")
    if not directory:
        raise DataError(_NO_AREA, _WAYS_OUT)
    field, events = scene.field, scene.events
    middle = (events.tstart + events.tstop) / 2
    aim = find_aimpoint(field.pointing, tuple(chip.number for chip in field.chips), field.mean, middle)
    grating = str(events.header.get("GRATING", "NONE")).strip()
    return caldb_area(Path(directory), field.pointing, grating, aim, band.effective)


class FluxImage(ImageStage):
    """Count, exposure (cm2 s count/photon) and flux (photon/cm2/s) images of each exposure and band."""

    name = "flux_image"
    makes = ("image", "expmap", "flux", "psfmap", "plot")
    executors: ClassVar = {"native": native, "ciao": ciao}

    @classmethod
    def check_native(cls, settings: Settings) -> Iterator[SettingProblem]:
        """There must be an effective area."""
        if settings["effective_area"] in (None, "caldb") and not os.environ.get("CALDB"):
            yield SettingProblem(("effective_area",), _NO_AREA, _WAYS_OUT)


STAGE = FluxImage
