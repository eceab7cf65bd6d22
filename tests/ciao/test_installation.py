"""CIAO is found where it is, without its setup script, and its versions are known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chandra_runner.ciao.installation import Installation, find_ciao, looked_for, parse_ciaover, versions
from chandra_runner.errors import SiteError

from ..ciao_standin.fixture import Ciao
from ..ciao_standin.knobs import Way


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """No CIAO in the environment."""
    for name in ("ASCDS_INSTALL", "PFILES", "CALDB"):
        monkeypatch.delenv(name, raising=False)


def test_there_may_be_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_ciao() is None
    assert looked_for() == "no $ASCDS_INSTALL, no dmcopy on PATH, no ciao in a profile"
    monkeypatch.setenv("ASCDS_INSTALL", "/soft/gone")
    assert find_ciao() is None
    assert "no bin/dmcopy in $ASCDS_INSTALL (/soft/gone)" in looked_for()


def test_it_is_found_by_its_variable_on_path_and_by_the_profile(
    ciao: Ciao, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Installation(ciao.path)
    monkeypatch.setenv("PATH", f"{ciao.path}/bin:/usr/bin:/bin")
    assert find_ciao() == here
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert find_ciao() is None
    assert find_ciao(ciao.path) == here
    monkeypatch.setenv("ASCDS_INSTALL", str(ciao.path))
    assert find_ciao() == here


def test_a_profile_that_is_wrong_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match="there is no bin/dmcopy; correct the profile"):
        find_ciao(tmp_path)


def test_a_tool_that_was_not_installed_is_named(ciao: Ciao) -> None:
    with pytest.raises(SiteError, match="has no tool wavdetect"):
        Installation(ciao.path).tool("wavdetect")


def test_the_environment_is_made_without_the_setup_script(
    ciao: Ciao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PFILES", "/home/me/cxcds_param4;/soft/other/param")
    here = Installation(ciao.path)
    environment = here.environment()
    for name in ("ASCDS_INSTALL", "ASCDS_CONTRIB", "ASCDS_CALIB", "CALDB"):
        assert environment[name] == ciao.environment[name]
    assert environment["PATH"].split(":")[1] == f"{ciao.path}/bin"
    assert here.system_pfiles() == f"{ciao.path}/contrib/param:{ciao.path}/param"


def test_the_setup_scripts_own_environment_is_kept(ciao: Ciao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCDS_INSTALL", str(ciao.path))
    monkeypatch.setenv("CALDB", "/big/disk/CALDB")
    monkeypatch.setenv("PFILES", "/home/me/cxcds_param4;/soft/ciao/contrib/param:/soft/ciao/param")
    here = Installation(ciao.path)
    assert here.environment()["CALDB"] == "/big/disk/CALDB"
    assert here.system_pfiles() == "/soft/ciao/contrib/param:/soft/ciao/param"


def test_versions_are_in_the_files_of_ciao_install(ciao: Ciao) -> None:
    assert versions(Installation(ciao.path)) == {"CIAO": "4.16.0", "contrib": "4.16.1", "CALDB": "4.11.0"}


def test_versions_are_in_the_files_of_conda(tmp_path: Path) -> None:
    meta = tmp_path / "conda-meta"
    meta.mkdir()
    packages = {"ciao": "4.18.0", "ciao-contrib": "4.18.2", "caldb_main": "4.12.3"}
    for name, version in packages.items():
        (meta / f"{name}-{version}-py311_0.json").write_text(json.dumps({"name": name, "version": version}))
    (meta / "ciao-9-broken.json").write_text("{")
    assert versions(Installation(tmp_path)) == {"CIAO": "4.18.0", "contrib": "4.18.2", "CALDB": "4.12.3"}


def test_ciaover_is_asked_where_no_file_tells(ciao: Ciao, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "bin").symlink_to(ciao.path / "bin")
    (elsewhere / "bin" / "ciaover").unlink()
    (elsewhere / "bin" / "ciaover").write_text(
        "#!/bin/sh\n[ $1 = -v ] && printf 'The current environment is configured for:\\n"
        "  CIAO        : CIAO 4.17.0 Friday, December 06, 2024\\n  Contrib     : Package 4.17.1\\n"
        "  bindir      : /soft/ciao-4.2.1/bin\\n  CALDB       : not installed\\n'"
    )
    (elsewhere / "bin" / "ciaover").chmod(0o755)
    assert versions(Installation(elsewhere)) == {
        "CIAO": "4.17.0",
        "contrib": "4.17.1",
        "CALDB": "not installed",
    }


def test_what_nothing_tells_is_unknown(ciao: Ciao) -> None:
    for path in (ciao.path / "VERSION", ciao.path / "contrib" / "VERSION.CIAO_scripts"):
        path.unlink()
    ciao.fail("ciaover", Way.NOTHING)
    assert versions(Installation(ciao.path)) == {"CIAO": "unknown", "contrib": "unknown", "CALDB": "4.11.0"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", {}),
        ("CIAO 4.18.0\n", {"CIAO": "4.18.0"}),
        (
            "  CIAO : CIAO 4.16.0 Tuesday\n Scripts: 4.16.2\n CALDB : 4.11.0",
            {"CIAO": "4.16.0", "contrib": "4.16.2", "CALDB": "4.11.0"},
        ),
        ("CALDB: not installed", {"CALDB": "not installed"}),
        ("command not found: ciaover", {}),
    ],
)
def test_the_output_of_ciaover_is_read_leniently(text: str, found: dict[str, str]) -> None:
    assert parse_ciaover(text) == found
