"""What CIAO's tools are called with, stage by stage: values in, commands out; nothing is read or run here."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.quantities import electronvolts
from chandra_runner.stages.images.bands import HRC_WIDE, bands_of

from .call import Call, Step, call, stack

if TYPE_CHECKING:
    from astropy.units import Quantity

INPUT = "in"
"""Where the raw files are, below it `primary` and `secondary`."""
_OUTPUT = "out"
_SPLIT = "obi"
_SEED = 1
"""fluximage takes 0 for the clock."""


def is_split(observation: Observation) -> bool:
    """Whether it consists of observing intervals, which have to be taken apart before chandra_repro."""
    ids = [exposure.id for exposure in observation.exposures]
    return len(ids) > 1 and all(name.startswith("E") for name in ids)


def output_directory(observation: Observation, exposure: Exposure) -> str:
    """Where chandra_repro puts the products of an exposure."""
    return f"{_OUTPUT}_{exposure.id[1:]}" if is_split(observation) else _OUTPUT


def reprocess(observation: Observation, settings: Mapping[str, Any]) -> tuple[Step, ...]:
    """Level 2 of all exposures: ``chandra_repro``, after ``splitobs`` where there are observing intervals."""
    if not is_split(observation):
        return (_chandra_repro(observation, settings, INPUT, _OUTPUT, ""),)
    split = call("splitobs", indir=INPUT, outroot=_SPLIT)
    return split, *(
        _chandra_repro(
            observation,
            settings,
            f"{_SPLIT}_{exposure.id[1:]}",
            output_directory(observation, exposure),
            exposure.stem,
        )
        for exposure in observation.exposures
    )


def pixel_adjustment(observation: Observation, wanted: str) -> str:
    """What chandra_repro can do of it: HRC has no sub-pixel table, continuous clocking needs none."""
    if observation.instrument == "HRC" and wanted == "edser":
        return "default"
    if observation.readmode == "CONTINUOUS" and wanted == "default":
        return "none"
    return wanted


def _chandra_repro(
    observation: Observation, settings: Mapping[str, Any], indir: str, outdir: str, root: str
) -> Call:
    return call(
        "chandra_repro",
        indir=indir,
        outdir=outdir,
        root=root,
        # In continuous clocking no new bad-pixel file can be made: the archive's is used.
        badpixel=observation.readmode != "CONTINUOUS",
        process_events=True,
        destreak=settings["destreak"],
        set_ardlib=False,
        check_vf_pha=settings["check_very_faint"] and observation.datamode == "VFAINT",
        pix_adj=pixel_adjustment(observation, settings["pix_adj"]),
        tg_zo_position="evt2",
        asol_update=settings["asol_update"],
        pi_filter=settings["grating_pi_filter"],
        patch_hrc_ssc=False,
        cleanup=True,
    )


@dataclass(frozen=True)
class Flares:
    """Names of the files that the calls of `deflare` read and make."""

    events: str
    light_curve: str
    gti: str


def light_curve(names: Flares, settings: Mapping[str, Any], hrc: bool) -> Call:
    """The light curve: ``dmextract``. HRC has no energies to choose by."""
    band = "" if hrc else f"[{_energy(settings['lc_lo_en'], settings['lc_hi_en'])}]"
    seconds = f"{settings['time_bin_size'].to_value('s'):.12g}"
    return call(
        "dmextract",
        infile=f"{names.events}{band}[bin time=::{seconds}]",
        outfile=names.light_curve,
        opt="ltc1",
    )


def deflare(names: Flares, settings: Mapping[str, Any]) -> Call:
    """The good times in it: ``deflare``."""
    return call(
        "deflare",
        infile=names.light_curve,
        outfile=names.gti,
        method=settings["method"],
        nsigma=settings["allowed_sigma"],
        **dict(_method(settings)),
        plot=False,
        save="",
    )


def _method(settings: Mapping[str, Any]) -> Iterator[tuple[str, int | float]]:
    """Parameters that only one of the methods has; 0 stands for none."""
    if settings["method"] == "sigma":
        yield "minlength", settings["min_length"]
        return
    yield "mean", 0 if settings["mean"] is None else float(settings["mean"].to_value("ct/s"))
    yield "stddev", 0 if settings["stddev"] is None else settings["stddev"]
    yield "scale", settings["scale"]
    yield "minfrac", settings["minfrac"]


@dataclass(frozen=True)
class Cleaning:
    """Names of the files that the calls of `clean` read and make."""

    events: str
    gti: str
    filtered: str
    cleaned: str


def clean(names: Cleaning, settings: Mapping[str, Any], hrc: bool, status: bool) -> tuple[Call, Call]:
    """The cleaned events: ``dmcopy`` with the cuts, then with the good times.

    Parameters
    ----------
    names : Cleaning
        File names.
    settings : Mapping
        Of cleaned_chandra_evts.
    hrc : bool
        HRC has neither energies nor grades.
    status : bool
        Whether the events have a column of that name.
    """
    cuts = []
    if not hrc:
        if settings["lo_en"] is not None:
            cuts.append(_energy(settings["lo_en"], settings["hi_en"]))
        cuts.append(f"grade={','.join(map(str, sorted(settings['allowed_grades'])))}")
    if settings["status_zero"] and status:
        cuts.append("status=0")
    selection = f"[{','.join(cuts)}]" if cuts else ""
    return (
        call("dmcopy", infile=f"{names.events}[EVENTS]{selection}", outfile=names.filtered),
        call("dmcopy", infile=f"{names.filtered}[EVENTS][@{names.gti}]", outfile=names.cleaned),
    )


@dataclass(frozen=True)
class Imaging:
    """Names of the files that the call of `images` reads, and the root of those that it makes.

    What there is not of bad pixels, mask and dead-time file is empty.
    """

    events: str
    root: str
    asol: Sequence[str]
    badpix: str = ""
    mask: str = ""
    dtf: str = ""


def images(
    names: Imaging, settings: Mapping[str, Any], *, hrc: bool, units: str, cores: int, temporary: str
) -> tuple[Step, ...]:
    """All images of an exposure: ``fluximage``.

    Parameters
    ----------
    names : Imaging
        File names.
    settings : Mapping
        Of flux_image or rate_image.
    hrc : bool
        HRC has one band.
    units : str
        Of the exposure map: ``default`` (cm2 s count/photon), or ``time`` (s).
    cores : int
        How many it may use.
    temporary : str
        Where it may put temporary files.
    """
    bands = (HRC_WIDE,) if hrc else bands_of(settings)
    asol, lists = stack(names.asol, "asol.lis")
    size = settings["hrc_bin_size" if hrc else "acis_bin_size"]
    grid = {"binsize": size} if settings["xygrid"] is None else {"xygrid": settings["xygrid"]}
    psf = {} if settings["psf_ecf"] is None else {"psfecf": settings["psf_ecf"]}
    made = call(
        "fluximage",
        infile=names.events,
        outroot=names.root,
        bands=",".join(band.name if hrc else band.text for band in bands),
        **grid,
        asolfile=asol,
        badpixfile=names.badpix or "NONE",
        maskfile=names.mask or "NONE",
        **({"dtffile": names.dtf or "NONE"} if hrc else {}),
        units=units,
        expmapthresh=f"{settings['expmap_threshold'].to_value('%'):.12g}%",
        background="none",
        **psf,
        random=_SEED,
        parallel=cores > 1,
        nproc=cores,
        tmpdir=temporary,
        cleanup=True,
    )
    return *lists, made


def _energy(low: Quantity, high: Quantity) -> str:
    return f"energy={electronvolts(low):.12g}:{electronvolts(high):.12g}"
