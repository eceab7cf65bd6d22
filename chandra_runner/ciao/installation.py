"""The CIAO installation: its directory, versions, and the environment that its tools require."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chandra_runner.errors import ChandraRunnerError, SiteError

GET_CIAO = (
    "install it (conda create -n ciao -c https://cxc.cfa.harvard.edu/conda/ciao -c conda-forge "
    "ciao ciao-contrib caldb_main; or ciao-install, https://cxc.cfa.harvard.edu/ciao/download/), "
    "or use engine: native"
)
UNKNOWN = "unknown"
_PROBE = "dmcopy"
"""The tool whose presence identifies a CIAO installation."""
_CIAOVER_TIMEOUT = 60
"""Time that ciaover may take, s."""
_CALDB_VERSIONS = "docs/chandra/caldb_version/caldb_version.fits"


@dataclass(frozen=True)
class Installation:
    """An installed CIAO.

    Parameters
    ----------
    directory : Path
        ``$ASCDS_INSTALL``; the tools are in ``bin`` below it.
    """

    directory: Path

    def tool(self, name: str) -> Path:
        """Return the executable of a tool.

        Raises
        ------
        SiteError
            It was not found: parts of CIAO can be left out when it is installed.
        """
        found = shutil.which(name, path=self._path())
        if found is None:
            hint = "install all of CIAO, with the contributed scripts"
            raise SiteError(f"CIAO in {self.directory} has no tool {name}", hint)
        return Path(found)

    def environment(self) -> dict[str, str]:
        """Return the environment of its tools, whether or not its setup script was sourced."""
        if os.environ.get("ASCDS_INSTALL") == str(self.directory):
            return {**os.environ, "PATH": f"{self._path()}{os.pathsep}{os.environ.get('PATH', '')}"}
        here = self.directory
        caldb = here / "CALDB"
        if not caldb.is_dir():
            caldb = Path(os.environ.get("CALDB", caldb))
        own = {
            "ASCDS_INSTALL": here,
            "ASCDS_BIN": here / "bin",
            "ASCDS_LIB": here / "lib",
            "ASCDS_CONTRIB": here / "contrib",
            "ASCDS_CALIB": here / "data",
            "CALDB": caldb,
            "CALDBCONFIG": caldb / "software/tools/caldb.config",
            "CALDBALIAS": caldb / "software/tools/alias_config.fits",
            "PATH": f"{self._path()}{os.pathsep}{os.environ.get('PATH', '')}",
        }
        # PFILES may be that of another CIAO, and then leads to its parameter files.
        others = {name: value for name, value in os.environ.items() if name != "PFILES"}
        return {**others, **{name: str(value) for name, value in own.items()}}

    def system_pfiles(self) -> str:
        """Return the directories of CIAO's own parameter files: the second part of PFILES."""
        stated = self.environment().get("PFILES", "").partition(";")[2]
        return stated or f"{self.directory}/contrib/param:{self.directory}/param"

    def _path(self) -> str:
        return f"{self.directory}/contrib/bin{os.pathsep}{self.directory}/bin"


def find_ciao(stated: Path | None = None) -> Installation | None:
    """Find CIAO on this machine; return None if there is none.

    It must be where the profile says; without a profile it is searched in ``$ASCDS_INSTALL``, which
    CIAO's setup script sets, then on ``PATH``.

    Parameters
    ----------
    stated : Path, optional
        The directory that the profile states.

    Raises
    ------
    SiteError
        It is not in that directory.
    """
    if stated is not None:
        if not _is_ciao(stated):
            hint = f"correct the profile: CIAO's directory contains bin/{_PROBE}"
            raise SiteError(f"the profile says that CIAO is in {stated}, but there is no bin/{_PROBE}", hint)
        return Installation(Path(os.path.abspath(stated)))
    installed = os.environ.get("ASCDS_INSTALL", "")
    if installed and _is_ciao(Path(installed)):
        return Installation(Path(installed))
    tool = shutil.which(_PROBE)
    return Installation(Path(tool).absolute().parent.parent) if tool else None


def looked_for() -> str:
    """Return where `find_ciao` looked, for the message that CIAO was not found."""
    installed = os.environ.get("ASCDS_INSTALL", "")
    variable = f"no bin/{_PROBE} in $ASCDS_INSTALL ({installed})" if installed else "no $ASCDS_INSTALL"
    return f"{variable}, no {_PROBE} on PATH, no ciao in a profile"


@cache
def versions(installation: Installation) -> Mapping[str, str]:
    """Return the versions of CIAO, its contributed scripts (contrib) and the CALDB; ``unknown`` if not found.

    They come from files of the installation; what these do not say comes from ``ciaover -v``.
    """
    found = {name: value for name, value in _from_files(installation).items() if value}
    if len(found) < 3:
        found = _ask(installation) | found
    return {name: found.get(name, UNKNOWN) for name in ("CIAO", "contrib", "CALDB")}


def parse_ciaover(text: str) -> dict[str, str]:
    """Return the versions in the output of ``ciaover -v``, which has lines of ``name : value``."""
    found: dict[str, str] = {}
    names = {"ciao": "CIAO", "contrib": "contrib", "scripts": "contrib", "caldb": "CALDB"}
    for line in text.splitlines():
        name, colon, value = line.strip().partition(":")
        if not colon:
            name, _, value = line.strip().partition(" ")
        known = names.get(name.strip().lower().removeprefix("ciao_").removeprefix("ciao-"))
        number = _number(value)
        if known and number:
            found.setdefault(known, number)
        elif known == "CALDB" and "not installed" in value:
            found.setdefault(known, "not installed")
    return found


def _is_ciao(directory: Path) -> bool:
    return os.access(directory / "bin" / _PROBE, os.X_OK)


def _number(text: str) -> str:
    match = re.search(r"\d+(\.\d+)+", text)
    return match[0] if match else ""


def _from_files(installation: Installation) -> dict[str, str]:
    """Return versions from the files that ciao-install and conda write."""
    here = installation.directory
    caldb = Path(installation.environment().get("CALDB", here / "CALDB"))
    return {
        "CIAO": _version_file(here / "VERSION") or _conda(here, "ciao"),
        "contrib": _version_file(here / "VERSION.CIAO_scripts")
        or _version_file(here / "contrib/VERSION.CIAO_scripts")
        or _conda(here, "ciao-contrib"),
        "CALDB": _conda(here, "caldb_main") or _conda(here, "caldb") or _caldb_version(caldb),
    }


def _version_file(path: Path) -> str:
    try:
        return _number(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return ""


def _conda(directory: Path, package: str) -> str:
    """Return the version of a package in a conda environment; empty if it is not there."""
    for path in sorted((directory / "conda-meta").glob(f"{package}-[0-9]*.json")):
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
            if document["name"] == package:
                return str(document["version"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return ""


def _caldb_version(caldb: Path) -> str:
    """Return the version in the last row of the CALDB's own list."""
    path = caldb / _CALDB_VERSIONS
    if not path.is_file():
        return ""
    from chandra_runner.fits.reader import read_hdus

    try:
        rows = read_hdus(path)[1].data["CALDB_VER"]
        return _number(str(rows[-1]))
    except (ChandraRunnerError, KeyError, IndexError, TypeError):
        return ""


def _ask(installation: Installation) -> dict[str, str]:
    """Return the versions that ``ciaover -v`` prints; none if it cannot run."""
    try:
        done = subprocess.run(  # noqa: S603 - the installation's own tool
            [installation.tool("ciaover"), "-v"],
            env=installation.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_CIAOVER_TIMEOUT,
        )
    except (SiteError, OSError, subprocess.SubprocessError):
        return {}
    return parse_ciaover(done.stdout)
