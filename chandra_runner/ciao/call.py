"""A command as data: it can be checked, shown, exported and run."""

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
    """One call of a tool, known to be one that the tool takes. Made with `call`.

    Parameters
    ----------
    tool : str
        Its name.
    arguments : tuple of str
        ``name=value``.
    """

    tool: str
    arguments: tuple[str, ...]

    @property
    def argv(self) -> tuple[str, ...]:
        """The command line."""
        return (self.tool, *self.arguments)

    def shell(self) -> str:
        """The command as a person would write it for a shell."""
        words = [_quoted(argument) for argument in self.arguments]
        line = " ".join((self.tool, *words))
        return line if len(line) <= _WIDTH else _BREAK.join((self.tool, *words))


@dataclass(frozen=True)
class ListFile:
    """A text file of names, one a line, for a parameter that would be too long."""

    name: str
    lines: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is in it."""
        return "".join(f"{line}\n" for line in self.lines)

    def shell(self) -> str:
        """The command that writes it."""
        return f"cat > {shlex.quote(self.name)} <<'END'\n{self.text}END"


Step = Call | ListFile
"""What is done in a task's directory."""


def call(tool: str, **parameters: Value) -> Call:
    """A checked call; it never prompts, and replaces output that is there.

    Parameters
    ----------
    tool : str
        Its name.
    **parameters
        In the order in which they are shown.

    Raises
    ------
    DataError
        The tool would refuse it: a name that it has not, one that is missing, a value of the wrong type or
        out of bounds.
    """
    table = tools()[tool]
    missing = sorted(table.required - parameters.keys())
    if missing:
        raise DataError(f"{tool} needs {', '.join(missing)}")
    arguments = [f"{name}={_text(table, name, value)}" for name, value in parameters.items()]
    if "clobber" in table.parameters:
        arguments.append("clobber=yes")
    return Call(tool, (*arguments, "mode=h"))


def stack(names: Sequence[str], list_name: str) -> tuple[str, tuple[ListFile, ...]]:
    """The value of a parameter that takes several files, and the list file that it needs where it is long."""
    together = ",".join(names)
    if len(together) <= LONGEST:
        return together, ()
    # The minus keeps the names as they are written; without it they would be taken as relative to the list.
    return f"@-{list_name}", (ListFile(list_name, tuple(names)),)


def _text(tool: Tool, name: str, value: Value) -> str:
    try:
        return _parameter(tool, name).text(value)
    except DataError as error:
        raise DataError(f"{tool.name}: {error.message}", error.hint) from error


def _parameter(tool: Tool, name: str) -> Parameter:
    if name not in tool.parameters:
        raise DataError(f"there is no parameter {name}", did_you_mean(name, tool.parameters, "they are"))
    return tool.parameters[name]


def _quoted(argument: str) -> str:
    """Quoted where a shell needs it, and then only the value."""
    name, _, value = argument.partition("=")
    plain = re.fullmatch(r"[\w@%+=:,./-]*", value, re.ASCII)
    return argument if plain else f"{name}={shlex.quote(value)}"
