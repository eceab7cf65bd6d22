"""Options that several commands have, and the types of their values."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from chandra_runner.errors import ExitCode

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""Where commands are added."""


def add_command(
    subparsers: Subparsers, name: str, summary: str, execute: Callable[[argparse.Namespace], ExitCode]
) -> argparse.ArgumentParser:
    """Add a command and return its parser, to which its options are added.

    Parameters
    ----------
    subparsers : argparse action
        Where commands are added.
    name : str
        As users type it.
    summary : str
        One line for the list of commands and for the command's own help, without capital and period.
    execute : callable
        Executes the command with its options; becomes the option `execute`.
    """
    parser = subparsers.add_parser(
        name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
    )
    parser.set_defaults(execute=execute, verbose=False, quiet=False)
    return parser


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--json``."""
    parser.add_argument("--json", action="store_true", help="write one JSON document to standard output")


def add_recipe_options(parser: argparse.ArgumentParser) -> None:
    """Add the recipe, and the options of all commands that read one."""
    parser.add_argument("recipe", type=Path, metavar="RECIPE", help="the recipe, a YAML file")
    group = parser.add_argument_group("options that replace what the recipe says")
    group.add_argument("--data", type=Path, metavar="DIR", help="directory of the ObsID directories")
    group.add_argument(
        "--archive",
        type=_names,
        metavar="NAME,...",
        help="archives from which missing ObsIDs are downloaded, in this order; or none",
    )
    group.add_argument("--products", type=Path, metavar="DIR", help="directory for the products")
    group.add_argument(
        "--engine", choices=("auto", "ciao", "native"), help="CIAO's tools, Python, or what is available"
    )
    group.add_argument("--only", type=_obsids, metavar="OBSID,...", help="only these observations")
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="settings of the site, instead of your own profile"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="show only warnings and errors")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="also show what is up to date, why tasks run, and their commands",
    )


def add_extent_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how far to go, with how much of the machine."""
    parser.add_argument(
        "--stage",
        action="append",
        default=[],
        metavar="STAGE",
        help="only this stage and the stages that it needs; repeatable",
    )
    parser.add_argument(
        "--cores",
        type=_cores,
        metavar="N",
        help=f"number of cores to use (default: as the profile says, or all {usable_cores()})",
    )


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that make tasks run that are up to date."""
    parser.add_argument(
        "--force",
        action="append",
        default=[],
        metavar="STAGE",
        help="run this stage even if it is up to date; repeatable",
    )
    parser.add_argument(
        "--refresh",
        action="append",
        default=[],
        choices=("data", "tools"),
        help="data: download newer raw data, if there are any; tools: repeat what another CIAO version made",
    )


def usable_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cores(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _obsids(text: str) -> tuple[int, ...]:
    names = _names(text)
    wrong = [name for name in names if not name.isdecimal()]
    if wrong or not names:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a list of ObsIDs: whole numbers separated by commas"
        )
    return tuple(int(name) for name in names)
