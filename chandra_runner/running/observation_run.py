"""The run of one observation: decide about each task in order, run it, publish its products."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from loguru import logger

from chandra_runner.errors import ChandraRunnerError, ExitCode, from_os
from chandra_runner.planning.decisions import Action, Decision, decide
from chandra_runner.planning.fingerprint import KINDS, inputs_of
from chandra_runner.planning.ledger import Ledger
from chandra_runner.planning.manifest import Manifest, write_manifest
from chandra_runner.planning.plan import Plan
from chandra_runner.planning.versions import mixed_engines, versions_of
from chandra_runner.stages.job import Product, Task
from chandra_runner.stages.outcome import Outcome, Progress
from chandra_runner.stages.registry import get
from chandra_runner.stages.stage import RAW
from chandra_runner.storage.locks import Holder, Locks
from chandra_runner.storage.state_directory import refuse_links, remove_scratch, scratch_directory

from .publishing import aside_directory, publish, repair
from .task import TaskResult
from .task_process import Stop
from .task_report import Reporter, TaskReport

Runner = Callable[[Task[Any], Stop, Callable[[Progress], None]], TaskResult]
FAILURES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.BLOCKED, Outcome.INTERRUPTED)


@dataclass(frozen=True, kw_only=True)
class RunResources:
    """What the runs of all observations share.

    Parameters
    ----------
    plan : Plan
        The plan.
    locks : Locks
        The locks of ObsIDs.
    stop : Stop
        The request to end the run.
    reporter : Reporter
        Called as tasks start, progress and end.
    runner : callable
        Runs one task.
    cores : int
        Number of cores that each task may use.
    fail_fast : bool
        Whether to start no more tasks after the first failure.
    """

    plan: Plan
    locks: Locks
    stop: Stop
    reporter: Reporter
    runner: Runner
    cores: int
    fail_fast: bool


class ObservationRun:
    """The run of one observation.

    Parameters
    ----------
    obsid : int
        The ObsID.
    resources : RunResources
        What it shares with the runs of other observations.
    """

    def __init__(self, obsid: int, resources: RunResources) -> None:
        self.reports: list[TaskReport] = []
        self._obsid, self._resources, self._plan = obsid, resources, resources.plan
        self._locked = False
        self._holder: Holder | None = None
        self._ended: dict[str, Outcome] = {}
        self._ledger: Ledger

    def run(self) -> None:
        """Run every stage in order; errors of the user or the environment become failures of tasks."""
        recipe = self._plan.recipe
        try:
            self._ledger = Ledger(recipe.products, recipe.data, self._obsid)
            for stage in self._plan.order:
                report = self._guarded(stage)
                self._ended[stage] = report.outcome
                self.reports.append(report)
                self._resources.reporter.ended(report)
                if self._resources.fail_fast and report.outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
                    self._resources.stop.request("stopped by --fail-fast")
            mixed = mixed_engines(self._ledger, self._plan.order)
            if mixed:
                logger.warning(mixed)
            with contextlib.suppress(OSError):
                self._ledger.save()
        finally:
            if self._locked:
                self._resources.locks.release(self._obsid)

    def _guarded(self, stage: str) -> TaskReport:
        try:
            return self._run_task(stage)
        except ChandraRunnerError as error:
            return self._report(stage, Outcome.FAILED, str(error), exit_code=error.exit_code)
        except OSError as error:
            return self._report(stage, Outcome.FAILED, str(from_os(error)), exit_code=ExitCode.ENVIRONMENT)
        except Exception as error:  # a bug, or raw data that nobody thought of: the other observations go on
            logger.opt(exception=error).debug(f"{self._obsid} {stage}")
            return self._report(stage, Outcome.FAILED, f"{type(error).__name__}: {error}")

    def _run_task(self, stage: str) -> TaskReport:
        """Decide about one task and run it if necessary."""
        failed = [b for b in self._plan.graph.predecessors(stage) if self._ended[b] in FAILURES]
        if self._resources.stop.requested:
            return self._report(stage, Outcome.INTERRUPTED, self._resources.stop.reason)
        if failed:
            how = self._ended[failed[0]].value.replace("_", " ")
            return self._report(stage, Outcome.BLOCKED, f"{failed[0]} {how}")
        decision = decide(self._plan, stage, self._ledger)
        if self._has_work(decision) and not self._locked:
            if not self._lock():
                reason = f"ObsID {self._obsid} is locked by {self._holder}"
                return self._report(stage, Outcome.BLOCKED, reason, exit_code=ExitCode.ENVIRONMENT)
            # Another run may have made the products while this one waited for the lock.
            decision = decide(self._plan, stage, self._ledger)
        match decision.action:
            case Action.UP_TO_DATE:
                return self._report(stage, Outcome.UP_TO_DATE)
            case Action.REFUSED:
                return self._report(stage, Outcome.FAILED, *decision.reasons)
            case Action.EXCLUDED:
                return self._exclude(decision)
            case Action.RUN:
                return self._execute(decision)

    def _has_work(self, decision: Decision) -> bool:
        return decision.action is Action.RUN or (
            decision.action is Action.EXCLUDED and not self._is_excluded(decision)
        )

    def _lock(self) -> bool:
        """Take the ObsID's lock, and clean up after a run that was killed."""
        refuse_links(self._plan.recipe.products, self._obsid)
        self._holder = self._resources.locks.acquire(self._obsid)
        self._locked = self._holder is None
        if self._locked:
            recipe = self._plan.recipe
            repair(recipe.products, self._obsid)
            self._ledger = Ledger(recipe.products, recipe.data, self._obsid)
        return self._locked

    def _is_excluded(self, decision: Decision) -> bool:
        made = self._ledger.manifest(decision.stage)
        return made is not None and made.outcome is Outcome.EXCLUDED and made.reason == decision.reasons[0]

    def _exclude(self, decision: Decision) -> TaskReport:
        """Publish the manifest of a task that does not apply, in place of older products."""
        if not self._is_excluded(decision):
            with self._work_directory(decision.stage) as work:
                result = TaskResult(Outcome.EXCLUDED, decision.reasons[0])
                finished = work / "products"
                finished.mkdir()
                self._publish(decision, result, finished)
        return self._report(decision.stage, Outcome.EXCLUDED, *decision.reasons)

    def _execute(self, decision: Decision) -> TaskReport:
        """Run a task and publish its products."""
        self._resources.reporter.started(self._obsid, decision.stage, decision.reasons)
        with self._work_directory(decision.stage) as work:
            task = self._make_task(decision, work)
            before_ns = time.time_ns()
            report_progress = partial(self._resources.reporter.progressed, self._obsid, task.stage)
            result = self._resources.runner(task, self._resources.stop, report_progress)
            if result.outcome in (Outcome.DONE, Outcome.EXCLUDED):
                self._publish(self._with_raw_inputs(decision, task, before_ns), result, task.directory)
        reasons = decision.reasons if result.outcome is Outcome.DONE else (result.reason,)
        if result.outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
            self._ledger.record_failure(decision.stage, result.reason)
        report = self._report(decision.stage, result.outcome, *reasons, exit_code=result.exit_code)
        return replace(report, seconds=result.seconds, warnings=result.warnings, log=task.log_file)

    def _with_raw_inputs(self, decision: Decision, task: Task[Any], before_ns: int) -> Decision:
        """Return the decision with the raw data as inputs, if the task made their inventory.

        A download changes the raw data: what they are afterwards is what its products were made of.
        """
        stage = get(decision.stage)
        if RAW not in stage.makes:
            return decision
        digests = {file.path: file.sha256 for file in stage.read_inventory(task.directory)}
        self._ledger.record_raw_digests(digests, before_ns)
        inputs = inputs_of(stage, self._ledger)
        return replace(decision, parts=replace(decision.parts, inputs=inputs))

    def _make_task(self, decision: Decision, work: Path) -> Task[Any]:
        recipe = self._plan.recipe
        settings = recipe.settings(self._obsid, decision.stage)
        timeout = getattr(settings, "timeout", None)  # plugins need not have one
        return Task(
            observation=self._obsid,
            stage=decision.stage,
            engine=decision.parts.engine,
            settings=settings,
            inputs=dict(self._inputs(decision.stage)),
            raw=self._ledger.raw_directory,
            work=work,
            log_file=self._ledger.directory / f"{decision.stage}.log",
            cores=self._resources.cores,
            archives=recipe.archive,
            ciao=self._plan.ciao.directory if self._plan.ciao else None,
            kinds=frozenset(decision.parts.settings.get(KINDS, ())),
            refresh=self._plan.refresh_data,
            timeout=None if timeout is None else float(timeout.to_value("s")),
            calibration=self._calibration(decision),
        )

    def _calibration(self, decision: Decision) -> tuple[Path, ...]:
        is_native = decision.parts.engine == "native"
        return self._plan.recipe.calibration_files(self._obsid, decision.stage) if is_native else ()

    def _inputs(self, stage: str) -> Iterator[tuple[tuple[str, str], tuple[Product, ...]]]:
        for need in get(stage).needs:
            manifest = self._ledger.manifest(need.stage)
            directory = self._ledger.directory / need.stage
            yield (
                (need.stage, need.role),
                tuple(
                    Product(output.role, directory / output.path, output.exposure, output.band)
                    for output in (manifest.outputs if manifest else ())
                    if output.role == need.role
                ),
            )

    def _publish(self, decision: Decision, result: TaskResult, finished: Path) -> None:
        """Write the manifest, put the products into place, and record them."""
        products, stage = self._plan.recipe.products, decision.stage
        manifest = Manifest(
            stage=stage,
            observation=self._obsid,
            engine=decision.parts.engine,
            outcome=result.outcome,
            reason=result.reason,
            fingerprint=decision.parts.fingerprint(),
            parts=decision.parts,
            settings=self._plan.recipe.settings_text(self._obsid, stage),
            versions=versions_of(decision.parts.engine, self._plan.ciao),
            warnings=result.warnings,
            started=result.started,
            seconds=result.seconds,
            cpu_seconds=result.cpu_seconds,
            peak_memory=result.peak_memory,
            host=result.host,
            outputs=result.outputs,
        )
        if result.outcome is Outcome.EXCLUDED:
            shutil.rmtree(finished)
            finished.mkdir()
        write_manifest(manifest, finished)
        publish(finished, self._ledger.directory / stage, aside_directory(products, self._obsid, stage))
        self._ledger.record(manifest, result.digests)

    @contextlib.contextmanager
    def _work_directory(self, stage: str) -> Iterator[Path]:
        parent = scratch_directory(self._plan.recipe.products, self._obsid)
        parent.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix=f"{stage}-", dir=parent))
        try:
            yield path
        finally:
            remove_scratch(path)
            with contextlib.suppress(OSError):
                parent.rmdir()

    def _report(
        self, stage: str, outcome: Outcome, *reasons: str, exit_code: ExitCode = ExitCode.TASKS
    ) -> TaskReport:
        harmless = (Outcome.DONE, Outcome.UP_TO_DATE, Outcome.EXCLUDED)
        code = ExitCode.OK if outcome in harmless else exit_code
        if outcome is Outcome.INTERRUPTED and self._resources.stop.interrupted:
            code = ExitCode.INTERRUPTED
        return TaskReport(self._obsid, stage, outcome, reasons, exit_code=code)
