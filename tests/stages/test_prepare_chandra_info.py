"""prepare_chandra_info writes observation.json, or says why there is nothing to reduce."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from chandra_runner.observation.observation import Observation
from chandra_runner.stages.job import Job
from chandra_runner.stages.outcome import Excluded
from chandra_runner.stages.prepare_chandra_info import STAGE, describe_observation

from ..obsid_files import index, write_raw
from .jobs import make_job


def job(raw: Path, obsid: int, directory: Path) -> Job[Any]:
    return make_job(STAGE, raw, directory / "work", obsid=obsid)


def test_the_product_is_the_observation(shared_data: Path, tmp_path: Path) -> None:
    task = job(shared_data / "sim/90006", 90006, tmp_path)
    describe_observation(task)
    assert [(product.role, product.exposure) for product in task.products] == [("observation", "")]
    assert {product.role for product in task.products} == set(STAGE.makes)
    observation = Observation.from_json((task.directory / "observation.json").read_text())
    assert [exposure.id for exposure in observation.exposures] == ["e1", "e2"]
    assert not task.warnings


def test_an_inactive_observation_is_excluded_with_its_reason(shared_data: Path, tmp_path: Path) -> None:
    task = job(shared_data / "sim/90009", 90009, tmp_path)
    with pytest.raises(Excluded, match=r"oif\.fits lists no EVT1"):
        describe_observation(task)
    assert not task.products


def test_missing_files_are_warned_of(tmp_path: Path) -> None:
    names = [
        "secondary/acisf00042_000N001_evt1.fits",
        "primary/acisf00042N001_evt2.fits",
        "a/pcadf00042_000N001_asol1.fits",
    ]
    write_raw(tmp_path, *names[:2])
    index(tmp_path, *names)
    task = job(tmp_path, 42, tmp_path)
    describe_observation(task)
    (warning,) = task.warnings
    assert "pcadf00042_000N001_asol1.fits" in warning
