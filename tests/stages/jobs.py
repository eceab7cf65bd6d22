"""Jobs for tests of executors: one stage after the other, without recipe and runner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astropy import units as u

from chandra_runner.observation.directory import read_observation
from chandra_runner.recipe.settings import StageSettings
from chandra_runner.stages.chandra_repro import ChandraRepro
from chandra_runner.stages.cleaned_chandra_evts import CleanedChandraEvts
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.stage import Stage

Inputs = Mapping[tuple[str, str], tuple[Product, ...]]


def settings_of(stage: type[Stage], **changes: Any) -> Any:
    """All settings of a stage: its defaults, with some changed."""
    return stage.settings_class(**(dict(StageSettings(stage, {}).values) | changes))


def make_job(
    stage: type[Stage], raw: Path, work: Path, inputs: Inputs | None = None, obsid: int = 42, **settings: Any
) -> Job[Any]:
    """A job of a stage in a directory of its own, with the stage's defaults and some other settings."""
    job: Job[Any] = Job(
        observation=obsid,
        stage=stage.name,
        engine="native",
        settings=settings_of(stage, **settings),
        inputs=inputs or {},
        raw=raw,
        work=work,
        log_file=work / "log",
    )
    job.directory.mkdir(parents=True, exist_ok=True)
    job.scratch.mkdir(exist_ok=True)
    return job


@dataclass
class Chain:
    """Runs stages on one ObsID directory; what they make is there for the next ones."""

    raw: Path
    work: Path
    obsid: int
    inputs: dict[tuple[str, str], tuple[Product, ...]] = field(default_factory=dict)

    def run(self, stage: type[Stage], **settings: Any) -> Job[Any]:
        """Run one stage with its defaults and some other settings."""
        job = make_job(stage, self.raw, self.work / stage.name, dict(self.inputs), self.obsid, **settings)
        stage.executors["native"](job)
        for role in stage.makes:
            self.inputs[stage.name, role] = tuple(p for p in job.products if p.role == role)
        return job

    def reproduce(self, **settings: Any) -> Job[Any]:
        """Run chandra_repro on what the directory says of itself."""
        self.work.mkdir(exist_ok=True)
        path = self.work / "observation.json"
        path.write_text(read_observation(self.raw, self.obsid).to_json(), encoding="utf-8")
        self.inputs["prepare_chandra_info", "observation"] = (Product("observation", path),)
        return self.run(ChandraRepro, **settings)

    def clean(self, quiet: dict[str, Path], **settings: Any) -> Job[Any]:
        """Run cleaned_chandra_evts with GTI files in place of deflare's, by exposure."""
        self.inputs["deflare", "gti"] = tuple(
            Product("gti", path, exposure) for exposure, path in quiet.items()
        )
        energies = {"lo_en": 0.5 * u.keV, "hi_en": 7 * u.keV}
        return self.run(CleanedChandraEvts, **(energies | settings))


def product(job: Job[Any], role: str, exposure: str | None = None) -> Path:
    """The one product of a role (and exposure)."""
    (found,) = [p.path for p in job.products if p.role == role and exposure in (None, p.exposure)]
    return found
