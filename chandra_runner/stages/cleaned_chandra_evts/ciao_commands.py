"""The calls of dmcopy that clean an event list."""

from __future__ import annotations

from chandra_runner.ciao.call import Call, Step, call
from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext, energy_filter
from chandra_runner.stages.product_names import ProductNames

from .settings import CleanedChandraEvtsSettings


def commands(context: CommandContext) -> CiaoCommands:
    """Return the calls for all exposures of an observation."""
    settings: CleanedChandraEvtsSettings = context.settings_of("cleaned_chandra_evts")
    hrc = context.observation.instrument == "HRC"
    inputs: dict[str, str] = {}
    steps: list[Step] = []
    for exposure in context.observation.exposures:
        names = ProductNames(exposure.stem)
        inputs[names.level2_events] = f"../chandra_repro/{names.level2_events}"
        inputs[names.flare_free_gti] = f"../deflare/{names.flare_free_gti}"
        steps.append(filter_call(names, settings, hrc=hrc, has_status=True))
        steps.append(good_time_call(names))
    return CiaoCommands(inputs, tuple(steps))


def filter_call(
    names: ProductNames, settings: CleanedChandraEvtsSettings, *, hrc: bool, has_status: bool
) -> Call:
    """Return the call that selects by energy, grade and status.

    Parameters
    ----------
    names : ProductNames
        File names of the exposure.
    settings : CleanedChandraEvtsSettings
        What to select.
    hrc : bool
        Whether the events are of HRC, which has neither energies nor grades.
    has_status : bool
        Whether the events have a column ``status``.
    """
    cuts = []
    if not hrc:
        if settings.lo_en is not None:
            cuts.append(energy_filter(settings.lo_en, settings.hi_en))
        cuts.append(f"grade={','.join(map(str, sorted(settings.allowed_grades)))}")
    if settings.status_zero and has_status:
        cuts.append("status=0")
    selection = f"[{','.join(cuts)}]" if cuts else ""
    return call("dmcopy", infile=f"{names.level2_events}[EVENTS]{selection}", outfile=names.filtered_events)


def good_time_call(names: ProductNames) -> Call:
    """Return the call that selects the flare-free good times."""
    return call(
        "dmcopy",
        infile=f"{names.filtered_events}[EVENTS][@{names.flare_free_gti}]",
        outfile=names.cleaned_events,
    )
