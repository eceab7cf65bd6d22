"""One task, in whatever process it runs: calls the executor and makes sure of its products."""

from __future__ import annotations

import os
import resource
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from loguru import logger

from chandra_runner.errors import ChandraRunnerError, DataError, ExitCode, from_os
from chandra_runner.planning.digests import FileDigest, digest_product
from chandra_runner.planning.manifest import Output
from chandra_runner.stages.registry import get
from chandra_runner.stages.stage import Excluded, Job, Outcome, Product, Progress, Settings

PROGRESS_INTERVAL = 0.25
"""Seconds between two reports of how far a task is."""


@dataclass(frozen=True)
class Task:
    """One stage of one observation, ready to run anywhere that sees the files; picklable.

    Parameters
    ----------
    observation, stage, engine
        What to run, and with which executor.
    settings : Settings
        All settings of the stage.
    inputs : Mapping
        Products of earlier stages by ``(stage, role)``.
    raw : Path
        The ObsID directory.
    scratch : Path
        An empty directory; products go into ``products`` in it.
    log : Path
        Log file, written anew.
    cores : int
        How many cores it may use.
    archives : tuple of str
        Where missing data may be fetched from.
    ciao : Path or None
        CIAO's directory, where it is here.
    kinds : frozenset of str
        Kinds of raw files that the recipe's stages want.
    refresh : bool
        Whether newer raw data were asked for.
    timeout : float or None
        Seconds after which it is ended.
    """

    observation: int
    stage: str
    engine: str
    settings: Settings
    inputs: Mapping[tuple[str, str], tuple[Product, ...]]
    raw: Path
    scratch: Path
    log: Path
    cores: int = 1
    archives: tuple[str, ...] = ()
    ciao: Path | None = None
    kinds: frozenset[str] = frozenset()
    refresh: bool = False
    timeout: float | None = None

    @property
    def products(self) -> Path:
        """Where the finished products stand before they are published."""
        return self.scratch / "products"


@dataclass(frozen=True)
class TaskResult:
    """How a task went.

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
        Digests with stats, by the product's path.
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


def execute(task: Task, tell: Callable[[Progress], None]) -> TaskResult:
    """Run a task here and now, and say how it went; its log gets all that is printed.

    Parameters
    ----------
    task : Task
        What to run.
    tell : callable
        Is told, now and then, how far it is.
    """
    started, clock, processor = datetime.now(UTC), time.monotonic(), _cpu_seconds()
    try:
        task.products.mkdir(parents=True)
        with _logged(task.log):
            result = _attempt(task, _seldom(tell))
    except OSError as error:
        result = TaskResult(Outcome.FAILED, *_explain(error))
    return TaskResult(
        **{
            **vars(result),
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.monotonic() - clock, 3),
            "cpu_seconds": round(_cpu_seconds() - processor, 3),
            "peak_memory": _peak_memory(),
            "host": socket.gethostname(),
        }
    )


def _seldom(tell: Callable[[Progress], None]) -> Callable[[Progress], None]:
    """Pass on what is told, but not more often than a person can read."""
    last = -PROGRESS_INTERVAL

    def tell_seldom(progress: Progress) -> None:
        nonlocal last
        if time.monotonic() - last >= PROGRESS_INTERVAL:
            last = time.monotonic()
            tell(progress)

    return tell_seldom


def _attempt(task: Task, tell: Callable[[Progress], None]) -> TaskResult:
    """Call the executor; whatever happens becomes a result, never an exception."""
    job = Job(
        observation=task.observation,
        settings=task.settings,
        raw=task.raw,
        directory=task.products,
        scratch=task.scratch / "tmp",
        inputs=task.inputs,
        cores=task.cores,
        archives=task.archives,
        kinds=task.kinds,
        refresh=task.refresh,
        ciao=task.ciao,
        tell=tell,
    )
    logger.info(f"ObsID {task.observation}, {task.stage}, engine {task.engine}")
    try:
        job.scratch.mkdir()
        get(task.stage).executors[task.engine](job)
        outputs, digests = _outputs(job)
    except Excluded as none:
        logger.info(f"excluded: {none}")
        return TaskResult(Outcome.EXCLUDED, str(none), warnings=tuple(job.warnings))
    except Exception as error:
        reason, exit_code = _explain(error)
        return TaskResult(Outcome.FAILED, reason, exit_code, warnings=tuple(job.warnings))
    logger.info(f"done: {len(outputs)} products")
    return TaskResult(Outcome.DONE, outputs=tuple(outputs), digests=digests, warnings=tuple(job.warnings))


def _outputs(job: Job) -> tuple[list[Output], dict[str, FileDigest]]:
    """Digest every promised product.

    Raises
    ------
    DataError
        One is missing, empty, cut off, or no FITS file where it should be.
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
                product.role,
                path,
                known.stat.size,
                known.digest,
                known.content,
                product.exposure,
                product.band,
            )
        )
    return outputs, digests


def _explain(error: Exception) -> tuple[str, ExitCode]:
    """What the user is told of an executor's exception, and what it means for the run."""
    if isinstance(error, ChandraRunnerError):
        logger.error(str(error))
        return str(error), error.exit_code
    logger.exception("the executor ended with an exception")
    if isinstance(error, MemoryError):
        return "out of memory; use fewer --cores, so that fewer tasks share it", ExitCode.ENVIRONMENT
    if isinstance(error, OSError):
        told = from_os(error)
        return str(told), told.exit_code
    return f"{type(error).__name__}: {error}; the log has the traceback", ExitCode.TASKS


@contextmanager
def _logged(log: Path) -> Iterator[None]:
    """Send the log messages, and all that is printed, to the task's log file while it runs."""
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = os.dup(1), os.dup(2)
    with log.open("w", encoding="utf-8", buffering=1) as stream:
        sink = logger.add(stream, format="{time:YYYY-MM-DD HH:mm:ss} {level: <7} {message}", level="DEBUG")
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            for number, descriptor in enumerate(kept, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            logger.remove(sink)


def _cpu_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def _peak_memory() -> int:
    """Largest resident size of this process and of the tools it ran, bytes."""
    largest = max(
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return largest * (1 if sys.platform == "darwin" else 1024)
