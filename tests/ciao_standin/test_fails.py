"""The stand-in fails as it is told to, in the ways of CIAO's tools."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from ..event_files import write_events
from .conftest import Tool
from .fixture import Ciao
from .knobs import Way

_DMCOPY = ("infile=in.fits", "outfile=out.fits", "clobber=yes", "mode=h")


@pytest.fixture
def whole(tool: Tool, tmp_path: Path) -> int:
    """Size of what dmcopy makes of in.fits when nothing fails."""
    write_events(tmp_path / "in.fits")
    assert tool("dmcopy", *_DMCOPY).code == 0
    size = Path("out.fits").stat().st_size
    Path("out.fits").unlink()
    return size


def test_nothing_made_and_no_word(tool: Tool, ciao: Ciao, whole: int) -> None:
    ciao.fail("dmcopy", Way.NOTHING)
    said = tool("dmcopy", *_DMCOPY)
    assert (said.code, said.err, Path("out.fits").exists()) == (0, "", False)


def test_an_error_line_before_success(tool: Tool, ciao: Ciao, whole: int) -> None:
    ciao.fail("dmcopy", Way.ERROR_EXIT_0)
    said = tool("dmcopy", *_DMCOPY)
    assert (said.code, Path("out.fits").stat().st_size) == (0, whole)
    assert said.err.startswith("# dmcopy (CIAO 4.16.0): dsOPENFILEFERR -- ERROR: Could not open file")


def test_an_error(tool: Tool, ciao: Ciao, whole: int) -> None:
    ciao.fail("dmcopy", Way.ERROR)
    said = tool("dmcopy", *_DMCOPY)
    assert (said.code, Path("out.fits").exists(), "ERROR" in said.err) == (1, False, True)


def test_half_a_file(tool: Tool, ciao: Ciao, whole: int) -> None:
    ciao.fail("dmcopy", Way.HALF)
    said = tool("dmcopy", *_DMCOPY)
    assert (said.code, said.err, Path("out.fits").stat().st_size) == (0, "", whole // 2)


def test_a_full_disk(tool: Tool, ciao: Ciao, whole: int) -> None:
    ciao.fail("dmcopy", Way.FULL_DISK)
    said = tool("dmcopy", *_DMCOPY)
    assert (said.code, "No space left on device" in said.err) == (1, True)
    assert Path("out.fits").stat().st_size < whole


@pytest.mark.parametrize(("way", "text"), [(Way.TRACEBACK, "Traceback"), (Way.WARNINGS, "WARNING: row 499")])
def test_noise_that_does_no_harm(tool: Tool, ciao: Ciao, whole: int, way: Way, text: str) -> None:
    ciao.fail("dmcopy", way)
    said = tool("dmcopy", *_DMCOPY)
    assert (said.code, text in said.err, Path("out.fits").stat().st_size) == (0, True, whole)


def test_a_crash(ciao: Ciao, whole: int, tmp_path: Path) -> None:
    ciao.fail("dmcopy", Way.CRASH)
    done = ciao.run("dmcopy", *_DMCOPY, cwd=tmp_path)
    assert done.returncode == -signal.SIGSEGV
    assert (tmp_path / "out.fits").stat().st_size < whole


def test_a_hang_with_children_of_children(ciao: Ciao, whole: int, tmp_path: Path) -> None:
    ciao.fail("dmcopy", Way.HANG)
    environment = {**os.environ, **ciao.environment}
    hung = subprocess.Popen(
        [ciao.path / "bin" / "dmcopy", *_DMCOPY], cwd=tmp_path, env=environment, start_new_session=True
    )
    try:
        _wait_until(lambda: len(ciao.hanging) == 3)
        assert hung.poll() is None
        assert {os.getpgid(pid) for pid in ciao.hanging} == {hung.pid}
        os.killpg(hung.pid, signal.SIGTERM)
        hung.wait(30)
        _wait_until(lambda: sum(map(_lives, ciao.hanging)) == 1)
    finally:
        os.killpg(hung.pid, signal.SIGKILL)
        hung.wait(30)
    _wait_until(lambda: not any(_lives(pid) for pid in ciao.hanging))


def test_only_of_the_calls_that_are_meant(tool: Tool, ciao: Ciao, whole: int) -> None:
    ciao.fail("dmcopy", Way.ERROR, matching="outfile=second")
    assert tool("dmcopy", *_DMCOPY).code == 0
    assert tool("dmcopy", "infile=in.fits", "outfile=second.fits", "mode=h").code == 1
    ciao.mend("dmcopy")
    assert tool("dmcopy", "infile=in.fits", "outfile=second.fits", "mode=h").code == 0


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    """Whether a process runs; one that ended and was not asked for is no more than an entry."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False
