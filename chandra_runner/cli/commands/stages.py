"""``chandra-run stages``: show the stages, or the settings of one of them."""

from __future__ import annotations

import argparse

from chandra_runner.cli.options import Subparsers, add_command
from chandra_runner.errors import ExitCode


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    parser = add_command(subparsers, "stages", "show the stages, or the settings of one stage", execute)
    parser.add_argument("stage", nargs="?", metavar="STAGE", help="stage to show the settings of")
    parser.add_argument(
        "--markdown", action="store_true", help="show all stages and settings as a page for the documentation"
    )


def execute(options: argparse.Namespace) -> ExitCode:
    """Print what the schemas of the stages say."""
    from chandra_runner.cli.stage_reference import stage_text, stages_markdown, stages_text
    from chandra_runner.stages.registry import get, stages

    if options.markdown:
        print(stages_markdown(stages().values()))
    elif options.stage:
        print(stage_text(get(options.stage)))
    else:
        print(stages_text(stages().values()))
    return ExitCode.OK
