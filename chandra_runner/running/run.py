"""Running a plan: several ObsIDs at the same time, the stages of each in order."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from pathlib import Path

from chandra_runner.errors import ExitCode, SiteError
from chandra_runner.planning.plan import Plan
from chandra_runner.storage.locks import Locks
from chandra_runner.storage.state_directory import state_directory

from .observation_run import ObservationRun, Runner, RunResources
from .task_process import Stop, preload, run_in_process
from .task_report import Reporter, SilentReporter, TaskReport


def run_plan(
    plan: Plan,
    reporter: Reporter | None = None,
    *,
    cores: int = 1,
    fail_fast: bool = False,
    runner: Runner = run_in_process,
    stop: Stop | None = None,
) -> list[TaskReport]:
    """Run every task that is not up to date: several ObsIDs at the same time, the stages of each in order.

    Parameters
    ----------
    plan : Plan
        The plan.
    reporter : Reporter
        Called as tasks start, progress and end; by default nothing is reported.
    cores : int
        Number of cores to use in all.
    fail_fast : bool
        Whether to start no more tasks after the first failure.
    runner : callable
        Runs one task; by default in a process of its own.
    stop : Stop
        Ends the run early when it is requested; Ctrl-C requests it.

    Returns
    -------
    list of TaskReport
        One for each task, ordered by observation and stage.

    Raises
    ------
    SiteError
        The products directory cannot be written to.
    """
    observations = plan.recipe.observations
    lanes = min(cores, len(observations))
    share = cores_of_task(cores, len(observations))
    state = _prepare(plan.recipe.products)
    preload(plan.engines)
    stop = stop or Stop()
    with Locks(state / "locks") as locks, ThreadPoolExecutor(lanes) as pool:
        resources = RunResources(
            plan=plan,
            locks=locks,
            stop=stop,
            reporter=reporter or SilentReporter(),
            runner=runner,
            cores=share,
            fail_fast=fail_fast,
        )
        runs = [ObservationRun(obsid, resources) for obsid in observations]
        _drive(runs, pool, stop)
    return [report for observation_run in runs for report in observation_run.reports]


def cores_of_task(cores: int, observations: int) -> int:
    """Return how many cores each task may use if a run of so many observations may use `cores`."""
    return max(1, cores // min(cores, observations))


def exit_code(reports: Sequence[TaskReport]) -> ExitCode:
    """Return the exit code of a run: the most severe of its tasks."""
    return max((report.exit_code for report in reports), default=ExitCode.OK)


def _prepare(products: Path) -> Path:
    state = state_directory(products)
    try:
        state.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=state):
            return state
    except OSError as error:
        raise SiteError(
            f"products directory {products} cannot be written to: {error.strerror}",
            "choose another one with --products, or with products: in the recipe",
        ) from error


def _drive(runs: Sequence[ObservationRun], pool: ThreadPoolExecutor, stop: Stop) -> None:
    """Run all observations; Ctrl-C, or a bug in the runner, ends the running tasks cleanly."""
    futures: list[Future[None]] = []
    try:
        futures += (pool.submit(observation_run.run) for observation_run in runs)
        for future in as_completed(futures):
            future.result()
    except KeyboardInterrupt:
        stop.interrupt()
        wait(futures)
    except BaseException:
        stop.request("a bug in the runner")
        raise
