"""The exported script does what it says, whatever files are called."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from chandra_runner.reporting.ciao_script import _task
from chandra_runner.stages.ciao_commands import CiaoCommands

from ..ciao_standin.samples import write_complete
from ..command_line import Run

RECIPE = (
    "recipe: 1\nobservations: [99002]\narchive: none\ndata: data\nproducts: products\nstages: {deflare: {}}\n"
)


@pytest.mark.parametrize("name", ["x$(touch PWNED)_evt1.fits.gz", "a b_evt1.fits.gz", "x[1]_evt1.fits.gz"])
def test_raw_files_with_names_that_ciao_cannot_take_are_refused(
    chandra_run: Run, tmp_path: Path, name: str
) -> None:
    raw = write_complete(99002, tmp_path / "data")
    (events,) = raw.glob("secondary/*_evt1.fits.gz")
    events.rename(events.with_name(name))
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    answer = chandra_run("export", "recipe.yaml")
    assert (answer.code, answer.out) == (1, "")
    assert f"CIAO cannot take the file name 'secondary/{name}'" in answer.err


def test_names_in_the_script_are_words_of_the_shell_and_not_commands(tmp_path: Path) -> None:
    name = "in/$(touch PWNED); x"
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "$(touch PWNED)").write_text("content")
    text = _task(1, "deflare", CiaoCommands({name: "$(touch PWNED)"}, ()), "raw")
    script = f"task() {{ :; }}\nDATA={tmp_path}\n{text}"
    subprocess.run(["bash", "-euc", script], cwd=tmp_path, check=True)
    assert (tmp_path / name).read_text() == "content"
    assert not list(tmp_path.rglob("PWNED"))
