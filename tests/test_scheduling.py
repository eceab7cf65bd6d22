"""The files whose tests one process runs."""

from __future__ import annotations

from pathlib import Path

from .scheduling import TOGETHER


def test_files_that_one_process_runs_as_a_whole_exist() -> None:
    root = Path(__file__).parents[1]
    assert not [name for name in TOGETHER if not (root / name).is_file()]
