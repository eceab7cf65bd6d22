"""How pytest-xdist shares the tests among processes: one by one, but some files as a whole."""

from __future__ import annotations

from typing import Any

from xdist.scheduler import LoadScopeScheduling

TOGETHER = frozenset(
    {
        "tests/cli/test_find.py",
        "tests/end_to_end/test_ciao_engine.py",
        "tests/end_to_end/test_ciao_failures.py",
        "tests/end_to_end/test_end_to_end.py",
        "tests/planning/test_calibration.py",
        "tests/stages/images/test_rate_image.py",
        "tests/stages/test_deflare.py",
        "tests/synthetic/test_synthetic.py",
    }
)
"""Files with a fixture that takes long to make: one process makes it, once."""


class SharedFixtureScheduling(LoadScopeScheduling):
    """Hands out files of `TOGETHER` whole and first, other tests one by one."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid


def make_scheduler(config: Any, log: Any) -> SharedFixtureScheduling:
    """Return the scheduler of a run."""
    return SharedFixtureScheduling(config, log)
