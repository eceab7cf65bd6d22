"""CIAO's commands of a recipe, without running them: to be read, or to be run as a shell script."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from chandra_runner import __version__
from chandra_runner.ciao.call import Step
from chandra_runner.ciao.commands import Imaging, clean, deflare, images, light_curve, reprocess
from chandra_runner.ciao.input_files import placed
from chandra_runner.ciao.session import TEMPORARY
from chandra_runner.errors import DataError
from chandra_runner.observation.directory import read_observation
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.observation.raw_files import find_directory, list_files
from chandra_runner.recipe.recipe import Recipe
from chandra_runner.stages.cleaned_chandra_evts.ciao import cleaning_names
from chandra_runner.stages.deflare.ciao import flare_names

_HEAD = """#!/usr/bin/env bash
# {recipe}: what chandra_runner {version} runs with engine: ciao, as commands.
# Start CIAO, then run this. DATA is where the ObsID directories are, OUT is where the results go.
set -euo pipefail
[ -n "${{ASCDS_INSTALL:-}}" ] || {{ echo "start CIAO first" >&2; exit 3; }}
[ -n "${{DATA:-}}" ] || DATA={data}
[ -n "${{OUT:-}}" ] || OUT=$PWD/ciao_products
case $OUT in *[[:space:]]*) echo "CIAO takes no blanks in a path: set OUT" >&2; exit 3 ;; esac
SYSTEM=${{PFILES#*;}}

# A directory for one task, with parameter files and temporary files of its own.
task() {{
    echo "== ObsID $1, $2"
    mkdir -p "$OUT/$1/$2/pfiles" "$OUT/$1/$2/{temporary}"
    cd "$OUT/$1/$2"
    export PFILES="$PWD/pfiles;$SYSTEM" ASCDS_WORK_PATH="$PWD/{temporary}"
}}
"""


@dataclass(frozen=True)
class Commands:
    """What one task would do with CIAO.

    Parameters
    ----------
    observation, stage
        Which task.
    inputs : Mapping of str to str
        Files that it sees: where they are, by their names in the task's directory. Raw ones are relative to
        the ObsID directory, others begin with ``../`` and the stage that made them.
    steps : tuple of Step
        What it does.
    """

    observation: int
    stage: str
    inputs: Mapping[str, str]
    steps: tuple[Step, ...]

    def shell(self) -> str:
        """The commands, without what puts the input files into place."""
        return "\n".join(step.shell() for step in self.steps)


def commands_of(recipe: Recipe, stages: Iterable[str], obsid: int, cores: int) -> Iterator[Commands]:
    """What the tasks of an observation would do with CIAO.

    Parameters
    ----------
    recipe : Recipe
        With the settings.
    stages : iterable of str
        Which tasks; those that run no tool of CIAO are passed over.
    obsid : int
        Which observation.
    cores : int
        How many each task would use.

    Raises
    ------
    DataError
        Its raw data are not there, or cannot be read.
    """
    raw = find_directory(recipe.data, obsid)
    if raw is None:
        raise DataError(f"ObsID {obsid} is not under {recipe.data}", "fetch it first, with --stage download")
    observation = read_observation(raw, obsid)
    for stage in stages if observation.active else ():
        if stage in _MAKERS:
            known = _Known(observation, raw, recipe.settings(obsid, "chandra_repro"), cores)
            inputs, steps = _MAKERS[stage](known, recipe.settings(obsid, stage))
            yield Commands(obsid, stage, inputs, steps)


def script(recipe: Recipe, stages: Sequence[str], cores: int) -> str:
    """A bash script that a person with CIAO can run, with the same commands as a run has."""
    head = _HEAD.format(
        recipe=recipe.path.name,
        version=__version__,
        data=shlex.quote(str(recipe.data)),
        temporary=TEMPORARY,
    )
    parts = [head]
    for obsid in recipe.observations:
        raw = find_directory(recipe.data, obsid)
        place = raw.relative_to(recipe.data).as_posix() if raw else ""
        parts += [_task(commands, place) for commands in commands_of(recipe, stages, obsid, cores)]
    return "\n".join(parts)


def _task(commands: Commands, raw: str) -> str:
    lines = [f"task {commands.observation} {commands.stage}"]
    folders = sorted({name.rpartition("/")[0] for name in commands.inputs if "/" in name})
    if folders:
        lines.append(f"mkdir -p {' '.join(folders)}")
    for name, source in commands.inputs.items():
        where = source if source.startswith("../") else f'"$DATA"/{shlex.quote(f"{raw}/{source}")}'
        fetch = f"gunzip -c {where} >" if source.endswith(".gz") else f"cp {where}"
        lines.append(f"{fetch} {name}")
    lines.append(commands.shell())
    if commands.stage == "chandra_repro":
        lines.append("mv out*/* .")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class _Known:
    """What the file names of all stages follow from."""

    observation: Observation
    raw: Path
    repro: Mapping[str, Any]
    cores: int

    @property
    def hrc(self) -> bool:
        return self.observation.instrument == "HRC"

    def asol(self, exposure: Exposure) -> tuple[str, ...]:
        """Names of the aspect solution after chandra_repro, which brings old ones up to date in one file."""
        from chandra_runner.fits.reader import read_header

        paths = exposure.files.get("asol1") or exposure.files.get("osol1", ())
        contents = {path: str(read_header(self.raw / path).get("CONTENT", "")).strip() for path in paths}
        newer = tuple(path for path, content in contents.items() if content == "ASPSOLOBI")
        if not newer and "ASPSOL" in contents.values() and self.repro["asol_update"]:
            return (f"pcadf{self.observation.obsid:05d}_repro_asol1.fits",)
        return tuple(_plain(path) for path in newer or paths)

    def archived(self, exposure: Exposure, kind: str) -> str:
        """Name of a file that chandra_repro passes on as it is; empty where there is none."""
        return next((_plain(path) for path in exposure.files.get(kind, ())), "")

    def badpix(self, exposure: Exposure) -> str:
        if self.observation.readmode == "CONTINUOUS":
            return self.archived(exposure, "bpix1")
        return f"{exposure.stem}_repro_bpix1.fits"


_Made = tuple[dict[str, str], tuple[Step, ...]]
"""Inputs and steps of a task."""


def _chandra_repro(known: _Known, settings: Mapping[str, Any]) -> _Made:
    inputs = placed(known.observation, list_files(known.raw))
    return dict(inputs), reprocess(known.observation, settings)


def _deflare(known: _Known, settings: Mapping[str, Any]) -> _Made:
    inputs: dict[str, str] = {}
    steps: list[Step] = []
    for exposure in known.observation.exposures:
        names = flare_names(f"{exposure.stem}_repro_evt2.fits", exposure.stem)
        inputs[names.events] = f"../chandra_repro/{names.events}"
        steps += [light_curve(names, settings, known.hrc), deflare(names, settings)]
    return inputs, tuple(steps)


def _clean(known: _Known, settings: Mapping[str, Any]) -> _Made:
    inputs: dict[str, str] = {}
    steps: list[Step] = []
    for exposure in known.observation.exposures:
        names = cleaning_names(f"{exposure.stem}_repro_evt2.fits", f"{exposure.stem}_deflare_gti.fits")
        inputs |= {names.events: f"../chandra_repro/{names.events}", names.gti: f"../deflare/{names.gti}"}
        steps += clean(names, settings, hrc=known.hrc, status=True)
    return inputs, tuple(steps)


def _images(known: _Known, settings: Mapping[str, Any], *, units: str) -> _Made:
    inputs: dict[str, str] = {}
    steps: list[Step] = []
    for exposure in known.observation.exposures if known.observation.readmode != "CONTINUOUS" else ():
        events = f"{exposure.stem}_clean_evt2.fits"
        names = Imaging(
            events,
            exposure.stem,
            known.asol(exposure),
            known.badpix(exposure),
            known.archived(exposure, "msk1"),
            known.archived(exposure, "dtf1"),
        )
        companions = (*names.asol, *filter(None, (names.badpix, names.mask, names.dtf)))
        inputs[events] = f"../cleaned_chandra_evts/{events}"
        inputs |= {name: f"../chandra_repro/{name}" for name in companions}
        steps += images(names, settings, hrc=known.hrc, units=units, cores=known.cores, temporary=TEMPORARY)
    return inputs, tuple(steps)


_MAKERS: Mapping[str, Callable[[_Known, Mapping[str, Any]], _Made]] = {
    "chandra_repro": _chandra_repro,
    "deflare": _deflare,
    "cleaned_chandra_evts": _clean,
    "flux_image": partial(_images, units="default"),
    "rate_image": partial(_images, units="time"),
}


def _plain(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".gz")
