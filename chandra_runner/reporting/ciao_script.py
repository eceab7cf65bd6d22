"""The CIAO commands of a recipe, without running them: to be read, or to be run as a shell script."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from chandra_runner import __version__
from chandra_runner.ciao.session import TEMPORARY
from chandra_runner.errors import DataError
from chandra_runner.observation.directory import read_observation
from chandra_runner.observation.raw_files import find_directory
from chandra_runner.recipe.recipe import Recipe
from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext
from chandra_runner.stages.registry import get

_HEAD = """#!/usr/bin/env bash
# {recipe}: the CIAO commands that chandra_runner {version} runs.
# Start CIAO, then run this. DATA has the ObsID directories, OUT gets the results.
set -euo pipefail
[ -n "${{ASCDS_INSTALL:-}}" ] || {{ echo "start CIAO first" >&2; exit 3; }}
[ -n "${{DATA:-}}" ] || DATA={data}
[ -n "${{OUT:-}}" ] || OUT=$PWD/ciao_products
case $OUT in *[[:space:]]*) echo "CIAO does not accept blanks in paths: set OUT" >&2; exit 3 ;; esac
SYSTEM=${{PFILES#*;}}

# Change to a directory for one task, with its own parameter files and temporary files.
task() {{
    echo "== ObsID $1, $2"
    mkdir -p "$OUT/$1/$2/pfiles" "$OUT/$1/$2/{temporary}"
    cd "$OUT/$1/$2"
    export PFILES="$PWD/pfiles;$SYSTEM" ASCDS_WORK_PATH="$PWD/{temporary}"
}}
"""


def commands_of(
    recipe: Recipe, stages: Iterable[str], obsid: int, cores: int
) -> Iterator[tuple[str, CiaoCommands]]:
    """Yield the names of stages with the CIAO commands that they would run for an observation.

    Parameters
    ----------
    recipe : Recipe
        The recipe, with the settings.
    stages : iterable of str
        Names of stages; those that run no CIAO tool are left out.
    obsid : int
        The observation.
    cores : int
        Number of cores that each task would use.

    Raises
    ------
    DataError
        The raw data are missing or cannot be read.
    """
    raw = find_directory(recipe.data, obsid)
    if raw is None:
        raise DataError(
            f"ObsID {obsid} was not found under {recipe.data}", "download it first, with --stage download"
        )
    observation = read_observation(raw, obsid)
    context = CommandContext(
        observation=observation, raw=raw, settings_of=partial(recipe.settings, obsid), cores=cores
    )
    for stage in stages if observation.active else ():
        commands = get(stage).ciao_commands(context)
        if commands is not None:
            yield stage, commands


def script(recipe: Recipe, stages: Sequence[str], cores: int) -> str:
    """Return a bash script that a person with CIAO can run, with the same commands as a run."""
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
        tasks = commands_of(recipe, stages, obsid, cores)
        parts += [_task(obsid, stage, commands, place) for stage, commands in tasks]
    return "\n".join(parts)


def _task(obsid: int, stage: str, commands: CiaoCommands, raw: str) -> str:
    lines = [f"task {obsid} {stage}"]
    folders = sorted({name.rpartition("/")[0] for name in commands.inputs if "/" in name})
    if folders:
        lines.append(f"mkdir -p {shlex.join(folders)}")
    for name, source in commands.inputs.items():
        made_here = source.startswith("../")
        where = shlex.quote(source) if made_here else f'"$DATA"/{shlex.quote(f"{raw}/{source}")}'
        fetch = f"gunzip -c {where} >" if source.endswith(".gz") else f"cp {where}"
        lines.append(f"{fetch} {shlex.quote(name)}")
    lines.append(commands.shell())
    if commands.collect:
        lines.append(commands.collect)
    return "\n".join(lines) + "\n"
