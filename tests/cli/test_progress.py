"""What is reported while a run goes on: how far it is, how fast, and how long it will take."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from loguru import logger
from rich.console import Console
from rich.progress import Progress as Bar
from rich.progress import TextColumn

from chandra_runner.cli import progress
from chandra_runner.cli.progress import BarReporter, LineReporter
from chandra_runner.running.task_report import TaskReport
from chandra_runner.stages.outcome import Outcome, Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that stands still until a test moves it."""
    now = [1000.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def lines() -> Iterator[list[str]]:
    """What is logged."""
    logged: list[str] = []
    logger.enable("chandra_runner")
    sink = logger.add(lambda text: logged.append(text.rstrip()), format="{message}", level="INFO")
    yield logged
    logger.remove(sink)


def test_without_a_terminal_a_long_task_gets_a_line_now_and_then(
    clock: list[float], lines: list[str]
) -> None:
    reporter = LineReporter()
    reporter.started(11, "download", ["never made"])
    for second in range(100):
        clock[0] = 1000 + second
        reporter.progressed(11, "download", Progress(second * 1e6, 200e6, "B"))
    assert lines == [
        "11 download: 15 % of 200 MB (1 MB/s, 0:02:50 left)",
        "11 download: 30 % of 200 MB (1 MB/s, 0:02:20 left)",
        "11 download: 45 % of 200 MB (1 MB/s, 0:01:50 left)",
    ]


def test_a_bar_shows_all_running_tasks_with_their_progress(clock: list[float]) -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=200)
    with Bar(TextColumn("{task.completed} {task.fields[running]}"), console=console) as bars:
        reporter = BarReporter(bars, bars.add_task("", total=2, running=""))
        reporter.started(11, "download", [])
        reporter.started(12, "deflare", [])
        clock[0] += 10
        reporter.progressed(11, "download", Progress(5e3, 10e3, "B"))
        (task,) = bars.tasks
        assert task.fields["running"] == "11 download 50 % of 10 kB (500 B/s, 0:00:10 left), 12 deflare"
        reporter.ended(TaskReport(11, "download", Outcome.DONE))
        assert (task.completed, task.fields["running"]) == (1, "12 deflare")
