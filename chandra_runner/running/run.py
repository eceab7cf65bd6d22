"""Does what a plan says: ObsIDs side by side, each one's stages in order."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed, wait
from pathlib import Path

from chandra_runner.errors import ExitCode, SiteError
from chandra_runner.planning.plan import Plan
from chandra_runner.storage.locks import Locks
from chandra_runner.storage.state_directory import state_directory

from .observation_run import ObservationRun, Runner
from .task_process import Stop, run_in_process
from .task_report import Reporter, TaskReport


def run_plan(
    plan: Plan,
    reporter: Reporter,
    *,
    cores: int,
    fail_fast: bool = False,
    runner: Runner = run_in_process,
) -> list[TaskReport]:
    """Run all that is not up to date: ObsIDs side by side, each one's stages in order.

    Parameters
    ----------
    plan : Plan
        What to do.
    reporter : Reporter
        Is told of each task.
    cores : int
        How many to use in all.
    fail_fast : bool
        Start no more tasks after the first failure.
    runner : callable
        Runs one task.

    Returns
    -------
    list of TaskReport
        One for each task, in the order of observations and stages.

    Raises
    ------
    SiteError
        The products directory cannot be written to.
    """
    observations = plan.recipe.observations
    lanes = min(cores, len(observations))
    share = cores_of_task(cores, len(observations))
    state = _prepare(plan.recipe.products)
    stop = Stop()
    with Locks(state / "locks") as locks, ThreadPoolExecutor(lanes) as pool:
        walks = [
            ObservationRun(plan, obsid, locks, stop, reporter, runner, share, fail_fast)
            for obsid in observations
        ]
        _drive(walks, pool, stop)
    return [report for walk in walks for report in walk.reports]


def cores_of_task(cores: int, observations: int) -> int:
    """How many cores each task may use, of those that a run of so many observations may use."""
    return max(1, cores // min(cores, observations))


def exit_code(reports: Sequence[TaskReport]) -> ExitCode:
    """What a run returns to the shell: the gravest of what its tasks say."""
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
            "name another with --products, or products: in the recipe",
        ) from error


def _drive(walks: Sequence[ObservationRun], pool: ThreadPoolExecutor, stop: Stop) -> None:
    """Walk all observations; Ctrl-C ends the running tasks cleanly, a bug ends them too."""
    futures: list[Future[None]] = []
    try:
        futures += (pool.submit(walk.run) for walk in walks)
        for future in as_completed(futures):
            future.result()
    except KeyboardInterrupt:
        stop.request("stopped by Ctrl-C or a signal; the next run goes on from here")
        wait(futures)
    except BaseException:
        stop.request("a bug in the runner")
        raise
