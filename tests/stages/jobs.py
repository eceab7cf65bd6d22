"""Jobs for tests of executors: one stage after the other, without recipe and runner."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from astropy import units as u

from chandra_runner.observation.directory import read_observation
from chandra_runner.stages.chandra_repro import ChandraRepro
from chandra_runner.stages.cleaned_chandra_evts import CleanedChandraEvts
from chandra_runner.stages.stage import Job, Product, Stage

DEFAULTS: dict[str, dict[str, Any]] = {
    "chandra_repro": {
        "destreak": True,
        "check_very_faint": False,
        "pix_adj": "default",
        "asol_update": True,
        "grating_pi_filter": True,
    },
    "cleaned_chandra_evts": {
        "lo_en": 0.5 * u.keV,
        "hi_en": 7 * u.keV,
        "status_zero": True,
        "allowed_grades": [0, 2, 3, 4, 6],
    },
}


@dataclass
class Chain:
    """Runs stages on one ObsID directory; what they make is there for the next ones."""

    raw: Path
    work: Path
    obsid: int
    inputs: dict[tuple[str, str], tuple[Product, ...]] = field(default_factory=dict)

    def run(self, stage: type[Stage], **settings: Any) -> Job:
        """Run one stage with its defaults and some other settings."""
        directory, scratch = self.work / stage.name, self.work / f"{stage.name}-scratch"
        directory.mkdir(parents=True)
        scratch.mkdir()
        job = Job(
            self.obsid, DEFAULTS[stage.name] | settings, self.raw, directory, scratch, dict(self.inputs)
        )
        stage.executors["native"](job)
        for role in stage.makes:
            self.inputs[stage.name, role] = tuple(p for p in job.products if p.role == role)
        return job

    def reproduce(self, **settings: Any) -> Job:
        """Run chandra_repro on what the directory says of itself."""
        self.work.mkdir(exist_ok=True)
        path = self.work / "observation.json"
        path.write_text(read_observation(self.raw, self.obsid).to_json(), encoding="utf-8")
        self.inputs["prepare_chandra_info", "observation"] = (Product("observation", path),)
        return self.run(ChandraRepro, **settings)

    def clean(self, quiet: dict[str, Path], **settings: Any) -> Job:
        """Run cleaned_chandra_evts with GTI files in place of deflare's, by exposure."""
        self.inputs["deflare", "gti"] = tuple(
            Product("gti", path, exposure) for exposure, path in quiet.items()
        )
        return self.run(CleanedChandraEvts, **settings)


def product(job: Job, role: str, exposure: str | None = None) -> Path:
    """The one product of a role (and exposure)."""
    (found,) = [p.path for p in job.products if p.role == role and exposure in (None, p.exposure)]
    return found
