"""The options of the command line."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from chandra_runner import __version__


def parse(name: str, arguments: Sequence[str], summaries: Mapping[str, str]) -> argparse.Namespace:
    """The options of a command; ends the program where they are wrong, or where help was asked for.

    Parameters
    ----------
    name : str
        The command.
    arguments : sequence of str
        What stands behind it.
    summaries : Mapping of str to str
        A line of help for each command there is.
    """
    return _parser(name, summaries).parse_args(_joined_signs(arguments))


def _parser(name: str, summaries: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chandra-run" if name == "run" else f"chandra-run {name}",
        description=summaries[name].capitalize() + ".",
        epilog=_commands(summaries) if name == "run" else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    if name == "stages":
        parser.add_argument("stage", nargs="?", metavar="STAGE", help="a stage, to see its settings")
        parser.add_argument("--markdown", action="store_true", help="all stages and settings, as a docs page")
    elif name == "init":
        parser.add_argument(
            "file", nargs="?", type=Path, default=Path("recipe.yaml"), help="it must not exist (%(default)s)"
        )
    elif name == "find":
        from .find import add_find_options

        add_find_options(parser)
    else:
        parser.add_argument("recipe", type=Path, metavar="RECIPE", help="the recipe, a YAML file")
        _recipe_options(parser)
    if name in ("run", "plan", "validate", "status", "verify"):
        parser.add_argument("--json", action="store_true", help="write one JSON document to standard output")
    if name == "export":
        parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="write it to a file")
    if name in ("run", "plan", "export", "verify"):
        _extent_options(parser)
    if name in ("run", "plan"):
        _plan_options(parser)
    if name == "plan":
        parser.add_argument(
            "--check-archive", action="store_true", help="ask the archives whether they have newer raw data"
        )
    if name == "run":
        _run_options(parser)
    return parser


def _commands(summaries: Mapping[str, str]) -> str:
    rows = "\n".join(f"  {name:10}{text}" for name, text in summaries.items() if name != "run")
    return (
        f"other commands (chandra-run COMMAND --help tells more):\n{rows}\n\n"
        "exit codes: 0 all done, up to date or excluded; 1 some tasks failed; 2 the recipe or the command\n"
        "line is wrong; 3 the environment is (no CIAO, disk full, locked by another run); 130 interrupted"
    )


def _recipe_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("instead of what the recipe says")
    group.add_argument("--data", type=Path, metavar="DIR", help="where the ObsID directories are")
    group.add_argument(
        "--archive", type=_names, metavar="NAME,...", help="where missing ones are fetched from; or none"
    )
    group.add_argument("--products", type=Path, metavar="DIR", help="where products go")
    group.add_argument("--engine", choices=("auto", "ciao", "native"), help="what runs the stages")
    group.add_argument("--only", type=_obsids, metavar="OBSID,...", help="only these observations")
    parser.add_argument(
        "--profile", type=Path, metavar="FILE", help="settings of the site, instead of the user's own"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="show only warnings and errors")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="show also what is up to date, why tasks run, and commands",
    )


def _extent_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stage", action="append", default=[], metavar="STAGE", help="run up to this stage; repeatable"
    )
    parser.add_argument(
        "--cores", type=_cores, metavar="N", help=f"how many to use (the profile's, or all {usable_cores()})"
    )


def _plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--force",
        action="append",
        default=[],
        metavar="STAGE",
        help="run this stage though up to date; repeatable",
    )
    parser.add_argument(
        "--refresh",
        action="append",
        default=[],
        choices=("data", "tools"),
        help="data: ask the archives for newer raw data; tools: make again what another version of CIAO made",
    )


def _run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--dry-run", action="store_true", help="as chandra-run plan")
    parser.add_argument("--fail-fast", action="store_true", help="start nothing more after the first failure")
    parser.add_argument("--no-progress", action="store_true", help="no progress bar")
    parser.add_argument("--version", action="version", version=f"chandra_runner {__version__}")


def _joined_signs(arguments: Sequence[str]) -> list[str]:
    """``--dec -26:35:34`` as ``--dec=-26:35:34``, which argparse does not take for an option."""
    joined: list[str] = []
    for argument in arguments:
        if joined and joined[-1] in ("--ra", "--dec") and argument[:1] == "-" and argument[1:2].isdecimal():
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


def usable_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _cores(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of cores of at least 1")
    return int(text)


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _obsids(text: str) -> tuple[int, ...]:
    names = _names(text)
    wrong = [name for name in names if not name.isdecimal()]
    if wrong or not names:
        raise argparse.ArgumentTypeError(f"{text!r}: ObsIDs are whole numbers, separated by commas")
    return tuple(int(name) for name in names)
