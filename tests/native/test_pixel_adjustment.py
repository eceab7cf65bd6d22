"""New positions are pixel centers or random in the pixel, with the alignment of the archive's processing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.aspect import make_aspect, read_aspect
from chandra_runner.native.pixel_adjustment import pixel_adjustment

from ..event_files import write_events

COORDINATES = ("detx", "dety", "x", "y")
FILES = {
    90001: ("acisf90001_000N001_evt1.fits.gz", "pcadf90001_000N001_asol1.fits.gz"),
    90004: ("hrcf90004_000N001_evt1.fits.gz", "pcadf90004_000N001_asol1.fits.gz"),
}


def adjusted(
    directory: Path, obsid: int, seed: int | None, rows: int = 5000
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Events before and after."""
    events, asol = FILES[obsid]
    with EventFile.open(directory / "secondary" / events) as source:
        adjustment = pixel_adjustment(source, read_aspect([directory / "primary" / asol]), seed)
        before = list(source.chunks(rows))
    after = [chunk.copy() for chunk in before]
    for chunk in after:
        adjustment(chunk)
    return np.concatenate(before), np.concatenate(after)


def test_hrc_pixel_centers_are_where_the_simulation_put_them(shared_data: Path) -> None:
    before, after = adjusted(shared_data / "sim/90004", 90004, None)
    for name in COORDINATES:
        np.testing.assert_allclose(after[name], before[name], atol=0.005)


def test_acis_pixel_centers_are_a_third_of_a_pixel_from_subpixel_positions(shared_data: Path) -> None:
    before, after = adjusted(shared_data / "sim/90001", 90001, None)
    for name in ("detx", "dety"):
        offset = (after[name] - before[name]).astype(float)
        assert np.abs(offset).max() < 0.334
        assert np.median(offset) == pytest.approx(0, abs=0.001)
    apart = np.hypot(after["x"] - before["x"], after["y"] - before["y"])
    inside = np.hypot(after["detx"] - before["detx"], after["dety"] - before["dety"])
    np.testing.assert_allclose(apart, inside, atol=0.005)


def test_random_positions_fill_the_pixel_and_are_the_same_each_time(shared_data: Path) -> None:
    directory = shared_data / "sim/90001"
    center = adjusted(directory, 90001, None)[1]
    one, other = adjusted(directory, 90001, 1)[1], adjusted(directory, 90001, 1, rows=777)[1]
    assert one.tobytes() == other.tobytes()
    assert one.tobytes() != adjusted(directory, 90001, 2)[1].tobytes()
    on_axis = np.abs(center["detx"] - 4096.5) < 300
    for name in ("detx", "dety"):
        offset = (one[name] - center[name]).astype(float)[on_axis]
        assert np.abs(offset).max() <= 0.502
        assert offset.mean() == pytest.approx(0, abs=0.02)
        assert offset.std() == pytest.approx(12**-0.5, abs=0.01)


def test_everything_but_positions_stays(shared_data: Path) -> None:
    before, after = adjusted(shared_data / "sim/90001", 90001, 1)
    for name in set(before.dtype.names) - set(COORDINATES):
        assert before[name].tobytes() == after[name].tobytes()


def test_the_alignment_of_an_old_processing_is_kept(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shifts = {"detx": 1.68, "dety": -10.09, "x": -9.9, "y": 2.5}
    read = EventFile.chunks

    def chunks(self: EventFile, rows: int = 5000) -> Any:
        for chunk in read(self, rows):
            for name, shift in shifts.items():
                chunk[name] += shift
            yield chunk

    monkeypatch.setattr(EventFile, "chunks", chunks)
    before, after = adjusted(shared_data / "sim/90004", 90004, None)
    for name in COORDINATES:
        np.testing.assert_allclose(after[name], before[name], atol=0.01)


def test_columns_that_positions_require_are_named(tmp_path: Path) -> None:
    keys = dict.fromkeys(("SIM_X", "SIM_Y", "SIM_Z", "RA_NOM", "DEC_NOM", "ROLL_NOM"), 1.0)
    aspect = make_aspect(**dict.fromkeys(("time", "ra", "dec", "roll", "dy", "dz", "dtheta"), np.zeros(1)))
    with (
        EventFile.open(write_events(tmp_path / "evt.fits", **keys)) as events,
        pytest.raises(DataError, match="EVENTS has no column chipx, chipy, detx, dety, x, y"),
    ):
        pixel_adjustment(events, aspect, None)
