"""The quickstart recipe runs anywhere, keeps inside its directory, and the second time has nothing to do."""

from __future__ import annotations

import shutil
from pathlib import Path

from chandra_runner.resources import resource

from ..command_line import Run


def test_the_quickstart_runs_without_warnings_and_only_once(chandra_run: Run, tmp_path: Path) -> None:
    shutil.copy(resource("recipes", "quickstart.yaml"), tmp_path)
    first = chandra_run("quickstart.yaml", "--no-progress")
    assert first.code == 0, first.err
    assert "warning" not in first.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["quickstart", "quickstart.yaml"]
    plots = (tmp_path / "quickstart" / "products").glob("*/deflare/*_ltc1.png")
    assert sorted(path.name[:9] for path in plots) == ["acisf9900", "acisf9900", "hrcf99003"]
    images = (tmp_path / "quickstart" / "products").glob("*/rate_image/*_flux.img.png")
    assert len(list(images)) == 3
    second = chandra_run("quickstart.yaml", "--json")
    assert set(second.outcomes.values()) == {"up_to_date"}
