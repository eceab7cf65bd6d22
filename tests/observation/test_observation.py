"""An observation is written as text and read again unchanged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from chandra_runner.errors import DataError
from chandra_runner.observation.directory import read_observation
from chandra_runner.observation.observation import Observation

from ..obsid_files import write_raw


def test_json_gives_back_the_same_observation_and_the_same_bytes(tmp_path: Path) -> None:
    observation = read_observation(write_raw(tmp_path, "primary/acisf00042N001_evt2.fits"), 42)
    again = Observation.from_json(observation.to_json())
    assert again == observation
    assert again.to_json() == observation.to_json()
    assert str(tmp_path) not in observation.to_json()


def test_an_unknown_entry_is_refused(tmp_path: Path) -> None:
    observation = read_observation(write_raw(tmp_path, "primary/acisf00042N001_evt2.fits"), 42)
    text = json.dumps({**json.loads(observation.to_json()), "weather": "fine"})
    with pytest.raises(DataError, match=r"is damaged: .*weather.*; make it again with --force"):
        Observation.from_json(text)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"obsid": 1}'])
def test_json_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(DataError, match=r"observation\.json"):
        Observation.from_json(text)
