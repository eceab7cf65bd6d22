"""Messages name the exposure that they are about where there are several."""

from __future__ import annotations

from pathlib import Path

import pytest

from chandra_runner.observation.directory import read_observation
from chandra_runner.stages.chandra_repro import ChandraRepro
from chandra_runner.stages.deflare import Deflare
from chandra_runner.stages.job import Product

from .jobs import make_job

REPRO = ("chandra_repro", "events")


@pytest.mark.parametrize(
    ("exposures", "said"), [(("E001",), "empty"), (("E000", "E001"), "E001: empty"), (("", "E001"), "empty")]
)
def test_one_exposure_is_not_named(tmp_path: Path, exposures: tuple[str, ...], said: str) -> None:
    events = tuple(Product("events", tmp_path / "evt.fits", exposure) for exposure in exposures)
    job = make_job(Deflare, tmp_path, tmp_path / "work", {REPRO: events})
    job.warn("empty", "E001")
    job.warn("of all")
    assert job.warnings == [said, "of all"]


@pytest.mark.parametrize(("obsid", "said"), [(90001, "empty"), (90007, "E001: empty")])
def test_the_first_stages_know_the_exposures_from_the_observation(
    shared_data: Path, tmp_path: Path, obsid: int, said: str
) -> None:
    description = tmp_path / "observation.json"
    observation = read_observation(shared_data / "sim" / str(obsid), obsid)
    description.write_text(observation.to_json(), encoding="utf-8")
    inputs = {("prepare_chandra_info", "observation"): (Product("observation", description),)}
    job = make_job(ChandraRepro, tmp_path, tmp_path / "work", inputs)
    assert job.about("E001", "empty") == said
