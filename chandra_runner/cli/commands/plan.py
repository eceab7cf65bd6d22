"""``chandra-run plan RECIPE``: show what would run, and why."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Mapping, Sequence
from textwrap import indent
from typing import TYPE_CHECKING

from chandra_runner.cli.options import (
    Subparsers,
    add_command,
    add_extent_options,
    add_json_option,
    add_plan_options,
    add_recipe_options,
)
from chandra_runner.cli.tables import Column, count_tasks, render_table, words
from chandra_runner.errors import DataError, ExitCode

if TYPE_CHECKING:
    from chandra_runner.planning.decisions import Decision
    from chandra_runner.planning.plan import Plan

_Commands = Mapping[tuple[int, str], str]
"""CIAO's commands, by observation and stage."""


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    parser = add_command(subparsers, "plan", "show what would run, and why; writes nothing", execute)
    add_recipe_options(parser)
    add_json_option(parser)
    add_extent_options(parser)
    add_plan_options(parser)
    parser.add_argument(
        "--check-archive", action="store_true", help="ask the archives whether they have newer raw data"
    )


def execute(options: argparse.Namespace) -> ExitCode:
    """Print what would run, and why."""
    return show(options, check_archive=options.check_archive)


def show(options: argparse.Namespace, *, check_archive: bool) -> ExitCode:
    """Print the plan of a recipe.

    Parameters
    ----------
    options : Namespace
        Those of ``plan``, or those of ``run`` with ``--dry-run``.
    check_archive : bool
        Whether the archives are asked for newer raw data.
    """
    from chandra_runner.cli.json_output import plan_json
    from chandra_runner.cli.project import Project
    from chandra_runner.reporting.provenance import notes

    project = Project(options)
    plan = project.make_plan()
    decisions = [decision for obsid in plan.recipe.observations for decision in plan.decisions(obsid)]
    if check_archive:
        from chandra_runner.reporting.archive_updates import add_archive_updates

        decisions = add_archive_updates(plan, decisions)
    if options.json:
        print(plan_json(decisions))
        return ExitCode.OK
    print(plan_text(decisions, _commands_of(plan, project.cores) if options.verbose else {}))
    for note in notes(plan):
        print(f"note: {note}")
    return ExitCode.OK


def plan_text(decisions: Sequence[Decision], commands: _Commands) -> str:
    """Return a line for each task, with its commands below it where they are known, and the counts."""
    from chandra_runner.planning.decisions import Action

    columns = (Column(right=True), Column(), Column(), Column())
    rows = [(str(d.observation), d.stage, words(d.action), "; ".join(d.reasons)) for d in decisions]
    lines = []
    for decision, line in zip(decisions, render_table(columns, rows), strict=True):
        lines.append(line)
        text = commands.get((decision.observation, decision.stage))
        if text and decision.action is Action.RUN:
            lines.append(indent(text, " " * 8))
    return "\n".join([*lines, count_tasks([d.action for d in decisions])])


def _commands_of(plan: Plan, cores: int) -> _Commands:
    """Return CIAO's commands of the tasks that it would run, where the raw data are available."""
    from chandra_runner.reporting.ciao_script import commands_of
    from chandra_runner.running.run import cores_of_task

    share = cores_of_task(cores, len(plan.recipe.observations))
    stages = [stage for stage in plan.order if plan.engines[stage] == "ciao"]
    found = {}
    for obsid in plan.recipe.observations if stages else ():
        with contextlib.suppress(DataError):  # the task itself will report it
            commands = commands_of(plan.recipe, stages, obsid, share)
            found.update({(obsid, stage): each.shell() for stage, each in commands})
    return found
