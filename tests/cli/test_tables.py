"""Tables: aligned for people, one line a row for programs, wrapped for terminals."""

from __future__ import annotations

from chandra_runner.cli.commands.plan import plan_text
from chandra_runner.cli.commands.run import run_summary
from chandra_runner.cli.commands.status import status_text
from chandra_runner.cli.tables import Column, count_tasks, render_table
from chandra_runner.planning.decisions import Action, Decision
from chandra_runner.planning.fingerprint import FingerprintParts
from chandra_runner.reporting.status import State, TaskState
from chandra_runner.running.task_report import TaskReport
from chandra_runner.stages.outcome import Outcome

COLUMNS = (Column(right=True), Column(), Column())
LONG = "setting allowed_sigma: 3 -> 2.5; setting time_bin_size: 200 s -> 100 s; input events changed"


def test_columns_are_as_wide_as_their_widest_cells() -> None:
    assert render_table(COLUMNS, [("7", "probe", "dim"), ("12345", "probe_reader", "")]) == [
        "    7  probe         dim",
        "12345  probe_reader",
    ]


def test_titles_are_a_row_where_there_are_any() -> None:
    columns = (Column("ObsID", right=True), Column("target"), Column())
    assert render_table(columns, [("7", "Vega", "")]) == ["ObsID  target", "    7  Vega"]


def test_a_table_without_rows_is_nothing() -> None:
    assert render_table(COLUMNS, []) == []


def test_the_last_column_is_wrapped_below_itself_and_no_line_is_too_long() -> None:
    lines = render_table(COLUMNS, [("7", "deflare", LONG), ("12", "rate_image", "forced")], width=60)
    first, second = lines
    assert first.splitlines() == [
        " 7  deflare     setting allowed_sigma: 3 -> 2.5; setting",
        "                time_bin_size: 200 s -> 100 s; input events",
        "                changed",
    ]
    assert second == "12  rate_image  forced"


def test_rows_stay_single_lines_where_there_is_no_terminal_or_no_room() -> None:
    for width in (None, 20):
        (line,) = render_table(COLUMNS, [("7", "deflare", LONG)], width=width)
        assert line == f"7  deflare  {LONG}"


def test_counts_are_in_the_order_of_the_enum() -> None:
    values = [Outcome.TIMED_OUT, Outcome.DONE, Outcome.TIMED_OUT]
    assert count_tasks(values) == "3 tasks: 1 done, 2 timed out"


def test_commands_are_shown_below_the_tasks_that_run_only() -> None:
    parts = FingerprintParts("deflare", 1, "ciao", {}, {})
    decisions = [
        Decision(7, "download", Action.UP_TO_DATE, (), parts),
        Decision(7, "deflare", Action.RUN, ("never made",), parts),
    ]
    commands = {(7, "download"): "curl x", (7, "deflare"): "dmextract a\ndeflare b"}
    assert plan_text(decisions, commands).splitlines() == [
        "7  download  up to date",
        "7  deflare   run         never made",
        "        dmextract a",
        "        deflare b",
        "2 tasks: 1 run, 1 up to date",
    ]


def test_a_run_that_did_nothing_says_so(tmp_path) -> None:
    reports = [TaskReport(7, "download", Outcome.UP_TO_DATE), TaskReport(7, "deflare", Outcome.EXCLUDED)]
    assert run_summary(reports, tmp_path) == "nothing to do: 1 task up to date, 1 excluded"
    reports.append(TaskReport(8, "download", Outcome.FAILED))
    assert run_summary(reports, tmp_path).splitlines() == [
        "3 tasks: 1 up to date, 1 failed, 1 excluded",
        f"products: {tmp_path}",
    ]


def test_the_status_counts_warnings() -> None:
    common = {"engine": "native", "started": "2026-01-02T03:04:05+00:00"}
    table = status_text(
        [
            TaskState(7, "probe", State.UP_TO_DATE, warnings=("dim",), **common),
            TaskState(12, "reader", State.OUT_OF_DATE, ("forced",), warnings=("dim", "dark"), **common),
        ]
    )
    assert table.splitlines() == [
        " 7  probe   up to date   native  2026-01-02 03:04  1 warning",
        "12  reader  out of date  native  2026-01-02 03:04  2 warnings; forced",
        "2 tasks: 1 up to date, 1 out of date",
    ]
