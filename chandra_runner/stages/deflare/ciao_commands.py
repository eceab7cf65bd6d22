"""The calls of dmextract and deflare."""

from __future__ import annotations

from collections.abc import Iterator

from chandra_runner.ciao.call import Call, Step, call
from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext, energy_filter
from chandra_runner.stages.product_names import ProductNames

from .settings import DeflareSettings


def commands(context: CommandContext) -> CiaoCommands:
    """Return the calls for all exposures of an observation."""
    settings: DeflareSettings = context.settings_of("deflare")
    hrc = context.observation.instrument == "HRC"
    inputs: dict[str, str] = {}
    steps: list[Step] = []
    for exposure in context.observation.exposures:
        names = ProductNames(exposure.stem)
        inputs[names.level2_events] = f"../chandra_repro/{names.level2_events}"
        steps += [light_curve_call(names, settings, hrc=hrc), deflare_call(names, settings)]
    return CiaoCommands(inputs, tuple(steps))


def light_curve_call(names: ProductNames, settings: DeflareSettings, *, hrc: bool) -> Call:
    """Return the call of dmextract that makes the light curve; HRC events have no energies to select."""
    band = "" if hrc else f"[{energy_filter(settings.lc_lo_en, settings.lc_hi_en)}]"
    seconds = f"{settings.time_bin_size.to_value('s'):.12g}"
    return call(
        "dmextract",
        infile=f"{names.level2_events}{band}[bin time=::{seconds}]",
        outfile=names.light_curve,
        opt="ltc1",
    )


def deflare_call(names: ProductNames, settings: DeflareSettings) -> Call:
    """Return the call of deflare that finds the good times in the light curve."""
    return call(
        "deflare",
        infile=names.light_curve,
        outfile=names.flare_free_gti,
        method=settings.method,
        nsigma=settings.allowed_sigma,
        **dict(_parameters_of_method(settings)),
        plot=False,
        save="",
    )


def _parameters_of_method(settings: DeflareSettings) -> Iterator[tuple[str, int | float]]:
    """Yield the parameters that only one of the methods has; deflare reads 0 as "not given"."""
    if settings.method == "sigma":
        yield "minlength", settings.min_length
        return
    yield "mean", 0 if settings.mean is None else float(settings.mean.to_value("ct/s"))
    yield "stddev", 0 if settings.stddev is None else settings.stddev
    yield "scale", settings.scale
    yield "minfrac", settings.minfrac
