"""Calls of ``chandra-run``: in the test's own process, which is fast, or in a process of its own."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import Any
from unittest import mock

from loguru import logger

import chandra_runner.__main__
from chandra_runner.cli.main import main
from chandra_runner.running import run, task_process
from chandra_runner.stages.registry import BUILT_IN, modules_to_preload


@dataclass(frozen=True)
class Answer:
    """What a command answered: its exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON on standard output; fails if there is anything else."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def outcomes(self) -> dict[tuple[int, str], str]:
        """Outcome by observation and stage."""
        return {(t["observation"], t["stage"]): t["outcome"] for t in self.document["tasks"]}

    def reasons(self, observation: int, stage: str) -> str:
        """The reasons of one task, in one text."""
        tasks = self.document["tasks"]
        found = [t for t in tasks if (t["observation"], t["stage"]) == (observation, stage)]
        return "; ".join(found[0]["reasons"])


Run = Callable[..., Answer]


def run_process(
    directory: Path, arguments: tuple[str | Path, ...], environment: Mapping[str, str] | None = None
) -> Answer:
    """Call ``chandra-run`` in a process of its own, in a directory, with additional environment variables."""
    done = subprocess.run(
        [sys.executable, "-m", "chandra_runner", *map(str, arguments)],
        cwd=directory,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.returncode, done.stdout, done.stderr)


def run_in_process(
    directory: Path, arguments: tuple[str | Path, ...], environment: Mapping[str, str] | None = None
) -> Answer:
    """Call ``chandra-run`` in this process, so that it sees what a process of its own would see.

    Those are the working directory, the environment (PYTHONPATH, too), and caches without anything in them.
    Tasks still run in processes of their own.
    """
    with (
        contextlib.chdir(directory),
        mock.patch.dict(os.environ, environment or {}),
        _python_path(),
        _main_module(),
        _no_caches(),
        _signals(),
        _captured() as streams,
        _task_processes(),
    ):
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as end:  # help and version
            code = int(end.code or 0)
        finally:
            logger.remove()
    answer = Answer(int(code), *streams)
    assert "Traceback" not in answer.err, answer.err
    return answer


@contextlib.contextmanager
def _python_path() -> Iterator[None]:
    """Import from PYTHONPATH, as a new interpreter does."""
    added = [path for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    before = sys.path[:]
    sys.path[:0] = added
    try:
        yield
    finally:
        sys.path[:] = before


@contextlib.contextmanager
def _main_module() -> Iterator[None]:
    """Be ``python -m chandra_runner``: processes of tasks import the main module, which would be pytest."""
    before = sys.modules["__main__"]
    sys.modules["__main__"] = chandra_runner.__main__
    try:
        yield
    finally:
        sys.modules["__main__"] = before


@contextlib.contextmanager
def _no_caches() -> Iterator[None]:
    """Forget what the package remembers, such as stages of plugins and the versions of CIAO."""
    _clear_caches()
    try:
        yield
    finally:
        _clear_caches()


def _clear_caches() -> None:
    for name, module in tuple(sys.modules.items()):
        if name.partition(".")[0] == "chandra_runner":
            for value in vars(module).values():
                if hasattr(value, "cache_clear"):
                    value.cache_clear()


@contextlib.contextmanager
def _signals() -> Iterator[None]:
    """Give signals back to pytest."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@cache
def _streams() -> tuple[int, int]:
    """Descriptors of files that stand in for standard output and standard error, here and in the tasks."""
    return _nameless_file(), _nameless_file()


def _nameless_file() -> int:
    descriptor, name = tempfile.mkstemp()
    os.close(descriptor)
    appending = os.open(name, os.O_RDWR | os.O_APPEND)
    os.unlink(name)
    return appending


@contextlib.contextmanager
def _captured() -> Iterator[list[str]]:
    """Capture what this process and its children write; the two texts are there at the end."""
    texts: list[str] = []
    files = _streams()
    starts = [os.fstat(file).st_size for file in files]
    with contextlib.ExitStack() as stack:
        for number, (name, file) in enumerate(zip(("stdout", "stderr"), files, strict=True), 1):
            stack.enter_context(_redirected(name, number, file))
        yield texts
    for file, start in zip(files, starts, strict=True):
        texts.append(os.pread(file, os.fstat(file).st_size - start, start).decode())


@contextlib.contextmanager
def _redirected(name: str, descriptor: int, file: int) -> Iterator[None]:
    stream = getattr(sys, name)
    stream.flush()
    kept = os.dup(descriptor)
    os.dup2(file, descriptor)
    try:
        with open(descriptor, "w", encoding="utf-8", closefd=False) as text:
            setattr(sys, name, text)
            yield
    finally:
        setattr(sys, name, stream)
        os.dup2(kept, descriptor)
        os.close(kept)


@contextlib.contextmanager
def _task_processes() -> Iterator[None]:
    """Let tasks have the environment of now, though they are forked from a process that is started once.

    That process takes seconds to start. It serves recipes of all kinds, so it imports what any stage needs.
    """
    in_environment = partial(_run_task, dict(os.environ))
    with (
        mock.patch.object(task_process, "_child", in_environment),
        mock.patch.object(run, "preload", _preload_everything),
    ):
        yield


def _run_task(environment: Mapping[str, str], *arguments: Any) -> None:
    os.environ.clear()
    os.environ.update(environment)
    task_process._child(*arguments)


def _preload_everything(_: Mapping[str, str]) -> None:
    stages = (modules_to_preload(dict.fromkeys(BUILT_IN, engine)) for engine in ("native", "ciao"))
    multiprocessing.set_forkserver_preload([__name__, *chain.from_iterable(stages)])
