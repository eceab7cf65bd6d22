"""Running CIAO tools for one task, isolated from other tasks."""

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
from .tool_output import ToolOutput

TEMPORARY = "temporary"
"""Directory for the temporary files of tools."""
_PLAIN = re.compile(r"[A-Za-z0-9_./~+-]+")
"""Paths that no CIAO tool mistakes for a filter, a list of files or two words."""
_MOST_WARNINGS = 20
_OUTPUT_GRACE = 2.0
"""Time to wait for the output of processes that a tool left running, s."""
_DISK_FULL = ("No space left on device", "Disk quota exceeded")
_SHOWN_LINES = 4
_LONGEST_LINE = 1 << 16


def accepts_path(path: str) -> bool:
    """Return whether CIAO's tools take a path as it is: no blanks, brackets or characters of the shell."""
    return _PLAIN.fullmatch(path) is not None


class ToolError(DataError):
    """A tool failed; the message contains what it printed about that."""


@contextmanager
def workplace(scratch: Path) -> Iterator[Path]:
    """Yield a directory whose path CIAO tools accept, whatever the user's directories are called.

    Usually it is in the task's scratch directory. If that has blanks or brackets in its path, it is a
    temporary directory elsewhere; a link in the scratch directory leads to it, so that whoever removes
    the scratch directory, perhaps after a crash, can remove it too.

    Raises
    ------
    SiteError
        The path of the temporary directory has such characters, too.
    """
    inside = Path(os.path.realpath(scratch)) / "work"
    if accepts_path(str(inside)):
        inside.mkdir()
        try:
            yield inside
        finally:
            shutil.rmtree(inside, ignore_errors=True)
        return
    parent = os.path.realpath(tempfile.gettempdir())
    if not accepts_path(parent):
        raise SiteError(
            f"CIAO cannot work in {scratch} or in {parent}: both have blanks or special characters",
            "set TMPDIR to a directory without them",
        )
    outside, link = Path(tempfile.mkdtemp(prefix=EXTERNAL_PREFIX, dir=parent)), scratch / EXTERNAL_LINK
    try:
        link.symlink_to(outside)
        logger.info(f"CIAO does not accept the path of the products directory; working in {outside}")
        yield outside
    finally:
        shutil.rmtree(outside, ignore_errors=True)
        link.unlink(missing_ok=True)


class Session:
    """One directory in which tools run, with its own parameter files and temporary files.

    Parameters
    ----------
    directory : Path
        The directory, from `workplace`; all file names in calls are relative to it.
    installation : Installation
        The CIAO installation.
    """

    def __init__(self, directory: Path, installation: Installation) -> None:
        self.directory = directory
        self.warnings: list[str] = []
        self._installation = installation
        for name in ("pfiles", TEMPORARY):
            (directory / name).mkdir()
        self._environment = self._private_environment()

    def place(self, inputs: Mapping[str, Path]) -> None:
        """Put input files into the directory: compressed ones uncompressed, others as links.

        Parameters
        ----------
        inputs : Mapping of str to Path
            The files, by their names in the directory.

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
        """Run steps one after the other.

        Raises
        ------
        ToolError
            A tool failed, by its exit code or by what it printed.
        SiteError
            A tool was not found, or the disk is full.
        """
        for step in steps:
            match step:
                case ListFile():
                    (self.directory / step.name).write_text(step.text, encoding="ascii")
                case Call():
                    self._call(step)

    def made(self, name: str, tool: str) -> Path:
        """Return the path of a file that a tool should have made.

        Raises
        ------
        ToolError
            The file is missing or empty, although the tool reported success.
        """
        path = self.directory / name
        if not path.is_file():
            raise ToolError(f"{tool} returned success but did not create {name}")
        if path.stat().st_size == 0:
            raise ToolError(f"{tool} returned success but {name} is empty", "see its output in the log")
        return path

    def reported_warnings(self) -> Iterator[str]:
        """Yield the warnings of all tools; only the first of many."""
        yield from self.warnings[:_MOST_WARNINGS]
        more = len(self.warnings) - _MOST_WARNINGS
        if more > 0:
            yield f"and {more} more warnings from CIAO tools, see the log"

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
        logger.info(f"running {step.shell()}")
        executable = self._installation.tool(step.tool)
        messages = ToolOutput(step.tool)
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
        # A process that the tool left running may keep the pipe open: do not wait for it.
        reader.join(_OUTPUT_GRACE)
        self.warnings = list(dict.fromkeys([*self.warnings, *messages.warnings]))
        if code or messages.errors:
            raise _failure(step.tool, code, messages)


def _follow(output: IO[bytes], messages: ToolOutput) -> None:
    """Copy a tool's output to the task's log as it is printed, and collect its messages."""
    with output:
        while line := output.readline(_LONGEST_LINE):
            with suppress(OSError):  # a full disk of the log must not stop the tool
                os.write(1, line)
            messages.read(line.decode("utf-8", "replace"))


def _failure(tool: str, code: int, messages: ToolOutput) -> DataError | SiteError:
    parts = list(messages.errors[:3])
    if any(sign in line for line in (*messages.errors, *messages.tail) for sign in _DISK_FULL):
        return SiteError(f"{tool}: the disk is full", "make room, then run again")
    texts = [text.partition(": ")[2] for text in parts]
    last = [line for line in messages.tail if not any(text in line for text in texts)][-_SHOWN_LINES:]
    if last:
        parts.append(f"its last lines: {' | '.join(last)}")
    return ToolError(f"{tool} {_ending(code)}: {'; '.join(parts) or 'it printed nothing'}")


def _ending(code: int) -> str:
    if code < 0:
        return f"was killed by {signal.Signals(-code).name}"
    return f"failed with exit code {code}" if code else "failed, though its exit code is 0"
