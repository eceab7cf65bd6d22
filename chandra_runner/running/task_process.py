"""Running a task in a process group of its own, so that everything it started ends with it."""

from __future__ import annotations

import math
import multiprocessing as mp
import os
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from loguru import logger

from chandra_runner.errors import ExitCode, SiteError
from chandra_runner.stages.job import Task
from chandra_runner.stages.outcome import Outcome, Progress
from chandra_runner.stages.registry import modules_to_preload

from .task import TaskResult, execute

GRACE = 5.0
"""Time between asking a task to end and killing it, s."""

_LONGEST_WAIT = 86400.0
"""Time after which waiting begins anew, s: operating systems do not wait for a month at once."""
_LONGEST_SOCKET_NAME = 104 if sys.platform == "darwin" else 108


class Stop:
    """The request to end all running tasks; it can be waited for together with their results."""

    def __init__(self) -> None:
        self._reader, self._writer = mp.Pipe(duplex=False)
        self._lock = threading.RLock()  # a signal handler may interrupt `request` and call it
        self.requested = False
        self.interrupted = False
        """Whether it was requested from outside: by Ctrl-C, by a signal."""
        self.reason = ""

    @property
    def signal(self) -> Connection:
        """A connection that becomes ready when the stop is requested."""
        return self._reader

    def request(self, reason: str) -> None:
        """End all running tasks and start no more."""
        with self._lock:
            if not self.requested:
                self.requested, self.reason = True, reason
                self._writer.close()

    def interrupt(self) -> None:
        """End all running tasks and start no more, because the user wants it."""
        self.interrupted = True
        self.request("stopped by Ctrl-C or a signal; the next run goes on from here")


def run_in_process(task: Task[Any], stop: Stop, report_progress: Callable[[Progress], None]) -> TaskResult:
    """Run a task in a process of its own; end it when it takes too long or a stop is requested.

    Parameters
    ----------
    task : Task
        What to run.
    stop : Stop
        Ends the task early when it is requested.
    report_progress : callable
        Called now and then with how far the task is.
    """
    started = time.monotonic()
    end = math.inf if task.timeout is None else started + task.timeout
    with _started(task) as (process, results):
        while time.monotonic() < end and not stop.requested:
            left = min(end - time.monotonic(), _LONGEST_WAIT)
            if results not in wait([results, stop.signal], max(left, 0)):
                continue
            try:
                message: TaskResult | Progress = results.recv()
            except EOFError:
                return _died(process)
            if isinstance(message, TaskResult):
                return message
            report_progress(message)
        _end_group(process, GRACE)
    seconds = round(time.monotonic() - started, 3)
    if stop.requested:
        return TaskResult(Outcome.INTERRUPTED, stop.reason, seconds=seconds)
    reason = f"it took longer than its timeout of {task.timeout:g} s"
    return TaskResult(Outcome.TIMED_OUT, reason, seconds=seconds)


def preload(engines: Mapping[str, str]) -> None:
    """Let the process from which tasks are forked import once, as it starts, what each task would import.

    Parameters
    ----------
    engines : Mapping of str to str
        The stages that may run, with their engines.
    """
    modules = ["chandra_runner.running.task", *modules_to_preload(engines)]
    mp.get_context("forkserver").set_forkserver_preload(modules)


def _check_temporary_directory() -> None:
    """Refuse a temporary directory in which the server's socket would have too long a name.

    Raises
    ------
    SiteError
        Its path is too long.
    """
    directory = tempfile.gettempdir()
    # The name of a Unix socket has at most 104 bytes on macOS and 108 on Linux, its final zero included;
    # multiprocessing adds /pymp-xxxxxxxx/listener-xxxxxxxx.
    if len(os.fsencode(directory)) + len("/pymp-xxxxxxxx/listener-xxxxxxxx") >= _LONGEST_SOCKET_NAME:
        raise SiteError(
            f"the path of the temporary directory is too long: {directory}", "set TMPDIR to a shorter one"
        )


@contextmanager
def _started(task: Task[Any]) -> Iterator[tuple[BaseProcess, Connection]]:
    """Start a process that runs the task; yield it with the pipe of its result. It ends with the block."""
    context = mp.get_context("forkserver")
    results, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(task, sender), daemon=False)
    _check_temporary_directory()
    with _ctrl_c_held_back():
        process.start()
    sender.close()
    try:
        yield process, results
    finally:
        results.close()
        process.join(GRACE)
        _end_group(process, 0.0)


@contextmanager
def _ctrl_c_held_back() -> Iterator[None]:
    """Let no Ctrl-C reach what is started meanwhile.

    The terminal sends it to all processes of a run, and the server would die of it while it imports modules.
    The runner ends the tasks.
    """
    # As it starts, this helper process of multiprocessing lets Ctrl-C through again.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _child(task: Task[Any], sender: Connection) -> None:
    """Run the task: the main function of its process."""
    os.setsid()
    logger.remove()  # messages go only to the task's log
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sender.send(execute(task, sender.send))
    sender.close()


def _end_with_parent() -> None:
    """End the whole process group when the run that waits for the task is gone."""
    parent = mp.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)


def _end_group(process: BaseProcess, grace: float) -> None:
    """End a task and all processes that it started: ask first, then kill."""
    if process.pid is None:
        return
    with suppress(ProcessLookupError, PermissionError):
        if grace:
            os.killpg(process.pid, signal.SIGTERM)
            process.join(grace)
        os.killpg(process.pid, signal.SIGKILL)
    process.join()


def _died(process: BaseProcess) -> TaskResult:
    """Return the result of a task whose process ended without sending one."""
    process.join(GRACE)
    code = process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        hint = "; the machine may have run out of memory: use fewer --cores" if name == "SIGKILL" else ""
        return TaskResult(Outcome.FAILED, f"its process was killed by {name}{hint}", ExitCode.TASKS)
    return TaskResult(Outcome.FAILED, f"its process ended without a result (exit code {code})")
