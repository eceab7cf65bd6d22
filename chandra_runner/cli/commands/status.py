"""``chandra-run status RECIPE``: show which products exist, when they were made, and what failed."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from chandra_runner.cli.options import Subparsers, add_command, add_json_option, add_recipe_options
from chandra_runner.cli.tables import Column, count_tasks, counted, render_table, words
from chandra_runner.errors import ExitCode

if TYPE_CHECKING:
    from chandra_runner.reporting.status import TaskState


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    summary = "show which products exist, when they were made, and what failed; writes nothing"
    parser = add_command(subparsers, "status", summary, execute)
    add_recipe_options(parser)
    add_json_option(parser)


def execute(options: argparse.Namespace) -> ExitCode:
    """Print the state of every task."""
    from chandra_runner.cli.json_output import status_json
    from chandra_runner.cli.project import Project
    from chandra_runner.planning.plan import make_plan
    from chandra_runner.reporting.status import task_states

    project = Project(options)
    ciao = project.find_ciao()
    states = list(task_states(make_plan(project.load_recipe(has_ciao=ciao is not None), ciao=ciao)))
    print(status_json(states) if options.json else status_text(states))
    return ExitCode.OK


def status_text(states: Sequence[TaskState]) -> str:
    """Return a line for each task, and the counts."""
    columns = (Column(right=True), *[Column()] * 5)
    rows = [
        (
            str(task.observation),
            task.stage,
            words(task.state),
            task.engine,
            task.started[:16].replace("T", " "),
            _remarks(task),
        )
        for task in states
    ]
    return "\n".join([*render_table(columns, rows), count_tasks([task.state for task in states])])


def _remarks(task: TaskState) -> str:
    """Return what the columns of a task do not say: warnings, reasons, failures."""
    from chandra_runner.reporting.status import State

    remarks = [counted(len(task.warnings), "warning")] if task.warnings else []
    if task.state in (State.EXCLUDED, State.OUT_OF_DATE):
        remarks += task.reasons
    if task.failure:
        remarks.append(task.failure if task.state is State.FAILED else f"failed since: {task.failure}")
    return "; ".join(remarks)
