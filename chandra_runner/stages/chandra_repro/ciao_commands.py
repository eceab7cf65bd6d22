"""The calls of chandra_repro, and of splitobs before it."""

from __future__ import annotations

from chandra_runner.ciao.call import Call, Step, call
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.observation.raw_files import list_files
from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext

from .ciao_inputs import INPUT, input_files
from .settings import ChandraReproSettings

_OUTPUT = "out"
_SPLIT = "obi"


def commands(context: CommandContext) -> CiaoCommands:
    """Return the calls for an observation."""
    inputs = input_files(context.observation, list_files(context.raw))
    steps = reprocess_calls(context.observation, context.settings_of("chandra_repro"))
    return CiaoCommands(dict(inputs), steps, collect=f"mv {_OUTPUT}*/* .")


def is_split(observation: Observation) -> bool:
    """Return whether there are several observing intervals, which splitobs must separate first."""
    ids = [exposure.id for exposure in observation.exposures]
    return len(ids) > 1 and all(name.startswith("E") for name in ids)


def output_directory(observation: Observation, exposure: Exposure) -> str:
    """Return the directory into which chandra_repro writes the products of an exposure."""
    return f"{_OUTPUT}_{exposure.id[1:]}" if is_split(observation) else _OUTPUT


def reprocess_calls(observation: Observation, settings: ChandraReproSettings) -> tuple[Step, ...]:
    """Return the calls for level 2: chandra_repro, after splitobs for observing intervals."""
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


def pixel_adjustment(observation: Observation, requested: str) -> str:
    """Return the pixel adjustment that chandra_repro can apply instead of the requested one.

    HRC has no sub-pixel table; in continuous clocking there is nothing to randomize.
    """
    if observation.instrument == "HRC" and requested == "edser":
        return "default"
    if observation.readmode == "CONTINUOUS" and requested == "default":
        return "none"
    return requested


def _chandra_repro(
    observation: Observation, settings: ChandraReproSettings, indir: str, outdir: str, root: str
) -> Call:
    return call(
        "chandra_repro",
        indir=indir,
        outdir=outdir,
        root=root,
        # CIAO cannot make a new bad-pixel file in continuous clocking: the archive's is used.
        badpixel=observation.readmode != "CONTINUOUS",
        process_events=True,
        destreak=settings.destreak,
        set_ardlib=False,
        check_vf_pha=settings.check_very_faint and observation.datamode == "VFAINT",
        pix_adj=pixel_adjustment(observation, settings.pix_adj),
        tg_zo_position="evt2",
        asol_update=settings.asol_update,
        pi_filter=settings.grating_pi_filter,
        patch_hrc_ssc=False,
        cleanup=True,
    )
