"""Executors see the settings that the schemas declare, as the classes that mypy checks."""

from __future__ import annotations

import dataclasses
import runpy
from pathlib import Path

import pytest

from chandra_runner.stages.registry import BUILT_IN, get

from .jobs import settings_of

TOOL = Path(__file__).parents[2] / "tools" / "generate_settings.py"


def test_the_classes_are_those_that_the_schemas_give() -> None:
    assert runpy.run_path(str(TOOL))["main"](["--check"]) == 0


@pytest.mark.parametrize("stage", BUILT_IN)
def test_settings_are_complete_and_cannot_be_changed(stage: str) -> None:
    settings = settings_of(get(stage))
    assert {field.name for field in dataclasses.fields(settings)} == set(get(stage).schema()["properties"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        settings.timeout = None
