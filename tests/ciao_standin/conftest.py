"""Calls of the stand-in within the test's own process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from .fixture import Ciao
from .samples import write_complete
from .tool import main


@dataclass(frozen=True)
class Said:
    """What a tool answered."""

    code: int
    out: str
    err: str


Tool = Callable[..., Said]


@pytest.fixture
def tool(
    ciao: Ciao, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tool:
    """Calls a tool in an empty directory, in CIAO's environment but for what is given."""
    monkeypatch.chdir(tmp_path)
    for name, value in ciao.environment.items():
        monkeypatch.setenv(name, value)

    def call(name: str, *arguments: str, **environment: str) -> Said:
        for variable, value in environment.items():
            monkeypatch.setenv(variable, value)
        code = main(name, arguments, ciao.path)
        said = capsys.readouterr()
        return Said(code, said.out, said.err)

    return call


@pytest.fixture(scope="session")
def synthetic(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int], Path]:
    """Gives a synthetic ObsID, which nobody must write into."""
    directory = tmp_path_factory.mktemp("synthetic")

    def obsid_directory(obsid: int) -> Path:
        target = directory / str(obsid)
        return target if target.exists() else write_complete(obsid, directory)

    return obsid_directory
