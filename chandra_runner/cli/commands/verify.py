"""``chandra-run verify RECIPE``: read all products and raw data, and report what is damaged."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chandra_runner.cli.options import (
    Subparsers,
    add_command,
    add_extent_options,
    add_json_option,
    add_recipe_options,
)
from chandra_runner.errors import ExitCode

if TYPE_CHECKING:
    from chandra_runner.reporting.verify import CheckedFile


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    summary = "read all products and raw data, and report what is damaged; writes nothing"
    parser = add_command(subparsers, "verify", summary, execute)
    add_recipe_options(parser)
    add_json_option(parser)
    add_extent_options(parser)


def execute(options: argparse.Namespace) -> ExitCode:
    """Read all files and print which are damaged."""
    from chandra_runner.cli.json_output import verify_json
    from chandra_runner.cli.project import Project
    from chandra_runner.reporting.verify import verify

    project = Project(options)
    checked = list(verify(project.make_plan_for_any_machine(), project.cores))
    print(verify_json(checked) if options.json else verify_text(checked))
    return ExitCode.TASKS if any(file.problem for file in checked) else ExitCode.OK


def verify_text(checked: Sequence[CheckedFile]) -> str:
    """Return a line for each damaged file, and one for all files."""
    damaged = [file for file in checked if file.problem]
    rows = [f"{file.observation} {file.stage}: {file.path} {file.problem}" for file in damaged]
    megabytes = sum(file.size for file in checked) / 1e6
    total = f"{len(checked)} files, {megabytes:.1f} MB read: "
    verdict = f"{len(damaged)} damaged; a run makes damaged products again" if damaged else "all are intact"
    return "\n".join([*rows, total + verdict])
