"""The way of one observation through the plan: decides, runs, publishes, survives failures."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from loguru import logger

from chandra_runner.errors import ChandraRunnerError, ExitCode, from_os
from chandra_runner.planning.ledger import KINDS, Ledger, inputs_of
from chandra_runner.planning.manifest import Manifest, write_manifest
from chandra_runner.planning.plan import Action, Decision, Plan, decide
from chandra_runner.planning.provenance import mixed_engines
from chandra_runner.planning.versions import versions_of
from chandra_runner.stages.registry import get
from chandra_runner.stages.stage import Outcome, Product, Progress
from chandra_runner.storage.locks import Holder, Locks
from chandra_runner.storage.state_directory import remove_scratch, scratch_directory

from .publishing import aside_directory, publish, repair
from .task import Task, TaskResult
from .task_process import Stop
from .task_report import Reporter, TaskReport

Runner = Callable[[Task, Stop, Callable[[Progress], None]], TaskResult]
FAILURES = (Outcome.FAILED, Outcome.TIMED_OUT, Outcome.BLOCKED, Outcome.INTERRUPTED)
FAIL_FAST = "stopped by --fail-fast"


class ObservationRun:
    """The way of one observation through the plan."""

    def __init__(
        self,
        plan: Plan,
        obsid: int,
        locks: Locks,
        stop: Stop,
        reporter: Reporter,
        runner: Runner,
        cores: int,
        fail_fast: bool,
    ) -> None:
        self.reports: list[TaskReport] = []
        self._plan, self._obsid, self._locks, self._stop = plan, obsid, locks, stop
        self._reporter, self._runner, self._cores, self._fail_fast = reporter, runner, cores, fail_fast
        self._locked = False
        self._holder: Holder | None = None
        self._ended: dict[str, Outcome] = {}
        self._ledger: Ledger

    def run(self) -> None:
        """Every stage in order; never raises what is the user's or the environment's."""
        recipe = self._plan.recipe
        try:
            self._ledger = Ledger(recipe.products, recipe.data, self._obsid)
            for stage in self._plan.order:
                report = self._guarded(stage)
                self._ended[stage] = report.outcome
                self.reports.append(report)
                self._reporter.ended(report)
                if self._fail_fast and report.outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
                    self._stop.request(FAIL_FAST)
            mixed = mixed_engines(self._ledger, self._plan.order)
            if mixed:
                logger.warning(mixed)
            with contextlib.suppress(OSError):
                self._ledger.save()
        finally:
            if self._locked:
                self._locks.release(self._obsid)

    def _guarded(self, stage: str) -> TaskReport:
        try:
            return self._task(stage)
        except ChandraRunnerError as error:
            return self._report(stage, Outcome.FAILED, str(error), exit_code=error.exit_code)
        except OSError as error:
            return self._report(stage, Outcome.FAILED, str(from_os(error)), exit_code=ExitCode.ENVIRONMENT)

    def _task(self, stage: str) -> TaskReport:
        """Decide about one task and do it."""
        failed = [b for b in self._plan.graph.predecessors(stage) if self._ended[b] in FAILURES]
        if self._stop.requested:
            return self._report(stage, Outcome.INTERRUPTED, self._stop.reason)
        if failed:
            how = self._ended[failed[0]].value.replace("_", " ")
            return self._report(stage, Outcome.BLOCKED, f"{failed[0]} {how}")
        decision = decide(self._plan, stage, self._ledger)
        if self._has_work(decision) and not self._locked:
            if not self._lock():
                reason = f"ObsID {self._obsid} is locked by {self._holder}"
                return self._report(stage, Outcome.BLOCKED, reason, exit_code=ExitCode.ENVIRONMENT)
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
        """Take the ObsID's lock, and see what the run before us left."""
        self._holder = self._locks.acquire(self._obsid)
        self._locked = self._holder is None
        if self._locked:
            recipe = self._plan.recipe
            repair(recipe.products, self._obsid)
            self._ledger = Ledger(recipe.products, recipe.data, self._obsid)
        return self._locked

    def _is_excluded(self, decision: Decision) -> bool:
        made = self._ledger.manifest(decision.stage)
        return made is not None and made.outcome == Outcome.EXCLUDED and made.reason == decision.reasons[0]

    def _exclude(self, decision: Decision) -> TaskReport:
        """A task without anything to do: its manifest says so, in the place of older products."""
        if not self._is_excluded(decision):
            with self._scratch(decision.stage) as scratch:
                result = TaskResult(Outcome.EXCLUDED, decision.reasons[0])
                (scratch / "products").mkdir()
                self._publish(decision, result, scratch / "products")
        return self._report(decision.stage, Outcome.EXCLUDED, *decision.reasons)

    def _execute(self, decision: Decision) -> TaskReport:
        """Run a task and take its products."""
        self._reporter.started(self._obsid, decision.stage, decision.reasons)
        with self._scratch(decision.stage) as scratch:
            task = self._make_task(decision, scratch)
            before_ns = time.time_ns()
            result = self._runner(
                task, self._stop, partial(self._reporter.progressed, self._obsid, task.stage)
            )
            if result.outcome in (Outcome.DONE, Outcome.EXCLUDED):
                self._publish(self._seen_raw(decision, task, before_ns), result, task.products)
        reasons = decision.reasons if result.outcome is Outcome.DONE else (result.reason,)
        if result.outcome in (Outcome.FAILED, Outcome.TIMED_OUT):
            self._ledger.record_failure(decision.stage, result.reason)
        report = self._report(decision.stage, result.outcome, *reasons, exit_code=result.exit_code)
        return replace(report, seconds=result.seconds, warnings=result.warnings, log=task.log)

    def _seen_raw(self, decision: Decision, task: Task, before_ns: int) -> Decision:
        """After a download: what the raw data are now is what the task's products were made of."""
        if "raw" not in get(decision.stage).makes:
            return decision
        self._ledger.record_raw_digests(_inventoried(task.products), before_ns)
        inputs = inputs_of(get(decision.stage), self._ledger)
        return replace(decision, parts=replace(decision.parts, inputs=inputs))

    def _make_task(self, decision: Decision, scratch: Path) -> Task:
        recipe = self._plan.recipe
        settings = recipe.settings(self._obsid, decision.stage)
        timeout = settings.get("timeout")
        return Task(
            observation=self._obsid,
            stage=decision.stage,
            engine=decision.parts.engine,
            settings=settings,
            inputs=dict(self._inputs(decision.stage)),
            raw=self._ledger.raw_directory,
            scratch=scratch,
            log=self._ledger.directory / f"{decision.stage}.log",
            cores=self._cores,
            archives=recipe.archive,
            ciao=self._plan.ciao.directory if self._plan.ciao else None,
            kinds=frozenset(decision.parts.settings.get(KINDS, ())),
            refresh=self._plan.refresh,
            timeout=None if timeout is None else float(timeout.to_value("s")),
        )

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
        """Write the manifest, put the products into place, remember them."""
        products, stage = self._plan.recipe.products, decision.stage
        manifest = Manifest(
            stage=stage,
            observation=self._obsid,
            engine=decision.parts.engine,
            outcome=result.outcome.value,
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
    def _scratch(self, stage: str) -> Iterator[Path]:
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
        if outcome is Outcome.INTERRUPTED and reasons != (FAIL_FAST,):
            code = ExitCode.INTERRUPTED
        return TaskReport(self._obsid, stage, outcome, reasons, exit_code=code)


def _inventoried(directory: Path) -> Mapping[str, str]:
    """Digests by path of a download's inventory."""
    from chandra_runner.stages.download import INVENTORY, read_inventory

    return {file.path: file.sha256 for file in read_inventory(directory / INVENTORY)}
