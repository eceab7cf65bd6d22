"""Cosmic rays make a part of front-illuminated chips insensitive, more so far from the readout."""

from __future__ import annotations

import numpy as np
import pytest

from chandra_runner.native.dead_area import live_area


def test_full_frames_lose_2_percent_at_the_readout_and_4_percent_at_the_top():
    loss = 1 - live_area(3, 3.24104, 1, 1024)[:, 0]
    assert loss[0] == pytest.approx(0.022, abs=0.001)
    assert loss[-1] == pytest.approx(0.040, abs=0.001)
    assert np.all(np.diff(loss) > 0)


@pytest.mark.parametrize("chip", [5, 7])
def test_back_illuminated_chips_lose_nothing(chip):
    assert np.all(live_area(chip, 3.24104, 1, 1024) == 1)


def test_a_subarray_of_short_frames_loses_little():
    """ObsID 28229: 128 rows from row 449, frames of 0.54104 s."""
    loss = 1 - live_area(6, 0.54104, 449, 1024)[448:576, 0]
    assert loss[0] == pytest.approx(0.006508 * 0.54389, rel=1e-6)
    assert loss[-1] < 0.006
