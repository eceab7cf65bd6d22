"""The calls of fluximage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.ciao.call import Step, call, stack
from chandra_runner.ciao.session import TEMPORARY
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext
from chandra_runner.stages.product_names import ProductNames, updated_aspect_solution

from .bands import HRC_WIDE, bands_of
from .units import ImageUnits

if TYPE_CHECKING:
    from .settings import ImageSettings

_SEED = 1
"""Seed of random numbers: fluximage takes 0 to mean the clock."""


def commands(context: CommandContext, stage: str, units: ImageUnits) -> CiaoCommands:
    """Return the calls for all exposures; none for continuous clocking, which has no image."""
    settings: ImageSettings = context.settings_of(stage)
    observation = context.observation
    inputs: dict[str, str] = {}
    steps: list[Step] = []
    for exposure in observation.exposures if observation.readmode != "CONTINUOUS" else ():
        files = _files(context, exposure)
        companions = (*files.asol, *filter(None, (files.badpix, files.mask, files.dtf)))
        inputs[files.events] = f"../cleaned_chandra_evts/{files.events}"
        inputs |= {name: f"../chandra_repro/{name}" for name in companions}
        hrc = observation.instrument == "HRC"
        steps += fluximage_call(files, settings, hrc=hrc, units=units, cores=context.cores)
    return CiaoCommands(inputs, tuple(steps))


@dataclass(frozen=True)
class FluximageFiles:
    """The names of the files that fluximage reads, and the root of those that it makes.

    A bad-pixel, mask or dead-time file that does not exist has an empty name.
    """

    events: str
    root: str
    asol: Sequence[str]
    badpix: str = ""
    mask: str = ""
    dtf: str = ""


def fluximage_call(
    files: FluximageFiles, settings: ImageSettings, *, hrc: bool, units: ImageUnits, cores: int
) -> tuple[Step, ...]:
    """Return the call that makes all images of an exposure, after the list files that it reads.

    Parameters
    ----------
    files : FluximageFiles
        Its files.
    settings : ImageSettings
        The settings of flux_image or rate_image.
    hrc : bool
        Whether the events are of HRC, which has one band.
    units : ImageUnits
        Units of the exposure map.
    cores : int
        Number of cores that it may use.
    """
    bands = (HRC_WIDE,) if hrc else bands_of(settings)
    asol, lists = stack(files.asol, "asol.lis")
    size = settings.hrc_bin_size if hrc else settings.acis_bin_size
    grid = {"binsize": size} if settings.xygrid is None else {"xygrid": settings.xygrid}
    psf = {} if settings.psf_ecf is None else {"psfecf": settings.psf_ecf}
    made = call(
        "fluximage",
        infile=files.events,
        outroot=files.root,
        bands=",".join(band.name if hrc else band.text for band in bands),
        **grid,
        asolfile=asol,
        badpixfile=files.badpix or "NONE",
        maskfile=files.mask or "NONE",
        **({"dtffile": files.dtf or "NONE"} if hrc else {}),
        units=units.fluximage,
        expmapthresh=f"{settings.expmap_threshold.to_value('%'):.12g}%",
        background="none",
        **psf,
        random=_SEED,
        parallel=cores > 1,
        nproc=cores,
        tmpdir=TEMPORARY,
        cleanup=True,
    )
    return *lists, made


def _files(context: CommandContext, exposure: Exposure) -> FluximageFiles:
    """Return the names of an exposure's files after chandra_repro, which has not run yet."""
    return FluximageFiles(
        events=ProductNames(exposure.stem).cleaned_events,
        root=exposure.stem,
        asol=_aspect_solution(context, exposure),
        badpix=_bad_pixel_file(context.observation, exposure),
        mask=_archived(exposure, "msk1"),
        dtf=_archived(exposure, "dtf1"),
    )


def _aspect_solution(context: CommandContext, exposure: Exposure) -> tuple[str, ...]:
    """Return the names of the aspect solution: chandra_repro combines old files into one updated file."""
    from chandra_runner.fits.reader import read_header

    paths = exposure.files.get("asol1") or exposure.files.get("osol1", ())
    contents = {path: str(read_header(context.raw / path).get("CONTENT", "")).strip() for path in paths}
    per_interval = tuple(path for path, content in contents.items() if content == "ASPSOLOBI")
    update = context.settings_of("chandra_repro").asol_update
    if not per_interval and "ASPSOL" in contents.values() and update:
        return (updated_aspect_solution(context.observation.obsid),)
    return tuple(_uncompressed_name(path) for path in per_interval or paths)


def _bad_pixel_file(observation: Observation, exposure: Exposure) -> str:
    if observation.readmode == "CONTINUOUS":
        return _archived(exposure, "bpix1")
    return ProductNames(exposure.stem).remade("bpix1")


def _archived(exposure: Exposure, kind: str) -> str:
    """Return the name of a file that chandra_repro passes on unchanged; empty where there is none."""
    return next((_uncompressed_name(path) for path in exposure.files.get(kind, ())), "")


def _uncompressed_name(path: str) -> str:
    return Path(path).name.removesuffix(".gz")
