"""Running one task: its executor, its log, its products."""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from loguru import logger

from chandra_runner.errors import ChandraRunnerError, DataError, ExitCode, from_os
from chandra_runner.planning.digests import FileDigest, digest_product
from chandra_runner.planning.manifest import Output
from chandra_runner.stages.job import Job, Task
from chandra_runner.stages.outcome import Excluded, Outcome, Progress
from chandra_runner.stages.registry import get

PROGRESS_INTERVAL = 0.25
"""Shortest time between two reports of how far a task is, s."""


@dataclass(frozen=True)
class TaskResult:
    """How a task ended.

    Parameters
    ----------
    outcome : Outcome
        ``done``, ``excluded``, ``failed``, ``timed_out`` or ``interrupted``.
    reason : str
        Why, where it is not done.
    exit_code : ExitCode
        What a failure means for the run: `TASKS`, or `ENVIRONMENT` for a full disk and the like.
    outputs : tuple of Output
        The products, in the order in which the stage named them.
    digests : Mapping of str to FileDigest
        Digests and stat results of the products, by path.
    warnings, started, seconds, cpu_seconds, peak_memory, host
        As in `Manifest`.
    """

    outcome: Outcome
    reason: str = ""
    exit_code: ExitCode = ExitCode.TASKS
    outputs: tuple[Output, ...] = ()
    digests: Mapping[str, FileDigest] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    started: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    host: str = ""


def execute(task: Task[Any], report_progress: Callable[[Progress], None]) -> TaskResult:
    """Run a task in this process and return how it ended; its log gets everything that is printed.

    Parameters
    ----------
    task : Task
        What to run.
    report_progress : callable
        Called now and then with how far the task is.
    """
    started, clock, processor = datetime.now(UTC), time.monotonic(), _cpu_seconds()
    try:
        task.directory.mkdir(parents=True)
        with _logged(task.log_file):
            result = _attempt(task, _at_most_every(PROGRESS_INTERVAL, report_progress))
    except OSError as error:
        result = TaskResult(Outcome.FAILED, *_explain(error))
    return replace(
        result,
        started=started.isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - clock, 3),
        cpu_seconds=round(_cpu_seconds() - processor, 3),
        peak_memory=_peak_memory(),
        host=socket.gethostname(),
    )


def _at_most_every(interval: float, report: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Pass progress on, but not more often than a person can read."""
    last = -interval

    def report_sometimes(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= interval:
            last = time.monotonic()
            report(progress)

    return report_sometimes


def _attempt(task: Task[Any], report_progress: Callable[[Progress], None]) -> TaskResult:
    """Call the executor; whatever happens becomes a result, never an exception."""
    job: Job[Any] = Job.of(task, report_progress)
    logger.info(f"ObsID {task.observation}, {task.stage}, engine {task.engine}")
    try:
        job.scratch.mkdir()
        get(task.stage).executors[task.engine](job)
        outputs, digests = _outputs(job)
    except Excluded as excluded:
        logger.info(f"excluded: {excluded}")
        return TaskResult(Outcome.EXCLUDED, str(excluded), warnings=tuple(job.warnings))
    except Exception as error:
        reason, exit_code = _explain(error)
        return TaskResult(Outcome.FAILED, reason, exit_code, warnings=tuple(job.warnings))
    logger.info(f"done: {len(outputs)} products")
    return TaskResult(Outcome.DONE, outputs=tuple(outputs), digests=digests, warnings=tuple(job.warnings))


def _outputs(job: Job[Any]) -> tuple[list[Output], dict[str, FileDigest]]:
    """Digest every promised product.

    Raises
    ------
    DataError
        A product is missing, empty, truncated, or not a FITS file although its name says so.
    """
    outputs, digests = [], {}
    for product in job.products:
        path = product.path.relative_to(job.directory).as_posix()
        if not product.path.is_file():
            raise DataError(f"the product {path} ({product.role}) was not made")
        known = digests[path] = digest_product(product.path)
        if known.stat.size == 0:
            raise DataError(f"the product {path} ({product.role}) is empty")
        outputs.append(
            Output(
                role=product.role,
                path=path,
                size=known.stat.size,
                digest=known.digest,
                content=known.content,
                exposure=product.exposure,
                band=product.band,
            )
        )
    return outputs, digests


def _explain(error: Exception) -> tuple[str, ExitCode]:
    """Return what an executor's exception means, in words for the user and for the run."""
    if isinstance(error, ChandraRunnerError):
        logger.error(str(error))
        return str(error), error.exit_code
    logger.exception("the executor ended with an exception")
    if isinstance(error, MemoryError):
        return "out of memory; use fewer --cores, so that fewer tasks share it", ExitCode.ENVIRONMENT
    if isinstance(error, OSError):
        explained = from_os(error)
        return str(explained), explained.exit_code
    return f"{type(error).__name__}: {error}; the log has the traceback", ExitCode.TASKS


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    """Send log messages, and all that this process and its tools print, to the task's log file."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    # Replacing the file descriptors, not only sys.stdout, also catches what C libraries and tools print.
    saved = os.dup(1), os.dup(2)
    with log.open("w", encoding="utf-8", buffering=1) as stream:
        sink = logger.add(stream, format="{time:YYYY-MM-DD HH:mm:ss} {level: <7} {message}", level="DEBUG")
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(saved, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            logger.remove(sink)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_memory() -> int:
    """Return the largest resident size of this process and of the tools it ran, bytes."""
    largest = max(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return largest * (1 if sys.platform == "darwin" else 1024)  # macOS counts bytes, Linux kilobytes
