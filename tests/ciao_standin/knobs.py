"""Ways in which CIAO's tools fail, and the record of every call."""

from __future__ import annotations

import errno
import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from .messages import Failure, error_line, not_opened, warn

_LONGEST_HANG = 300.0
"""s; a bound for what a test forgets."""
_MANY = 500
_TRACEBACK = """Traceback (most recent call last):
  File "usercustomize.py", line 1, in <module>
ModuleNotFoundError: No module named 'extra'"""
_RECORDED = ("PFILES", "ASCDS_WORK_PATH", "ASCDS_INSTALL", "ASCDS_CONTRIB", "CALDB", "PATH")


class Way(StrEnum):
    """How a call goes wrong."""

    NOTHING = "nothing"
    """Exit code 0, no message, and nothing made."""
    ERROR_EXIT_0 = "error_exit_0"
    """Everything is made; an ERROR line, and exit code 0."""
    ERROR = "error"
    """An ERROR line and exit code 1, nothing made."""
    HANG = "hang"
    """Never ends, and has started processes that have started processes; one of them ignores SIGTERM."""
    HALF = "half"
    """Exit code 0, but the largest file is cut in the middle."""
    FULL_DISK = "full_disk"
    """The disk is full in the middle of the largest file."""
    CRASH = "crash"
    """Ends by SIGSEGV in the middle of the largest file."""
    TRACEBACK = "traceback"
    """A traceback of something that does not matter; all is made."""
    WARNINGS = "warnings"
    """Hundreds of warnings; all is made."""


@dataclass(frozen=True)
class Call:
    """A call of a tool: its arguments, and the part of its environment that matters."""

    tool: str
    argv: tuple[str, ...]
    cwd: str
    environment: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, str]:
        """Values by name."""
        return {name: value for name, _, value in (argument.partition("=") for argument in self.argv)}


@dataclass(frozen=True)
class Control:
    """Files beside the installation: what is to fail, what was called, what hangs.

    Parameters
    ----------
    directory : Path
        Where they are.
    """

    directory: Path

    def record(self, tool: str, arguments: Sequence[str]) -> None:
        """Note a call; one write for each, as calls come from several processes."""
        environment = {name: os.environ[name] for name in _RECORDED if name in os.environ}
        call = Call(tool, tuple(arguments), os.getcwd(), environment)
        with (self.directory / "calls.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(f"{json.dumps(asdict(call))}\n")

    def calls(self) -> list[Call]:
        """All calls so far, in their order."""
        path = self.directory / "calls.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        documents = [json.loads(line) for line in lines]
        return [Call(**{**document, "argv": tuple(document["argv"])}) for document in documents]

    def set(self, tool: str, way: Way | None, matching: str) -> None:
        """Make the calls of a tool that have a text in their arguments fail; None: work again."""
        ways = [knob for knob in self._knobs() if knob[0] != tool]
        if way is not None:
            ways.append([tool, way, matching])
        (self.directory / "knobs.json").write_text(json.dumps(ways), encoding="utf-8")

    def way(self, tool: str, arguments: Sequence[str]) -> Way | None:
        """How a call is to fail."""
        for name, way, matching in self._knobs():
            if name == tool and matching in " ".join(arguments):
                return Way(way)
        return None

    def _knobs(self) -> list[Any]:
        path = self.directory / "knobs.json"
        return list(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else []

    def hang(self) -> None:
        """Hang with a child that has a child; all of them leave a file named by their process id."""
        pids = self.directory / "pids"
        pids.mkdir(exist_ok=True)
        (pids / str(os.getpid())).touch()
        here = shlex.quote(str(pids))
        grandchild = f"trap '' TERM; touch {here}/$$; sleep {_LONGEST_HANG}; :"
        subprocess.Popen(["sh", "-c", f"sh -c {shlex.quote(grandchild)} & touch {here}/$$; wait"])
        time.sleep(_LONGEST_HANG)

    def hanging(self) -> list[int]:
        """Processes that hang, or did."""
        return [int(path.name) for path in (self.directory / "pids").glob("*")]


def fail_before(way: Way | None, tool: str, control: Control) -> bool:
    """Do what goes wrong before anything is made; whether the tool ends here.

    Raises
    ------
    Failure
        The tool says that it failed.
    """
    if way is Way.HANG:
        control.hang()
    if way is Way.ERROR:
        raise not_opened("calibration.fits")
    if way is Way.TRACEBACK:
        print(_TRACEBACK, file=sys.stderr)
    if way is Way.WARNINGS:
        for number in range(_MANY):
            warn(tool, f"row {number} is out of range")
    return way is Way.NOTHING


def fail_after(way: Way | None, tool: str, made: Iterable[Path]) -> None:
    """Do what goes wrong with what was made.

    Raises
    ------
    Failure
        The tool says that it failed.
    """
    if way is Way.ERROR_EXIT_0:
        print(error_line(tool, not_opened("calibration.fits")), file=sys.stderr)
    if way not in (Way.HALF, Way.FULL_DISK, Way.CRASH):
        return
    largest = max(made, key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)
    if way is Way.FULL_DISK:
        raise Failure(f"could not write {largest}: {os.strerror(errno.ENOSPC)}")
    if way is Way.CRASH:
        os.kill(os.getpid(), signal.SIGSEGV)
