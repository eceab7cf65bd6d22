"""An installation of the stand-in, and what tests do with it."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from chandra_runner.ciao.installation import versions

from . import server
from .knobs import Call, Control, Way
from .messages import CIAO_VERSION, CORE
from .tables import read_tables
from .tool import TOOLS

_ROOT = Path(__file__).parents[2]
_ALONE = """import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.ciao_standin.tool import main
sys.exit(main(sys.argv[1], sys.argv[2:], Path(__file__).parents[1]))
"""
_LAUNCH = """import json, os, socket, sys
standin = os.path.dirname(__file__)
tool, arguments = sys.argv[1], sys.argv[2:]
try:
    with open(standin + "/knobs.json") as stream:
        knobs = json.load(stream)
except FileNotFoundError:
    knobs = []
if any(knob[0] == tool for knob in knobs):
    os.execv(sys.executable, [sys.executable, standin + "/alone.py", *sys.argv[1:]])
call = dict(tool=tool, arguments=arguments, directory=os.getcwd(), environment=dict(os.environ))
with socket.socket(socket.AF_UNIX) as connection:
    connection.connect({server!r})
    socket.send_fds(connection, [b"x"], [0, 1, 2])
    connection.sendall(json.dumps(call | dict(installation=os.path.dirname(standin))).encode() + b"\\n")
    code = int(connection.makefile().readline())
if code < 0:
    os.kill(os.getpid(), -code)
sys.exit(code)
"""
_CALDB_VERSIONS = ("4.10.7", "4.11.0")


@dataclass(frozen=True)
class Ciao:
    """An installation.

    Parameters
    ----------
    path : Path
        Where it is, ``$ASCDS_INSTALL``.
    environment : Mapping
        What CIAO's setup script sets.
    """

    path: Path
    environment: Mapping[str, str]

    @property
    def _control(self) -> Control:
        return Control(self.path / "standin")

    @property
    def calls(self) -> list[Call]:
        """All calls of tools so far, but for questions about the version."""
        return [call for call in self._control.calls() if call.tool != "ciaover"]

    @property
    def hanging(self) -> list[int]:
        """Ids of the processes that hang, or did."""
        return self._control.hanging()

    def fail(self, tool: str, way: Way, matching: str = "") -> None:
        """Let a tool fail from now on, where one of its arguments has a text in it."""
        self._control.set(tool, way, matching)

    def mend(self, tool: str) -> None:
        """Let a tool work again."""
        self._control.set(tool, None, "")

    def run(
        self, tool: str, *arguments: str, cwd: Path, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Call a tool as a person would."""
        return subprocess.run(
            [self.path / "bin" / tool, *arguments],
            cwd=cwd,
            env={**os.environ, **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
        )


@pytest.fixture(scope="session")
def ciao_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where CIAO is installed: the same for all tests, so that they have the same environment."""
    return tmp_path_factory.getbasetemp() / "ciao-4.16"


@pytest.fixture
def ciao(ciao_path: Path) -> Iterator[Ciao]:
    """A stand-in for CIAO, installed anew for each test; its tools do not outlive the test."""
    installation = install(ciao_path)
    yield installation
    for pid in installation.hanging:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def install(path: Path) -> Ciao:
    """Write an installation into a directory, in the place of one that may be there."""
    shutil.rmtree(path, ignore_errors=True)
    versions.cache_clear()
    for folder in ("bin", "param", "contrib/param", "standin", "data", "home/cxcds_param4", "work"):
        (path / folder).mkdir(parents=True)
    (path / "VERSION").write_text(f"CIAO {CIAO_VERSION} Tuesday, December 05, 2023\n")
    (path / "contrib" / "VERSION.CIAO_scripts").write_text("scripts 4.16.1 Tuesday, May 07, 2024\n")
    (path / "data" / "cxo.mdb").touch()
    (path / "standin" / "alone.py").write_text(_ALONE.format(root=str(_ROOT)))
    (path / "standin" / "launch.py").write_text(_LAUNCH.format(server=str(server.start())))
    tables = read_tables()
    for tool in (*TOOLS, "ciaover"):
        _write_launcher(path, tool)
    for tool in TOOLS:
        parameters = path / ("param" if tool in CORE else "contrib/param")
        tables[tool].write(parameters / f"{tool}.par", tables[tool].defaults())
    _write_caldb(path / "CALDB")
    return Ciao(path, _environment(path))


def _write_launcher(path: Path, tool: str) -> None:
    command = shlex.join([sys.executable, "-S", str(path / "standin" / "launch.py"), tool])
    launcher = path / "bin" / tool
    launcher.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    launcher.chmod(0o755)


def _write_caldb(path: Path) -> None:
    from astropy.io import fits

    directory = path / "docs" / "chandra" / "caldb_version"
    directory.mkdir(parents=True)
    column = fits.Column("CALDB_VER", "20A", array=_CALDB_VERSIONS)
    fits.BinTableHDU.from_columns([column], name="CALDBVER").writeto(directory / "caldb_version.fits")


def _environment(path: Path) -> dict[str, str]:
    return {
        "PATH": f"{path / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "ASCDS_INSTALL": str(path),
        "ASCDS_CONTRIB": str(path / "contrib"),
        "ASCDS_CALIB": str(path / "data"),
        "ASCDS_WORK_PATH": str(path / "work"),
        "CALDB": str(path / "CALDB"),
        "PFILES": f"{path / 'home' / 'cxcds_param4'};{path / 'contrib' / 'param'}:{path / 'param'}",
    }
