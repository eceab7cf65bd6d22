"""What all tools do: read their parameters, be alone in their directory, say what is wrong."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from chandra_runner.errors import DataError

from .knobs import Control, Way, fail_after, fail_before
from .messages import CORE, Failure, error_line
from .parameters import Directories, alone, resolve
from .tables import read_tables

TOOLS = ("chandra_repro", "deflare", "dmcopy", "dmextract", "fluximage", "splitobs")
"""Tools with parameters. Each has a module of its name, whose ``run(values)`` gives the files it made."""

_CALIBRATING = ("chandra_repro", "fluximage")


def main(tool: str, arguments: Sequence[str], installation: Path) -> int:
    """Run a tool.

    Parameters
    ----------
    tool : str
        Its name.
    arguments : sequence of str
        After its name.
    installation : Path
        Where it is installed.

    Returns
    -------
    int
        Exit code.
    """
    control = Control(installation / "standin")
    control.record(tool, arguments)
    try:
        _run(tool, arguments, control, installation)
    except (Failure, DataError, OSError) as error:
        failure = error if isinstance(error, Failure) else Failure(str(error))
        print(f"\n{error_line(tool, failure)}\n", file=sys.stderr)
        return 1
    return 0


def _run(tool: str, arguments: Sequence[str], control: Control, installation: Path) -> None:
    way = control.way(tool, arguments)
    if tool == "ciaover":
        if not fail_before(way, tool, control):
            import_module(".ciaover", __package__).run(arguments, installation)
        return
    directories = Directories.of(os.environ.get("PFILES", ""))
    with alone(directories.user):
        values = resolve(read_tables()[tool], arguments, directories)
        _check_environment(tool, installation)
        if not fail_before(way, tool, control):
            fail_after(way, tool, _make(tool, values))


def _make(tool: str, values: dict[str, Any]) -> list[Path]:
    made: list[Path] = import_module(f".{tool}", __package__).run(values)
    return made


def _check_environment(tool: str, installation: Path) -> None:
    """What CIAO's setup script sets, and tools rely on.

    Raises
    ------
    Failure
        Something is not set.
    """
    if os.path.realpath(os.environ.get("ASCDS_INSTALL", "/")) != os.path.realpath(installation):
        raise Failure("Unable to find ASCDS_INSTALL environment variable. Has CIAO been started?")
    work = os.environ.get("ASCDS_WORK_PATH", "")
    if not os.path.isdir(work):
        raise Failure(f"cannot create temporary file: no directory ASCDS_WORK_PATH='{work}'")
    if tool in CORE:
        return
    # Scripts call other tools.
    found = shutil.which("dmcopy")
    if found is None or not os.path.samefile(found, installation / "bin" / "dmcopy"):
        raise Failure("[Errno 2] No such file or directory: 'dmcopy'")
    if tool in _CALIBRATING and not os.path.isdir(os.environ.get("CALDB", "")):
        raise Failure("the CALDB environment variable is not set, or is no directory")


__all__ = ["TOOLS", "Way", "main"]
