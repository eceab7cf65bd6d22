"""The effective area with which the native engine turns exposure times into exposure maps."""

from __future__ import annotations

import os
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.native.caldb import caldb_area, find_aimpoint
from chandra_runner.native.effective_area import arf_area, vignetting
from chandra_runner.stages.images.bands import Band
from chandra_runner.stages.images.native import ExposureContext, Sensitivity

from . import NO_AREA, WAYS_TO_GET_ONE


def sensitivity(arf: Path | str | None, context: ExposureContext, band: Band) -> Sensitivity:
    """Return the effective area in a band: that on the optical axis, times the vignetting of the mirror.

    Parameters
    ----------
    arf : Path, str or None
        An ARF file; otherwise the CALDB is used.
    context : ExposureContext
        The exposure.
    band : Band
        The energy band.

    Raises
    ------
    DataError
        There is no effective area.
    """
    if isinstance(arf, Path):
        area, source = arf_area(arf, band.effective), arf.name
    else:
        area, source = _area_from_caldb(context, band), "the CALDB"
    history = (
        f"effective area on the axis {area:.6g} cm2 at {band.effective:g} keV, from {source}",
        "times the vignetting of the mirror, mean over the azimuth, CALDB hrmaD1996-12-20vignetN0003",
        "all chips count as the one on the axis",
    )
    return Sensitivity(area * vignetting(band.effective, context.angle), history)


def _area_from_caldb(context: ExposureContext, band: Band) -> float:
    directory = os.environ.get("CALDB")
    if not directory:
        raise DataError(NO_AREA, WAYS_TO_GET_ONE)
    field, events = context.field, context.events
    # The contamination of the filter grows with time: the middle of the observation stands for all of it.
    middle = (events.tstart + events.tstop) / 2
    aimpoint = find_aimpoint(field.pointing, tuple(chip.number for chip in field.chips), field.mean, middle)
    grating = str(events.header.get("GRATING", "NONE")).strip()
    return caldb_area(Path(directory), field.pointing, grating, aimpoint, band.effective)
