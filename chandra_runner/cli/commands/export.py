"""``chandra-run export RECIPE``: write CIAO's commands as a shell script."""

from __future__ import annotations

import argparse
from pathlib import Path

from chandra_runner.cli.options import Subparsers, add_command, add_extent_options, add_recipe_options
from chandra_runner.errors import ExitCode


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    parser = add_command(subparsers, "export", "write CIAO's commands as a shell script", execute)
    add_recipe_options(parser)
    add_extent_options(parser)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="file to write (default: standard output)"
    )


def execute(options: argparse.Namespace) -> ExitCode:
    """Write the script, or print it."""
    from chandra_runner.cli.output_files import check_directory, write_text
    from chandra_runner.cli.project import Project
    from chandra_runner.reporting.ciao_script import script
    from chandra_runner.running.run import cores_of_task

    if options.output:
        check_directory(options.output)
    project = Project(options)
    plan = project.make_plan_for_any_machine()
    cores = cores_of_task(project.cores, len(plan.recipe.observations))
    text = script(plan.recipe, plan.order, cores)
    if options.output:
        write_text(options.output, text)
    else:
        print(text, end="")
    return ExitCode.OK
