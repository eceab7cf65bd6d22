"""What the tests share: where the reference data are."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("CHANDRA_RUNNER_SHARED", Path(__file__).parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The reference data; tests that need them skip where they are not."""
    data = SHARED / "data"
    if not data.is_dir():
        pytest.skip(f"no reference data at {data}")
    return data
