"""Runs CIAO's tools for one task, where they can neither disturb others nor be disturbed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from loguru import logger

from chandra_runner.errors import DataError, SiteError
from chandra_runner.storage.state_directory import EXTERNAL_LINK, EXTERNAL_PREFIX

from .call import Call, ListFile, Step
from .installation import Installation
from .tool_output import Messages

TEMPORARY = "temporary"
"""Where tools put temporary files."""
_PLAIN = re.compile(r"[A-Za-z0-9_./~+-]+")
"""Paths that no CIAO tool takes for a filter, a list of files or two words."""
_MOST_WARNINGS = 20
_LINGER = 2.0
"""Seconds that are granted to what a tool started and left behind to say its last words."""
_DISK_FULL = ("No space left on device", "Disk quota exceeded")
_SHOWN_LINES = 4
_LONGEST_LINE = 1 << 16


class ToolError(DataError):
    """A tool failed; the message has what it said of that."""


@contextmanager
def workplace(scratch: Path) -> Iterator[Path]:
    """A directory whose path CIAO's tools can take, whatever the user's directories are called.

    It is in the task's scratch directory where it can be. Where there are blanks or brackets in its path, it
    is a temporary directory, which a link in scratch leads to, so that it is removed with scratch by whoever
    does that.

    Raises
    ------
    SiteError
        There are such characters in the path of the temporary directory, too.
    """
    inside = Path(os.path.realpath(scratch)) / "work"
    if _PLAIN.fullmatch(str(inside)):
        inside.mkdir()
        try:
            yield inside
        finally:
            shutil.rmtree(inside, ignore_errors=True)
        return
    parent = os.path.realpath(tempfile.gettempdir())
    if not _PLAIN.fullmatch(parent):
        raise SiteError(
            f"CIAO can work neither in {scratch} nor in {parent}: both have blanks or special characters",
            "set TMPDIR to a directory without them",
        )
    outside, link = Path(tempfile.mkdtemp(prefix=EXTERNAL_PREFIX, dir=parent)), scratch / EXTERNAL_LINK
    try:
        link.symlink_to(outside)
        logger.info(f"CIAO cannot take the path of the products directory: working in {outside}")
        yield outside
    finally:
        shutil.rmtree(outside, ignore_errors=True)
        link.unlink(missing_ok=True)


class Session:
    """Runs tools in one directory, with parameter files and temporary files of its own.

    Parameters
    ----------
    directory : Path
        Where they run, of `workplace`; all file names in calls are relative to it.
    installation : Installation
        Which CIAO.
    """

    def __init__(self, directory: Path, installation: Installation) -> None:
        self.directory = directory
        self.warnings: list[str] = []
        self._installation = installation
        for name in ("pfiles", TEMPORARY):
            (directory / name).mkdir()
        self._environment = self._private_environment()

    def place(self, inputs: Mapping[str, Path]) -> None:
        """Put input files into the directory by their names there: compressed ones unpacked, others as links.

        Raises
        ------
        DataError
            A file is damaged.
        """
        from chandra_runner.fits.reader import unpack

        for name, source in inputs.items():
            target = self.directory / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.suffix == ".gz":
                unpack(source, target)
            else:
                target.symlink_to(source.absolute())

    def run(self, steps: Iterable[Step]) -> None:
        """Do what is to be done, one step after the other.

        Raises
        ------
        ToolError
            A tool failed, by its exit code or by what it printed.
        SiteError
            A tool is not there, or the disk is full.
        """
        for step in steps:
            match step:
                case ListFile():
                    (self.directory / step.name).write_text(step.text, encoding="ascii")
                case Call():
                    self._call(step)

    def made(self, name: str, tool: str) -> Path:
        """A file that a tool was to make.

        Raises
        ------
        ToolError
            It did not, though it said nothing of that.
        """
        path = self.directory / name
        if not path.is_file():
            raise ToolError(f"{tool} ended as if all were well, but made no {name}")
        if path.stat().st_size == 0:
            raise ToolError(
                f"{tool} ended as if all were well, but {name} is empty", "the log has its output"
            )
        return path

    def told(self) -> Iterator[str]:
        """The warnings of all tools, the first of them where there are many."""
        yield from self.warnings[:_MOST_WARNINGS]
        more = len(self.warnings) - _MOST_WARNINGS
        if more > 0:
            yield f"and {more} more warnings of CIAO's tools, in the log"

    def _private_environment(self) -> dict[str, str]:
        here = str(self.directory)
        return {
            **self._installation.environment(),
            "PFILES": f"{here}/pfiles;{self._installation.system_pfiles()}",
            "ASCDS_WORK_PATH": f"{here}/{TEMPORARY}",
            "ASCDS_TMP": f"{here}/{TEMPORARY}",
            "MPLBACKEND": "Agg",
            "PWD": here,
        }

    def _call(self, step: Call) -> None:
        logger.info(f"runs {step.shell()}")
        executable = self._installation.tool(step.tool)
        messages = Messages(step.tool)
        process = subprocess.Popen(  # noqa: S603 - a list of checked arguments, no shell
            step.argv,
            executable=executable,
            cwd=self.directory,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        reader = threading.Thread(target=_follow, args=(process.stdout, messages), daemon=True)
        reader.start()
        code = process.wait()
        # What the tool started and left behind may hold its output open: that is not waited for.
        reader.join(_LINGER)
        self.warnings = list(dict.fromkeys([*self.warnings, *messages.warnings]))
        if code or messages.errors:
            raise _failure(step.tool, code, messages)


def _follow(output: IO[bytes], messages: Messages) -> None:
    """Copy a tool's output to the task's log as it comes, and read its messages."""
    with output:
        while line := output.readline(_LONGEST_LINE):
            with suppress(OSError):  # the log's disk may be full; the tool must not be held up by that
                os.write(1, line)
            messages.read(line.decode("utf-8", "replace"))


def _failure(tool: str, code: int, messages: Messages) -> DataError | SiteError:
    said = list(messages.errors[:3])
    if any(sign in line for line in (*messages.errors, *messages.tail) for sign in _DISK_FULL):
        return SiteError(f"{tool}: the disk is full", "make room, then run again")
    told = [text.partition(": ")[2] for text in said]
    last = [line for line in messages.tail if not any(text in line for text in told)][-_SHOWN_LINES:]
    if last:
        said.append(f"its last lines: {' | '.join(last)}")
    return ToolError(f"{tool} {_ending(code)}: {'; '.join(said) or 'it printed nothing'}")


def _ending(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"failed with exit code {code}" if code else "failed, though its exit code is 0"
