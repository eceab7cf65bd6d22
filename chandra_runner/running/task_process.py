"""Runs a task in a process group of its own, so that whatever it does ends with it."""

from __future__ import annotations

import multiprocessing as mp
import os
import signal
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

from loguru import logger

from chandra_runner.errors import ExitCode, SiteError
from chandra_runner.stages.registry import BUILT_IN
from chandra_runner.stages.stage import Outcome, Progress

from .task import Task, TaskResult, execute

PRELOAD = [
    "chandra_runner.running.task",
    *(f"chandra_runner.stages.{stage}" for stage in BUILT_IN),
    "astropy.io.fits",
    "matplotlib.backends.backend_agg",
]
"""What tasks import anyway: loaded once, in the process that all of them are forked from."""
GRACE = 5.0
"""Seconds between asking a task to end and ending it."""


class Stop:
    """Tells all running tasks to end; can be waited for together with them."""

    def __init__(self) -> None:
        self._reader, self._writer = mp.Pipe(duplex=False)
        self._lock = threading.Lock()
        self.requested = False
        self.reason = ""

    @property
    def signal(self) -> Connection:
        """Becomes ready when the stop is requested."""
        return self._reader

    def request(self, reason: str) -> None:
        """End all running tasks and start no more."""
        with self._lock:
            if not self.requested:
                self.requested, self.reason = True, reason
                self._writer.close()


def run_in_process(task: Task, stop: Stop, tell: Callable[[Progress], None]) -> TaskResult:
    """Run a task in its own process; end it when it takes too long or a stop is requested.

    Parameters
    ----------
    task : Task
        What to run.
    stop : Stop
        Ends it early.
    tell : callable
        Is told, now and then, how far it is.
    """
    started = time.monotonic()
    with _started(task) as (process, results):
        left = task.timeout
        while results in wait([results, stop.signal], left):
            try:
                message: TaskResult | Progress = results.recv()
            except EOFError:
                return _died(process)
            if isinstance(message, TaskResult):
                return message
            tell(message)
            if task.timeout is not None:
                left = max(0.0, started + task.timeout - time.monotonic())
        _end_group(process, GRACE)
    seconds = round(time.monotonic() - started, 3)
    if stop.requested:
        return TaskResult(Outcome.INTERRUPTED, stop.reason, seconds=seconds)
    reason = f"it took longer than its timeout of {task.timeout:g} s"
    return TaskResult(Outcome.TIMED_OUT, reason, seconds=seconds)


@contextmanager
def _started(task: Task) -> Iterator[tuple[BaseProcess, Connection]]:
    """A process that runs the task, and the pipe that brings its result; it does not outlive the block."""
    context = mp.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)
    results, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(task, sender), daemon=False)
    try:
        process.start()
    except OSError as error:
        if "AF_UNIX" not in str(error):
            raise
        raise SiteError(
            f"the path of the temporary directory is too long: {tempfile.gettempdir()}",
            "set TMPDIR to a shorter one",
        ) from error
    sender.close()
    try:
        yield process, results
    finally:
        results.close()
        process.join(GRACE)
        _end_group(process, 0.0)


def _child(task: Task, sender: Connection) -> None:
    os.setsid()
    logger.remove()  # what is said goes to the task's log alone
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sender.send(execute(task, sender.send))
    sender.close()


def _end_with_parent() -> None:
    """End the whole group when the run that waits for it is gone: nobody would take its products."""
    parent = mp.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


def _end_group(process: BaseProcess, grace: float) -> None:
    """End a task with all the processes it started: ask first, then kill."""
    if process.pid is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if grace:
            os.killpg(process.pid, signal.SIGTERM)
            process.join(grace)
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def _died(process: BaseProcess) -> TaskResult:
    """The result of a task whose process ended without giving one."""
    process.join(GRACE)
    code = process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; perhaps the machine ran out of memory: use fewer --cores" if name == "SIGKILL" else ""
        return TaskResult(Outcome.FAILED, f"its process was ended by {name}{hint}", ExitCode.TASKS)
    return TaskResult(Outcome.FAILED, f"its process ended without a result (exit code {code})")
