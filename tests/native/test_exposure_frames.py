"""Good times begin and end with exposure frames, by the rule of CIAO's gti_align."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.native.exposure_frames import align_to_frames, make_frames, read_frames
from chandra_runner.native.level2 import read_good_times

ULP = np.spacing(1e9)
"""Spacing of numbers near mission times, s."""


def raw(shared_data: Path, obsid: int, kind: str) -> Path:
    """A file of a flight observation."""
    (path,) = (shared_data / f"real/{obsid}").glob(f"*/*_{kind}.fits.gz")
    return path


def test_frames_meet_halfway_and_a_dropped_frame_leaves_a_gap() -> None:
    frames = make_frames(np.array([10.0, 13.2, 19.4]), np.array([4, 5, 7]), 3.0, flush=0.5)
    assert frames.start.tolist() == pytest.approx([8.0, 11.6, 17.4])
    assert frames.stop.tolist() == pytest.approx([11.6, 14.7, 20.9])


def test_an_interval_takes_whole_frames_or_those_whose_middle_is_good() -> None:
    frames = {7: make_frames(np.arange(10.0, 40, 10), np.arange(3), 10.0)}
    # From the middle of the first frame to before that of the last; and 0.5 ms into a frame.
    good_times = GoodTimes({1: make_gti([10.0], [25.5])}, shared=True)
    barely = GoodTimes({7: make_gti([14.9995], [25.0])}, shared=False)
    for partial, start, stop in ((True, 5, 35), (False, 5, 25)):
        (gti,) = align_to_frames(good_times, frames, partial=partial).by_chip.values()
        assert (gti.start.tolist(), gti.stop.tolist()) == ([start], [stop])
    assert align_to_frames(barely, frames, partial=True).of(7).edges().tolist() == [15, 25]


def test_time_between_frames_and_of_a_chip_without_frames_is_not_good() -> None:
    frames = {7: make_frames(np.array([10.0, 50.0]), np.array([1, 5]), 10.0)}
    good_times = GoodTimes({7: make_gti([20, 48], [40, 49]), 6: make_gti(0, 60)}, shared=False)
    aligned = align_to_frames(good_times, frames, partial=True)
    assert aligned.of(7).edges().tolist() == [45, 55]
    assert len(aligned.of(6)) == 0


@pytest.mark.parametrize(
    ("obsid", "gained"),
    [
        (3591, {3: 5.171, 2: 5.170, 1: 5.170, 0: 5.171, 6: 5.171}),
        (22130, {1: 3.673, 3: 3.673, 2: 3.673, 0: 3.673, 6: 3.673}),
        (22136, {1: 1.030, 0: 0.833, 7: 0.866, 5: 0.907, 3: 0.948, 2: 0.989}),
        (20590, {1: 1.216, 0: 1.011, 7: 1.052, 5: 1.093, 3: 1.134, 2: 1.175}),
    ],
)
@pytest.mark.parametrize("partial", [True, False])
def test_good_times_of_flight_observations_move_by_up_to_a_frame(
    shared_data: Path, obsid: int, gained: dict[int, float], partial: bool
) -> None:
    good_times = read_good_times(raw(shared_data, obsid, "flt1"))
    frames = read_frames(raw(shared_data, obsid, "stat1"))
    aligned = align_to_frames(good_times, frames, partial=partial)
    assert list(aligned.by_chip) == list(good_times.by_chip) == list(gained)
    for chip, gti in good_times.by_chip.items():
        moved = aligned.of(chip).edges() - gti.edges()
        length = np.median(np.diff(frames[chip].time))
        assert np.abs(moved).max() < (length if partial else length / 2 + 0.001)
        assert np.isin(aligned.of(chip).start, frames[chip].start).all()
        assert np.isin(aligned.of(chip).stop, frames[chip].stop).all()
        if partial:
            assert aligned.of(chip).total() - gti.total() == pytest.approx(gained[chip], abs=0.001)
    again = align_to_frames(aligned, frames, partial=partial)
    assert all(np.array_equal(again.of(chip).edges(), aligned.of(chip).edges()) for chip in gained)


def test_the_ends_are_those_that_ciao_gave_an_observation(shared_data: Path) -> None:
    """28229 has no stat1: its frames are rebuilt from the events, from the first to the last with one."""
    good_times = read_good_times(raw(shared_data, 28229, "flt1"))
    with EventFile.open(raw(shared_data, 28229, "evt2")) as events:
        rows = np.concatenate(list(events.chunks()))
        length = events.header["TIMEDEL"]
    # The chips are read out one after the other, 0.04104 s apart.
    time = rows["time"] - np.where(rows["ccd_id"] == 6, 0.04104, 0)
    number, first = np.unique(rows["expno"], return_index=True)
    every = np.arange(number[0], number[-1] + 1)
    middle = np.interp(every, number, time[first])
    frames = {chip: make_frames(middle + delay, every, length) for chip, delay in ((7, 0), (6, 0.04104))}
    aligned = align_to_frames(good_times, frames, partial=True)
    ciao = read_good_times(shared_data / "real/reference/28229/acisf28229_repro_flt2.fits.gz")
    for chip in (7, 6):
        np.testing.assert_allclose(aligned.of(chip).edges(), ciao.of(chip).edges(), rtol=0, atol=2 * ULP)
        assert abs(good_times.of(chip).stop[-1] - ciao.of(chip).stop[-1]) > 0.06


@pytest.mark.parametrize("obsid", [3591, 22130])
def test_events_of_flight_observations_are_at_the_middle_of_frames(shared_data: Path, obsid: int) -> None:
    frames = read_frames(raw(shared_data, obsid, "stat1"))
    with EventFile.open(raw(shared_data, obsid, "evt2")) as events:
        for chunk in events.chunks():
            for chip in frames:
                assert np.isin(chunk["time"][chunk["ccd_id"] == chip], frames[chip].time).all()


def test_only_frames_with_aspect_solution_are_used(shared_data: Path) -> None:
    path = raw(shared_data, 22136, "stat1")
    every, some = read_frames(path)[7].time, read_frames(path, make_gti(667430000, 667435000))[7].time
    assert some.tolist() == every[(every >= 667430000) & (every < 667435000)].tolist()
    assert 0 < len(some) < len(every)


def test_statistics_without_the_length_of_a_frame_are_refused(tmp_path: Path) -> None:
    columns = [fits.Column(name, "1D", array=[1.0]) for name in ("TIME", "CCD_ID", "EXPNO")]
    fits.BinTableHDU.from_columns(columns, name="EXPSTATS").writeto(tmp_path / "stat1.fits")
    with pytest.raises(DataError, match=r"stat1\.fits: extension EXPSTATS has no number TIMEDEL"):
        read_frames(tmp_path / "stat1.fits")
