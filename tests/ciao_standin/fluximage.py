"""fluximage: images of counts, exposure, flux and PSF radius."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.count_image import ThresholdedImages, apply_exposure_threshold, count_images
from chandra_runner.native.effective_area import vignetting
from chandra_runner.native.exposure_map import exposure_map
from chandra_runner.native.field_of_view import FieldOfView, load_field_of_view
from chandra_runner.native.grid import Grid, GridError, parse_grid
from chandra_runner.native.image_file import ImageLabel, image_header, write_image
from chandra_runner.native.psf import focal_plane_of, off_axis_map, psf_radius

from .files import mark, output, parse, whole_path
from .flux_inputs import Band, bands, companions
from .messages import Failure

_AREA = 400.0
"""cm2; on the axis, at all energies."""
_BINS = {"ACIS": 8.0, "HRC": 32.0}
_UNITS = {"default": "cm**2 s count/photon", "area": "cm**2 count/photon", "time": "s"}
_FLUXES = {"default": "photon/cm**2/s", "area": "photon/cm**2/s", "time": "count/s"}


@dataclass(frozen=True)
class _Scene:
    """All that the images of an event list have in common."""

    events: EventFile
    field: FieldOfView
    grid: Grid
    values: dict[str, Any]


def run(values: dict[str, Any]) -> list[Path]:
    """Make the images of all bands."""
    source = parse(values["infile"])
    for name in (str(source.path), values["outroot"]):
        whole_path(name)
    fraction = _threshold(values["expmapthresh"])
    if values["psfecf"] == 0:
        raise Failure("psfecf must be greater than 0 and at most 1")
    if not Path(values["tmpdir"]).is_dir():
        raise Failure(f"tmpdir={values['tmpdir']} is no directory")
    with EventFile.open(source.path) as events:
        if events.instrument == "HRC":
            _check_background(events, values["background"])
        wanted = bands(values["bands"], events.instrument)
        targets = {band.name: _targets(band, fraction, values) for band in wanted}
        field = load_field_of_view(events, companions(source.path, events.header, values))
        scene = _Scene(events, field, _grid(events, field, values), values)
        print(f"Running fluximage\nCreating {len(wanted)} bands, {scene.grid.nx} x {scene.grid.ny} pixels")
        return list(_images(scene, wanted, fraction, targets))


def _threshold(text: str) -> float:
    match = re.fullmatch(r"(\d+\.?\d*)(%?)", text)
    if not match:
        raise Failure(f"expmapthresh='{text}' is no fraction like 1.5%")
    return float(match[1]) / (100 if match[2] else 1)


def _check_background(events: EventFile, background: str) -> None:
    if str(events.header["DETNAM"]).strip() == "HRC-I" and background != "none":
        raise Failure(f"no HRC-I background file for background={background} in the CALDB")


def _targets(band: Band, fraction: float, values: dict[str, Any]) -> dict[str, Path]:
    """Files of a band; those that must not be replaced are noticed before the work begins."""
    root = values["outroot"] + ("" if values["outroot"].endswith("/") else "_") + band.name
    infix = "_thresh" if fraction else ""
    names = {"img": f"{infix}.img", "expmap": f"{infix}.expmap", "flux": "_flux.img"}
    if values["psfecf"] is not None:
        names["psfmap"] = f"{infix}.psfmap"
    return {key: output(f"{root}{ending}", values["clobber"]) for key, ending in names.items()}


def _grid(events: EventFile, field: FieldOfView, values: dict[str, Any]) -> Grid:
    try:
        if values["xygrid"]:
            return parse_grid(values["xygrid"])
        return Grid.cover(field.extent, values["binsize"] or _BINS[events.instrument])
    except (GridError, ValueError) as error:
        raise Failure(f"xygrid='{values['xygrid']}': {error}") from error


def _images(
    scene: _Scene, wanted: list[Band], fraction: float, targets: dict[str, dict[str, Path]]
) -> Iterator[Path]:
    edges = [(low * 1000, high * 1000) for low, high in (band.edges for band in wanted if band.edges)]
    counts = count_images(scene.events.chunks(), scene.grid, edges or None)
    seconds = exposure_map(scene.field.pointing, scene.grid, scene.field.chips)
    angle = off_axis_map(scene.field.pointing, scene.grid, scene.field.mean)
    for band, image in zip(wanted, counts, strict=True):
        timed = scene.values["units"] == "time"
        exposure = seconds if timed else seconds * _AREA * vignetting(band.effective, angle)
        images = apply_exposure_threshold(image, exposure, fraction)
        pixels = {"img": images.counts, "expmap": _exposure(scene, images), "flux": images.ratio}
        if scene.values["psfecf"] is not None:
            plane = focal_plane_of(scene.field.pointing)
            radius = psf_radius(plane, scene.values["psfecf"], band.effective, angle)
            pixels["psfmap"] = images.of(radius)
        for key, path in targets[band.name].items():
            yield _write(scene, band, key, path, pixels[key])


def _exposure(scene: _Scene, images: ThresholdedImages) -> np.ndarray[Any, Any]:
    """units=area leaves the time out of the exposure map, and only there."""
    if scene.values["units"] != "area":
        return images.exposure
    livetime = scene.events.good_times.first.total() * scene.field.dtcor
    return (images.exposure / livetime).astype(np.float32)


def _write(scene: _Scene, band: Band, key: str, path: Path, pixels: np.ndarray[Any, Any]) -> Path:
    events, units = scene.events, scene.values["units"]
    unit = {"img": "count", "expmap": _UNITS[units], "flux": _FLUXES[units], "psfmap": "arcsec"}[key]
    header = image_header(
        events.header, scene.field.pointing, scene.grid, events.good_times, scene.field.dtcor
    )
    energies = (*band.edges, band.effective) if band.edges else None
    write_image(
        path, pixels, header, ImageLabel(content=key, unit=unit, band=band.name, energies=energies), ()
    )
    return mark(path, "fluximage")
