"""Exposure maps in cm2 s count/photon, with the effective area of an ARF or of the CALDB."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile, number
from chandra_runner.native.arf import Arf, check_arf, read_arf, reference_chip
from chandra_runner.native.caldb import mirror_area, uniformity_map
from chandra_runner.native.calibration_files import Calibration, select_calibration
from chandra_runner.native.detector_response import (
    AcisResponse,
    ChipPosition,
    DetectorResponse,
    HrcResponse,
    find_aimpoint,
)
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.effective_area import vignetting
from chandra_runner.native.exposure_map import exposure_map
from chandra_runner.native.quantum_efficiency import TABLE
from chandra_runner.stages.images.bands import Band
from chandra_runner.stages.images.native import BandExposure, ExposureContext, ExposureOf

from . import NO_AREA, WAYS_TO_GET_ONE


@dataclass(frozen=True)
class _AreaSource:
    """Where the effective area at one position of the detector comes from.

    Parameters
    ----------
    name : str
        Its name for the user.
    position : ChipPosition
        The position.
    area : callable
        Returns the effective area there without vignetting, cm2, at an energy, keV.
    response : callable
        Returns the response of the detector that this area includes.
    has_vignetting : bool
        Whether the area includes the vignetting of an unknown position, so that none is applied.
    off_axis : float or None
        Off-axis angle for which the area was given, before it was corrected to the axis, arcmin.
    """

    name: str
    position: ChipPosition
    area: Callable[[float], float]
    response: Callable[[float], float]
    has_vignetting: bool = False
    off_axis: float | None = None


def exposure_in_area(effective_area: Path | str | None, context: ExposureContext) -> ExposureOf:
    """Return what makes the exposure maps of an exposure: time times effective area, pixel by pixel.

    Parameters
    ----------
    effective_area : Path, str or None
        An ARF file; otherwise the area is that of the CALDB.
    context : ExposureContext
        The exposure.

    Raises
    ------
    DataError
        There is no effective area, or the ARF was made for another instrument.
    """
    field, events = context.field, context.events
    aim = find_aimpoint(field.pointing, tuple(chip.number for chip in field.chips), field.mean)
    files = select_calibration(context.job.calibration, str(events.header.get("DATE-OBS", "")))
    response = _acis_response(context, files, aim) if field.pointing.detector is ACIS else HrcResponse()
    if isinstance(effective_area, Path):
        source = _arf_source(context, read_arf(effective_area), response, aim)
    else:
        source = _caldb_source(context, files, response, aim)
    return partial(_exposure, context, response, source)


def _exposure(
    context: ExposureContext, response: DetectorResponse, source: _AreaSource, band: Band
) -> BandExposure:
    """Return the exposure map of one band.

    Each chip pixel counts by its efficiency relative to the position for which the area is known.
    """
    energy, field = band.effective, context.field
    area, there = source.area(energy), source.response(energy)
    chips = [
        replace(chip, good=chip.good * (response.of_chip(chip.number, energy) / there))
        for chip in field.chips
    ]
    pixels = exposure_map(field.pointing, context.grid, chips) * area
    if not source.has_vignetting:
        pixels *= vignetting(energy, context.angle)
    return BandExposure(pixels, tuple(_history(response, source, band, area)))


def _history(response: DetectorResponse, source: _AreaSource, band: Band, area: float) -> Iterator[str]:
    yield (
        f"effective area {area:.6g} cm2 at {band.effective:g} keV on chip {source.position.chip}, "
        f"from {source.name}"
    )
    if source.off_axis is not None:
        yield f"{source.name} was made for {source.off_axis:.2f}' off axis: divided by the vignetting there"
    if isinstance(response, AcisResponse):
        yield "times the relative efficiency of each pixel, with the dead area of front-illuminated chips"
        if Calibration.EFFICIENCY not in response.files:
            yield f"quantum efficiency: {TABLE.name}, sampled from CALDB acisD1997-04-17qeN0006"
        yield from (f"calibration file {path.name}" for path in response.files.values())
    else:
        yield "all pixels count as equally efficient"
    if source.has_vignetting:
        yield f"without vignetting, which {source.name} includes"
    else:
        yield "times the vignetting of the mirror, mean over the azimuth, CALDB hrmaD1996-12-20vignetN0003"


def _acis_response(
    context: ExposureContext, files: Mapping[Calibration, Path], aim: ChipPosition
) -> AcisResponse:
    events: EventFile = context.events
    usable = dict(files)
    if Calibration.UNIFORMITY in files:
        try:
            uniformity_map(files[Calibration.UNIFORMITY], aim.chip, 1.0)
        except DataError as error:
            context.warn(f"the quantum efficiency counts as uniform over each chip: {error}")
            del usable[Calibration.UNIFORMITY]
    first_row = events.header.get("FIRSTROW", 1)
    return AcisResponse(
        files=usable,
        # The contamination grows with time: the middle of the observation stands for all of it.
        time=(events.tstart + events.tstop) / 2,
        frame_time=number(events.header, "TIMEDEL", events.path),
        first_row=first_row if isinstance(first_row, int) else 1,
    )


def _arf_source(
    context: ExposureContext, arf: Arf, response: DetectorResponse, aim: ChipPosition
) -> _AreaSource:
    field = context.field
    for warning in check_arf(arf, context.events.header, aim.chip):
        context.warn(warning)
    # An ARF of another chip of the same kind was made for some position on it: the one nearest to the axis.
    position = find_aimpoint(field.pointing, (reference_chip(arf, aim.chip),), field.mean)
    return _AreaSource(
        name=arf.path.name,
        position=position,
        area=arf.area,
        response=partial(response.at, position, dead_area=arf.has_dead_area),
        has_vignetting=arf.is_weighted,
        off_axis=arf.off_axis,
    )


def _caldb_source(
    context: ExposureContext,
    files: Mapping[Calibration, Path],
    response: DetectorResponse,
    aim: ChipPosition,
) -> _AreaSource:
    grating = str(context.events.header.get("GRATING", "NONE")).strip()
    if not isinstance(response, AcisResponse) or grating != "NONE":
        name = context.field.pointing.detector.name
        name = name if grating == "NONE" else f"{name} with {grating}"
        raise DataError(f"effective_area: caldb does not apply to {name}", "give an ARF file")
    if Calibration.MIRROR not in files:
        raise DataError(NO_AREA, WAYS_TO_GET_ONE)
    mirror = files[Calibration.MIRROR]
    return _AreaSource(
        name="the CALDB",
        position=aim,
        area=lambda energy: mirror_area(mirror, energy) * response.at(aim, energy),
        response=partial(response.at, aim),
    )
