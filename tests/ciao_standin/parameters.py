"""CIAO's parameter interface: tables, PFILES, prompts, and the parameter file that every call leaves."""

from __future__ import annotations

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .messages import Failure
from .tables import MODE, Parameter, Table

LONGEST = 2000
"""Characters of a value; what comes after them is lost."""


@dataclass(frozen=True)
class Directories:
    """PFILES: where parameter files are written, and where those that CIAO came with are."""

    user: Path
    system: tuple[Path, ...]

    @classmethod
    def of(cls, pfiles: str) -> Directories:
        """Read the variable.

        Raises
        ------
        Failure
            It has not exactly one semicolon, or the user's directory is not there.
        """
        if pfiles.count(";") != 1:
            raise Failure(f"PFILES must have one ';' between user and system directories: '{pfiles}'")
        user, system = (
            [Path(item) for item in part.split(":") if item.strip()] for part in pfiles.split(";")
        )
        if not user or not user[0].is_dir():
            raise Failure(f"could not create a parameter file: no directory in the user part of '{pfiles}'")
        return cls(user[0], tuple(system))

    def shipped(self, tool: str) -> Path:
        """The parameter file that the tool came with.

        Raises
        ------
        Failure
            It is in none of the directories.
        """
        for directory in self.system:
            if (directory / f"{tool}.par").is_file():
                return directory / f"{tool}.par"
        raise Failure(f"could not find parameter file {tool}.par in the system part of PFILES")


@contextmanager
def alone(directory: Path) -> Iterator[None]:
    """Be the only tool that uses a parameter directory, while it runs.

    Raises
    ------
    Failure
        There is another one. CIAO does not notice, and ends up with a mixture of both tools' files.
    """
    try:
        lock = (directory / ".in_use").open("w")
    except OSError as error:
        raise Failure(f"could not write to parameter directory {directory}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(f"parameter file corrupt: another tool is writing to {directory}") from None
        yield


def resolve(table: Table, arguments: Sequence[str], directories: Directories) -> dict[str, Any]:
    """Values of all parameters of a call; the user's parameter file is written as a side effect.

    Raises
    ------
    Failure
        A parameter is unknown, given twice, missing, or has a value that it cannot have.
    """
    given = _given(table, arguments)
    texts = _remembered(table, directories)
    texts.update({name: text[:LONGEST] for name, text in given.items()})
    if MODE.name in given:
        MODE.value(given[MODE.name])
    asked = [p for p in table.required if p.name not in given]
    if "h" not in texts[MODE.name]:
        _prompt(asked)
    empty = [p.name for p in asked if not texts[p.name]]
    if empty:
        raise Failure(f"parameter {empty[0]} has no value")
    table.write(directories.user / f"{table.tool}.par", texts)
    return {p.name: p.value(_expand(texts, p.name)) for p in table.parameters}


def _given(table: Table, arguments: Sequence[str]) -> dict[str, str]:
    """Values on the command line; those without a name are of the required parameters, in their order."""
    given: dict[str, str] = {}
    nameless = iter(table.required)
    for argument in arguments:
        name, equals, value = argument.partition("=")
        if not equals or not re.fullmatch(r"\w+", name):
            parameter = next(nameless, None)
            if parameter is None:
                raise Failure(f"too many values without a name: '{argument}'")
            name, value = parameter.name, argument
        if name not in table:
            raise Failure(f"parameter not found: '{name}'")
        if name in given:
            raise Failure(f"parameter {name} is given twice")
        given[name] = value
    return given


def _remembered(table: Table, directories: Directories) -> dict[str, str]:
    """Values of the last call that used this directory, else those that CIAO came with."""
    shipped = directories.shipped(table.tool)
    own = directories.user / shipped.name
    texts = table.read(own if own.exists() else shipped)
    for parameter in table.parameters:
        if parameter.name not in texts:
            raise Failure(f"parameter not found: '{parameter.name}' is missing in {own}")
    return texts


def _prompt(asked: Sequence[Parameter]) -> None:
    """Ask for a value, as tools do; nobody is there to answer."""
    if asked:
        print(f"{asked[0].name} ({asked[0].default}): ", end="", flush=True)
        raise Failure(f"prompted for parameter {asked[0].name}, and nobody answered")


def _expand(texts: Mapping[str, str], name: str) -> str:
    """A value with ``)other`` and ``${VARIABLE}`` replaced."""
    text = texts[name]
    if text.startswith(")"):
        return _expand(texts, text[1:])

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise Failure(f"parameter {name}: environment variable {match[1]} is not set")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", variable, text)
