"""However a task ends, the run says so, goes on with the others, and loses no data."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

from chandra_runner.planning.decisions import Decision
from chandra_runner.planning.manifest import read_manifest
from chandra_runner.running import task_process
from chandra_runner.running.observation_run import ObservationRun

from ..command_line import Run
from ..conftest import ProbeProject
from ..processes import has_ended, wait_until_ended

BOTH = "stages:\n  probe: {{behave: {}}}\n  probe_reader: {{}}\n"


def wait_for(path: Path) -> None:
    """Wait until another process has made a file."""
    for _ in range(6000):
        if path.exists():
            return
        time.sleep(0.01)
    raise AssertionError(f"{path} was never made")


@pytest.mark.parametrize(
    ("behave", "code", "reason"),
    [
        ("fail", 1, "the probe was told to fail; tell it something else"),
        ("bug", 1, "ZeroDivisionError: nobody thought of this"),
        ("crash", 1, "killed by SIGSEGV"),
        ("no_product", 1, "the product count.txt (count) was not made"),
        ("empty_product", 1, "the product count.txt (count) is empty"),
        ("half_product", 1, "count.fits is truncated: it ends within a header"),
        ("disk_full", 3, "the disk is full"),
        ("memory", 3, "out of memory"),
    ],
)
def test_a_failure_is_reported_blocks_what_needs_it_and_leaves_no_products(
    probe: ProbeProject, behave: str, code: int, reason: str
) -> None:
    probe.write(BOTH.format(behave))
    answer = probe.run("--json")
    assert answer.code == code
    assert answer.outcomes == {
        (11, "download"): "done",
        (11, "probe"): "failed",
        (11, "probe_reader"): "blocked",
    }
    assert reason in answer.reasons(11, "probe")
    assert answer.reasons(11, "probe_reader") == "probe failed"
    assert not probe.product(11, "probe").exists()
    assert "the probe says hello" in probe.product(11, "probe.log").read_text()
    assert f"failed last time: {answer.reasons(11, 'probe')}" in probe.plan().reasons(11, "probe")


def test_a_failed_rerun_keeps_the_products_of_the_last_good_run(probe: ProbeProject) -> None:
    probe.write(BOTH.format("well"))
    assert probe.run().code == 0
    good = probe.product(11, "probe/count.txt").read_bytes()
    probe.write(BOTH.format("crash"))
    assert probe.run().code == 1
    assert probe.product(11, "probe/count.txt").read_bytes() == good
    probe.write(BOTH.format("well"))
    answer = probe.run("--json")
    assert set(answer.document["counts"]) == {"up_to_date"}


def test_files_of_the_user_stay_when_products_are_made_again(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    probe.run()
    directory = probe.product(11, "probe")
    (directory / "notes").mkdir()
    (directory / "notes" / "source.reg").write_text("circle(4096,4096,20)")
    (directory / "link.reg").symlink_to("notes/source.reg")
    probe.write("stages:\n  probe: {label: other}\n")
    said = "keeps link.reg, which it did not make; keeps notes/source.reg, which it did not make"
    assert said in probe.plan().reasons(11, "probe")
    assert said in probe.run("--json").reasons(11, "probe")
    assert "other" in (directory / "count.txt").read_text()
    assert (directory / "link.reg").readlink() == Path("notes/source.reg")
    assert (directory / "link.reg").read_text() == "circle(4096,4096,20)"
    assert probe.run("--json").outcomes[11, "probe"] == "up_to_date"


@pytest.mark.parametrize("name", ["11", ".chandra-run/scratch", ".chandra-run/aside"])
def test_links_in_the_place_of_directories_of_products_are_refused(probe: ProbeProject, name: str) -> None:
    elsewhere = probe.directory / "elsewhere"
    (elsewhere / "11").mkdir(parents=True)
    (elsewhere / "11" / "precious").touch()
    link = probe.directory / "products" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(elsewhere)
    probe.write("stages:\n  probe: {}\n")
    answer = probe.run("--json")
    assert answer.code == 3
    assert f"{link} is a link" in answer.reasons(11, "download")
    assert [path.name for path in elsewhere.rglob("*")] == ["11", "precious"]


def test_a_bug_puts_its_traceback_into_the_log_only(probe: ProbeProject) -> None:
    probe.write(BOTH.format("bug"))
    answer = probe.run()
    assert "Traceback" in probe.product(11, "probe.log").read_text()
    assert str(probe.product(11, "probe.log")) in answer.err


def test_excluded_is_not_a_failure_and_excludes_what_comes_after(probe: ProbeProject) -> None:
    probe.write(BOTH.format("exclude"))
    for _ in range(2):
        answer = probe.run("--json")
        assert answer.code == 0
        assert answer.outcomes[11, "probe"] == answer.outcomes[11, "probe_reader"] == "excluded"
        assert answer.reasons(11, "probe_reader") == "the probe was told to find nothing"
    manifest = read_manifest(probe.product(11, "probe_reader"))
    assert manifest is not None
    assert (manifest.outcome, manifest.outputs) == ("excluded", ())


def test_an_exclusion_takes_the_place_of_older_products_and_can_end_again(probe: ProbeProject) -> None:
    probe.write(BOTH.format("well"))
    probe.run()
    probe.write(BOTH.format("exclude"))
    probe.run()
    assert [path.name for path in probe.product(11, "probe_reader").iterdir()] == ["manifest.json"]
    probe.write(BOTH.format("well"))
    assert probe.run("--json").outcomes[11, "probe_reader"] == "done"


@pytest.mark.parametrize("behave", ["hang", "hang_with_child"])
def test_a_task_that_takes_too_long_is_ended_with_all_its_processes(
    probe: ProbeProject, behave: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_process, "GRACE", 0.5)
    probe.write(f"stages:\n  probe: {{behave: {behave}, timeout: 2 s}}\n")
    answer = probe.run("--json")
    assert answer.code == 1
    assert answer.outcomes[11, "probe"] == "timed_out"
    assert "timeout of 2 s" in answer.reasons(11, "probe")
    if behave == "hang_with_child":
        child = int((probe.directory / "data" / "child.pid").read_text())
        assert has_ended(child)


def test_one_failure_stops_only_its_own_observation(probe: ProbeProject) -> None:
    probe.add_data(12, 13)
    probe.write(
        "stages:\n  probe_reader: {}\nper_observation:\n  12: {probe: {behave: fail}}\n", "[11, 12, 13]"
    )
    answer = probe.run("--json", "--cores", "2")
    assert answer.code == 1
    assert answer.document["counts"] == {"done": 7, "failed": 1, "blocked": 1}


def test_fail_fast_starts_nothing_more_after_the_first_failure(probe: ProbeProject) -> None:
    probe.add_data(12)
    probe.write("stages:\n  probe_reader: {}\nper_observation:\n  11: {probe: {behave: fail}}\n", "[11, 12]")
    answer = probe.run("--json", "--cores", "1", "--fail-fast")
    assert answer.code == 1
    assert answer.outcomes[12, "probe"] == "interrupted"
    assert answer.reasons(12, "probe") == "stopped by --fail-fast"


def test_an_obsid_without_data_fails_and_the_others_go_on(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n", "[11, 99]")
    answer = probe.run("--json")
    assert answer.code == 1
    assert answer.outcomes[99, "download"] == "failed"
    assert "99" in answer.reasons(99, "download")
    assert answer.outcomes[11, "probe"] == "done"


def test_products_that_cannot_be_written_are_the_environments_fault(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    (probe.directory / "products").write_text("a file where the directory should be")
    answer = probe.run()
    assert answer.code == 3
    assert "products" in answer.err


def test_a_temporary_directory_with_too_long_a_path_is_named(
    probe: ProbeProject, chandra_run_process: Run
) -> None:
    probe.write("stages:\n  probe: {}\n")
    long = probe.directory / ("long" * 30)
    long.mkdir()
    answer = chandra_run_process("recipe.yaml", "--json", env={**probe.environment, "TMPDIR": str(long)})
    assert answer.code == 3
    assert "set TMPDIR to a shorter one" in answer.reasons(11, "download")


@contextmanager
def start(probe: ProbeProject, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A run in the background; it does not outlive the test."""
    running = subprocess.Popen(
        [sys.executable, "-m", "chandra_runner", "recipe.yaml", *arguments],
        cwd=probe.directory,
        env={**os.environ, **probe.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Tests that a shell runs in the background inherit that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        # As a terminal's foreground job, whose processes all get Ctrl-C.
        process_group=0,
    )
    try:
        yield running
    finally:
        running.kill()
        running.communicate()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_running_task_and_the_next_run_goes_on(
    probe: ProbeProject, how: signal.Signals
) -> None:
    probe.write("stages:\n  probe: {behave: linger}\n  probe_reader: {}\n")
    lingers = probe.directory / "data" / "lingers"
    with start(probe, "--json") as first:
        wait_for(lingers)
        first.send_signal(how)
        out, err = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "Traceback" not in err
    outcomes = {task["stage"]: task["outcome"] for task in json.loads(out)["tasks"]}
    assert outcomes == {"download": "done", "probe": "interrupted", "probe_reader": "interrupted"}
    lingers.unlink()
    probe.write("stages:\n  probe: {}\n  probe_reader: {}\n")
    answer = probe.run("--json")
    assert answer.document["counts"] == {"up_to_date": 1, "done": 2}


def test_ctrl_c_while_the_first_task_is_started_is_an_interruption(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {behave: linger}\n")
    with start(probe, "--json") as run:
        while not any("forkserver" in " ".join(p.cmdline()) for p in psutil.Process(run.pid).children()):
            time.sleep(0.001)
        os.killpg(run.pid, signal.SIGINT)
        out, err = run.communicate(timeout=60)
    assert run.returncode == 130
    assert "Traceback" not in err
    outcomes = {task["stage"]: task["outcome"] for task in json.loads(out)["tasks"]}
    assert outcomes == {"download": "interrupted", "probe": "interrupted"}, out


def test_ctrl_c_before_anything_runs_is_an_interruption(
    probe: ProbeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe.write("stages:\n  probe: {}\n")
    probe.run()

    run = ObservationRun.run

    def interrupt_and_run(self: ObservationRun) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        while not self._resources.stop.requested:
            time.sleep(0.001)
        run(self)

    monkeypatch.setattr(ObservationRun, "run", interrupt_and_run)
    answer = probe.run()
    assert answer.code == 130
    assert "2 tasks: 2 interrupted" in answer.out


def test_an_unexpected_error_in_one_observation_ends_only_that_one(
    probe: ProbeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    probe.add_data(12)
    probe.write("stages:\n  probe: {}\n", observations="[11, 12]")
    make_task = ObservationRun._make_task

    def fail_for_one(self: ObservationRun, decision: Decision, work: Path) -> Any:
        if decision.observation == 11:
            raise UnicodeEncodeError("utf-8", "\udcff", 0, 1, "surrogates not allowed")
        return make_task(self, decision, work)

    monkeypatch.setattr(ObservationRun, "_make_task", fail_for_one)
    answer = probe.run("--json")
    assert answer.code == 1
    assert answer.outcomes == {
        (11, "download"): "failed",
        (11, "probe"): "blocked",
        (12, "download"): "done",
        (12, "probe"): "done",
    }
    assert "UnicodeEncodeError" in answer.reasons(11, "download")


def test_a_time_limit_may_be_longer_than_the_system_can_wait(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {timeout: 30 d}\n")
    assert probe.run("--json").outcomes[11, "probe"] == "done"


def test_a_killed_run_leaves_nothing_running_and_the_next_run_takes_over(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {behave: hang_with_child}\n")
    with start(probe) as first:
        wait_for(probe.directory / "data" / "child.pid")
        first.kill()
    child = int((probe.directory / "data" / "child.pid").read_text())
    wait_until_ended([child])
    assert list((probe.directory / "products" / ".chandra-run" / "locks").iterdir())
    probe.write("stages:\n  probe: {}\n")
    assert probe.run("--json").outcomes[11, "probe"] == "done"
    assert not list((probe.directory / "products" / ".chandra-run" / "scratch").iterdir())


def test_a_run_that_meets_a_live_one_says_who_it_is_and_goes_on_with_the_others(
    probe: ProbeProject,
) -> None:
    probe.add_data(12)
    probe.write("stages:\n  probe: {behave: linger}\n")
    lingers = probe.directory / "data" / "lingers"
    with start(probe, "--only", "11") as first:
        wait_for(lingers)
        probe.write("stages:\n  probe: {}\n", "[11, 12]")
        answer = probe.run("--json")
        assert answer.code == 3
        assert answer.outcomes[12, "probe"] == "done"
        assert answer.outcomes[11, "probe"] == "blocked"
        assert f"locked by process {first.pid}" in answer.reasons(11, "probe")
        lingers.unlink()
        assert first.wait(60) == 0
