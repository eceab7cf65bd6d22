"""``chandra-run run RECIPE``, or ``chandra-run RECIPE``: reduce the observations of a recipe."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.cli.options import (
    Subparsers,
    add_command,
    add_extent_options,
    add_json_option,
    add_plan_options,
    add_recipe_options,
)
from chandra_runner.cli.tables import count_tasks, counted
from chandra_runner.errors import ExitCode

from . import plan

if TYPE_CHECKING:
    from chandra_runner.running.task_report import TaskReport


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    parser = add_command(subparsers, "run", "reduce the observations of a recipe", execute)
    add_recipe_options(parser)
    add_json_option(parser)
    add_extent_options(parser)
    add_plan_options(parser)
    parser.add_argument("--dry-run", action="store_true", help="run nothing, as chandra-run plan")
    parser.add_argument("--fail-fast", action="store_true", help="start no tasks after the first failure")
    parser.add_argument("--no-progress", action="store_true", help="show no progress bar")


def execute(options: argparse.Namespace) -> ExitCode:
    """Run what is not up to date, and print a summary."""
    if options.dry_run:
        return plan.show(options, check_archive=False)
    from chandra_runner.cli.json_output import run_json
    from chandra_runner.cli.progress import reporting
    from chandra_runner.cli.project import Project
    from chandra_runner.running.run import exit_code, run_plan
    from chandra_runner.running.task_process import Stop

    project = Project(options)
    made = project.make_plan()
    stop = Stop()
    tasks = len(made.order) * len(made.recipe.observations)
    bar = not (options.no_progress or options.quiet)
    with (
        reporting(tasks, options.verbosity, bar=bar) as reporter,
        options.interruption.ended_by(stop.interrupt),
    ):
        reports = run_plan(made, reporter, cores=project.cores, fail_fast=options.fail_fast, stop=stop)
    if options.json:
        print(run_json(reports))
    elif not options.quiet:
        print(run_summary(reports, made.recipe.products))
    return exit_code(reports)


def run_summary(reports: Sequence[TaskReport], products: Path) -> str:
    """Return one or two lines about a run that has ended.

    Parameters
    ----------
    reports : sequence of TaskReport
        How its tasks ended.
    products : Path
        Where its products are.
    """
    from chandra_runner.stages.outcome import Outcome

    outcomes = [report.outcome for report in reports]
    if set(outcomes) <= {Outcome.UP_TO_DATE, Outcome.EXCLUDED}:
        current, excluded = outcomes.count(Outcome.UP_TO_DATE), outcomes.count(Outcome.EXCLUDED)
        return f"nothing to do: {counted(current, 'task')} up to date" + (
            f", {excluded} excluded" if excluded else ""
        )
    return f"{count_tasks(outcomes)}\nproducts: {products}"
