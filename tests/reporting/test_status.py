"""``chandra-run status``: which products exist, without running or writing anything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..conftest import Answer, ProbeProject

BOTH = "stages:\n  probe: {{behave: {}}}\n  probe_reader: {{}}\n"


def status(probe: ProbeProject, *arguments: str) -> Answer:
    """``chandra-run status recipe.yaml``."""
    return probe.call("status", "recipe.yaml", *arguments, env=probe.environment)


def tasks(probe: ProbeProject) -> dict[str, dict[str, Any]]:
    """The tasks of the one observation, by stage."""
    answer = status(probe, "--json")
    assert answer.code == 0
    return {task["stage"]: task for task in answer.document["tasks"]}


def test_before_the_first_run_nothing_is_made(probe: ProbeProject) -> None:
    probe.write(BOTH.format("well"))
    assert {task["state"] for task in tasks(probe).values()} == {"not_made"}
    assert not probe.product(11, ".").parent.exists()


def test_after_a_run_all_is_up_to_date_with_when_and_by_what(probe: ProbeProject) -> None:
    probe.write(BOTH.format("well"))
    assert probe.run().code == 0
    found = tasks(probe)
    assert {task["state"] for task in found.values()} == {"up_to_date"}
    for task in found.values():
        assert task["engine"]
        assert task["started"].startswith("2")
        assert not task["failure"]


def test_a_failure_is_reported(probe: ProbeProject) -> None:
    probe.write(BOTH.format("fail"))
    assert probe.run().code == 1
    found = tasks(probe)
    assert {name: task["state"] for name, task in found.items()} == {
        "download": "up_to_date",
        "probe": "failed",
        "probe_reader": "not_made",
    }
    assert found["probe"]["failure"] == "the probe was told to fail; tell it something else"
    assert "11  probe         failed" in status(probe).out


def test_products_of_the_last_good_run_stay_beside_a_later_failure(probe: ProbeProject) -> None:
    probe.write(BOTH.format("well"))
    probe.run()
    probe.write(BOTH.format("fail"))
    probe.run()
    task = tasks(probe)["probe"]
    assert task["state"] == "out_of_date"
    assert task["reasons"] == ["setting behave: well -> fail"]
    assert task["failure"]
    assert "setting behave: well -> fail; failed since: the probe was told to fail" in status(probe).out


def test_excluded_observations_are_reported(probe: ProbeProject) -> None:
    probe.write(BOTH.format("exclude"))
    probe.run()
    found = tasks(probe)
    assert (found["probe"]["state"], found["probe_reader"]["state"]) == ("excluded", "excluded")
    assert all(task["reasons"] for task in (found["probe"], found["probe_reader"]))


def test_status_writes_nothing(probe: ProbeProject) -> None:
    probe.write(BOTH.format("well"))
    probe.run()
    (probe.product(11, "probe/count.txt")).touch()
    before = snapshot(probe.directory)
    assert status(probe).code == 0
    assert snapshot(probe.directory) == before


def test_the_last_line_counts(probe: ProbeProject) -> None:
    probe.add_data(12)
    probe.write(BOTH.format("well"), "[11, 12]")
    probe.run("--only", "11")
    assert status(probe).out.splitlines()[-1] == "6 tasks: 3 up to date, 3 not made"
    assert status(probe, "--only", "11").out.splitlines()[-1] == "3 tasks: 3 up to date"


def snapshot(directory: Path) -> dict[Path, tuple[int, int]]:
    """Size and time of all files."""
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in directory.rglob("*")}
