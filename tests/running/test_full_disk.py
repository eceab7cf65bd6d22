"""A full disk: said as such, nothing damaged, and the next run goes on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import Answer

MOUNT = ["unshare", "--user", "--map-root-user", "--mount"]


def can_mount(directory: Path) -> bool:
    """Whether this machine lets a user mount a small file system of his own."""
    if shutil.which("unshare") is None:
        return False
    script = f"mount -t tmpfs -o size=64k tmpfs '{directory}'"
    return subprocess.run([*MOUNT, "sh", "-c", script], capture_output=True).returncode == 0


def test_a_full_disk_fails_the_task_and_keeps_the_products_there_are(tmp_path: Path) -> None:
    if not can_mount(tmp_path):
        pytest.skip("no small file system can be mounted here")
    recipe = "recipe: 1\nobservations: [99001]\narchive: [sample]\ndata: data\nproducts: small/products\n"
    (tmp_path / "recipe.yaml").write_text(recipe + "stages: {cleaned_chandra_evts: {}}\n")
    (tmp_path / "small").mkdir()
    run = f"'{sys.executable}' -m chandra_runner recipe.yaml --json"
    # The first run stops at a stage whose products do not fit; more room, and the second goes on.
    script = (
        "mount -t tmpfs -o size=1200k tmpfs small\n"
        f"{run} > first.json; echo $? > code\n"
        "mount -o remount,size=64m small\n"
        f"{run} > second.json"
    )
    done = subprocess.run(
        [*MOUNT, "sh", "-c", script],
        cwd=tmp_path,
        env={**os.environ, "MPLCONFIGDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert "Traceback" not in done.stderr
    code = int((tmp_path / "code").read_text())
    first = Answer(code, (tmp_path / "first.json").read_text(), done.stderr)
    second = Answer(done.returncode, (tmp_path / "second.json").read_text(), done.stderr)
    assert first.code == 3
    failed = [stage for (_, stage), outcome in first.outcomes.items() if outcome == "failed"]
    assert len(failed) == 1
    assert "disk is full" in first.reasons(99001, failed[0])
    assert second.code == 0
    for task, outcome in second.outcomes.items():
        assert outcome == ("up_to_date" if first.outcomes[task] == "done" else "done")
