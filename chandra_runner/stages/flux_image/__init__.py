"""Stage flux_image: images in photons per cm2 and second, with their exposure and PSF maps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

from chandra_runner.errors import SettingProblem
from chandra_runner.native.calibration_files import Calibration, find_calibration, missing_calibration
from chandra_runner.stages.images.image_stage import ImageStage
from chandra_runner.stages.images.units import FLUX
from chandra_runner.stages.job import Job

from .settings import FluxImageSettings

NO_AREA = "there is no effective area: effective_area is not given and $CALDB is not set"
WAYS_TO_GET_ONE = (
    "give an ARF file, or install the CALDB and set $CALDB, or install CIAO and use engine: ciao"
)


def run_native(job: Job[FluxImageSettings]) -> None:
    """Make images in photons per cm2 and second with the native engine."""
    from chandra_runner.stages.images.native import make_images

    from .native import exposure_in_area

    make_images(job, FLUX, partial(exposure_in_area, job.settings.effective_area))


def run_ciao(job: Job[FluxImageSettings]) -> None:
    """Make the same with CIAO's fluximage, which takes the effective area from the CALDB."""
    from chandra_runner.stages.images.ciao import make_images

    if job.settings.effective_area is not None:
        job.log("effective_area is not used: CIAO uses that of its CALDB")
    make_images(job, FLUX)


class FluxImage(ImageStage):
    """Count, exposure (cm2 s count/photon) and flux (photon/cm2/s) images of each exposure and band."""

    name = "flux_image"
    version = 2
    makes = ("image", "expmap", "flux", "psfmap", "plot")
    units = FLUX
    settings_class = FluxImageSettings
    executors: ClassVar = {"native": run_native, "ciao": run_ciao}

    @classmethod
    def check_native(cls, settings: FluxImageSettings, caldb: Path | None) -> Iterator[SettingProblem]:
        """Require an effective area."""
        if settings.effective_area not in (None, "caldb"):
            return
        if caldb is None:
            yield SettingProblem(("effective_area",), NO_AREA, WAYS_TO_GET_ONE)
            return
        missing = missing_calibration(caldb)
        if missing:
            message = f"$CALDB ({caldb}) has no calibration files in {' and '.join(missing)}"
            yield SettingProblem(("effective_area",), message, WAYS_TO_GET_ONE)

    @classmethod
    def calibration_files(cls, settings: FluxImageSettings, caldb: Path | None) -> tuple[Path, ...]:
        """Return the files of the CALDB for effective areas; an ARF includes the area of the mirror."""
        if caldb is None:
            return ()
        has_arf = settings.effective_area not in (None, "caldb")
        kinds = [kind for kind in Calibration if not (has_arf and kind is Calibration.MIRROR)]
        return find_calibration(caldb, kinds)


STAGE = FluxImage
