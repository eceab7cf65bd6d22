"""Calls of CIAO tools as values: they can be checked, shown, exported and run."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from chandra_runner.errors import DataError
from chandra_runner.suggestions import did_you_mean

from .parameters import LONGEST, Parameter, Tool, Value, tools

_WIDTH = 100
_BREAK = " \\\n    "


@dataclass(frozen=True)
class Call:
    """One call of a tool, checked against its parameter table. Make it with `call`.

    Parameters
    ----------
    tool : str
        Name of the tool.
    arguments : tuple of str
        ``name=value``.
    """

    tool: str
    arguments: tuple[str, ...]

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line as a list of arguments."""
        return (self.tool, *self.arguments)

    def shell(self) -> str:
        """Return the command as shell text."""
        words = [_quoted(argument) for argument in self.arguments]
        line = " ".join((self.tool, *words))
        return line if len(line) <= _WIDTH else _BREAK.join((self.tool, *words))


@dataclass(frozen=True)
class ListFile:
    """A text file of names, one a line, for a list that is too long for a parameter."""

    name: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """Content of the file."""
        return "".join(f"{line}\n" for line in self.lines)

    def shell(self) -> str:
        """Return the shell command that writes the file."""
        return f"cat > {shlex.quote(self.name)} <<'END'\n{self.text}END"


Step = Call | ListFile
"""One step of a task in its directory."""


def call(tool: str, **parameters: Value) -> Call:
    """Return a checked call of a tool; it never prompts, and overwrites existing output.

    Parameters
    ----------
    tool : str
        Name of the tool.
    **parameters
        Its parameters, in the order in which they are shown.

    Raises
    ------
    DataError
        The tool would refuse it: an unknown or missing parameter, a value of the wrong type or out of bounds.

    Examples
    --------
    >>> call("deflare", infile="ltc1.fits", outfile="gti.fits", method="sigma", nsigma=3).shell()
    'deflare infile=ltc1.fits outfile=gti.fits method=sigma nsigma=3 mode=h'
    """
    table = tools()[tool]
    missing = sorted(table.required - parameters.keys())
    if missing:
        raise DataError(f"{tool} requires the parameter {', '.join(missing)}")
    arguments = [f"{name}={_text(table, name, value)}" for name, value in parameters.items()]
    if "clobber" in table.parameters:
        arguments.append("clobber=yes")
    return Call(tool, (*arguments, "mode=h"))


def stack(names: Sequence[str], list_name: str) -> tuple[str, tuple[ListFile, ...]]:
    """Return the value of a parameter that takes several files, and the list file that a long value needs."""
    together = ",".join(names)
    if len(together) <= LONGEST:
        return together, ()
    # "@-" takes the names as they are written; with "@" they would be relative to the list file.
    return f"@-{list_name}", (ListFile(list_name, tuple(names)),)


def _text(tool: Tool, name: str, value: Value) -> str:
    try:
        return _parameter(tool, name).text(value)
    except DataError as error:
        raise DataError(f"{tool.name}: {error.message}", error.hint) from error


def _parameter(tool: Tool, name: str) -> Parameter:
    if name not in tool.parameters:
        raise DataError(
            f"there is no parameter {name}", did_you_mean(name, tool.parameters, "its parameters are")
        )
    return tool.parameters[name]


def _quoted(argument: str) -> str:
    """Quote the value of an argument if a shell requires it."""
    name, _, value = argument.partition("=")
    plain = re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII)
    return argument if plain else f"{name}={shlex.quote(value)}"
