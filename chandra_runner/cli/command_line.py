"""From arguments to a command and its options, with suggestions for mistyped ones."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Collection, Mapping, Sequence
from typing import NoReturn

from chandra_runner import __version__
from chandra_runner.errors import UsageError
from chandra_runner.suggestions import did_you_mean

from .commands import COMMANDS
from .options import Subparsers

DEFAULT = "run"
"""The command of ``chandra-run RECIPE``."""
_EPILOG = """\
chandra-run RECIPE is short for chandra-run run RECIPE.
chandra-run COMMAND --help shows the options of a command.

exit codes: 0 all done, up to date or excluded; 1 some tasks failed; 2 the recipe
or the command line is wrong; 3 the environment is (no CIAO, disk full, locked by
another run); 130 interrupted
"""
_NO_FILE = "there is no file of that name either; the commands are"


class CommandParser(argparse.ArgumentParser):
    """A parser whose errors are reported as all other errors are."""

    def error(self, message: str) -> NoReturn:
        """Raise a `UsageError`."""
        raise UsageError(message, f"see {self.prog} --help")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the options of the command that the arguments name, with the function that executes it.

    Help and version are printed from here; they end the program.

    Parameters
    ----------
    arguments : sequence of str
        As in a shell, without the name of the program.

    Raises
    ------
    UsageError
        An argument is missing, unknown or not valid.
    """
    words = _join_signs(arguments)
    top, parsers = build_parsers()
    if words[:1] == ["help"]:
        words = [*words[1:], "--help"]
    if not words:
        top.error("a recipe or a command is required")
    if words[0] in ("-h", "--help", "--version"):
        top.parse_args(words[:1])
    name = _command(words[0], parsers)
    parser = parsers[name]
    options, unknown = parser.parse_known_args(words[words[0] == name :])
    if unknown:
        _refuse(unknown, parser)
    options.verbosity = int(options.verbose) - int(options.quiet)
    return options


def build_parsers() -> tuple[CommandParser, Mapping[str, argparse.ArgumentParser]]:
    """Return the parser of the program and those of the commands, by name."""
    top = CommandParser(
        prog="chandra-run",
        usage="chandra-run RECIPE [options]\n       chandra-run COMMAND [options]",
        description="Reduce Chandra X-ray observations from a recipe file.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    top.add_argument("--version", action="version", version=f"chandra_runner {__version__}")
    subparsers: Subparsers = top.add_subparsers(  # type: ignore[assignment]
        title="commands", metavar="COMMAND", prog="chandra-run"
    )
    for command in COMMANDS:
        command.add_parser(subparsers)
    return top, subparsers.choices


def _command(word: str, names: Collection[str]) -> str:
    """Return the command that the first argument names, or the default one.

    A recipe may have any name, and options may come before it: all else belongs to the default command. Only
    what looks like the name of a command, and is not a file, is refused as a mistyped command.
    """
    if word in names:
        return word
    if re.fullmatch(r"[^\W\d][\w-]*", word) and not os.path.exists(word):
        raise UsageError(f"there is no command {word}", did_you_mean(word, names, _NO_FILE))
    return DEFAULT


def _refuse(unknown: Sequence[str], parser: argparse.ArgumentParser) -> NoReturn:
    """Report arguments that a command does not have."""
    for word in unknown:
        option, _, _ = word.partition("=")
        if option.startswith("-"):
            known = [name for name in parser._option_string_actions if name.startswith("--")]
            raise UsageError(
                f"{parser.prog} has no option {option}", did_you_mean(option, known, "its options are")
            )
    parser.error(f"unrecognized arguments: {' '.join(unknown)}")


def _join_signs(arguments: Sequence[str]) -> list[str]:
    """Write ``--dec -26:35:34`` as ``--dec=-26:35:34``; argparse would take the value for another option."""
    joined: list[str] = []
    for argument in arguments:
        signed = re.match(r"-\.?\d", argument) and joined and re.fullmatch(r"--[a-z-]+", joined[-1])
        if signed:
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined
