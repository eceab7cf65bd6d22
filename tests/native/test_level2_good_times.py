"""Good times of level 2 have aspect solution and whole frames, as those of CIAO's chandra_repro."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.native.aspect import Aspect, make_aspect, read_aspect
from chandra_runner.native.level2_good_times import GoodTimeInputs, Level2GoodTimes, level2_good_times

from ..event_files import write_events

GTIS = {7: ([1000], [1400]), 6: ([1100, 1600], [1500, 1900])}


def aspect_at(*times: float) -> Aspect:
    """An aspect solution with rows at some times."""
    others = dict.fromkeys(("ra", "dec", "roll", "dy", "dz", "dtheta"), np.zeros(len(times)))
    return make_aspect(time=np.array(times, dtype=float), **others)


def good_times_of(tmp_path: Path, inputs: GoodTimeInputs) -> Level2GoodTimes:
    """The good times of level 1 for an event list with `GTIS`."""
    with EventFile.open(write_events(tmp_path / "evt.fits", gtis=GTIS)) as events:
        return level2_good_times(events, inputs, level_1=True)


def test_good_times_end_with_the_aspect_solution_and_what_is_lost_is_said(tmp_path: Path) -> None:
    found = good_times_of(tmp_path, GoodTimeInputs(aspect=aspect_at(*range(1050, 1301, 5))))
    assert found.good_times.of(7).edges().tolist() == [1050, 1300]
    assert found.good_times.of(6).edges().tolist() == [1100, 1300]
    assert found.warnings == ("150.0 of 400.0 s of good time have no aspect solution and are not used",)


def test_the_loss_of_a_frame_is_not_worth_a_warning(tmp_path: Path) -> None:
    found = good_times_of(tmp_path, GoodTimeInputs(aspect=aspect_at(*range(1003, 2003, 5))))
    assert found.good_times.of(7).edges().tolist() == [1003, 1400]
    assert found.warnings == ()


def test_a_gap_of_the_aspect_solution_remains_good_time_as_in_ciao_and_is_said(tmp_path: Path) -> None:
    found = good_times_of(tmp_path, GoodTimeInputs(aspect=aspect_at(*range(990, 1200), *range(1260, 2010))))
    assert found.good_times.of(7).total() == 400
    (warning,) = found.warnings
    assert "gaps of 61.0 s" in warning


def test_without_other_files_good_times_are_those_of_the_events(tmp_path: Path) -> None:
    found = good_times_of(tmp_path, GoodTimeInputs())
    assert {chip: gti.edges().tolist() for chip, gti in found.good_times.by_chip.items()} == {
        7: [1000, 1400],
        6: [1100, 1500, 1600, 1900],
    }
    assert found.history == found.warnings == ()


def test_a_chip_without_frames_has_no_good_time_and_that_is_said(tmp_path: Path) -> None:
    columns = {"TIME": np.arange(5, 3000, 10), "CCD_ID": np.full(300, 7), "EXPNO": np.arange(300)}
    table = fits.BinTableHDU.from_columns([fits.Column(n, "1D", array=a) for n, a in columns.items()])
    table.header["TIMEDEL"] = 10.0
    table.writeto(tmp_path / "stat1.fits")
    found = good_times_of(tmp_path, GoodTimeInputs(statistics=tmp_path / "stat1.fits"))
    assert found.good_times.of(7).total() == 400
    assert found.good_times.of(6).total() == 0
    assert found.warnings == ("stat1.fits has no frames of chip 6: no good time",)


def gti_align(
    table: fits.FITS_rec, length: float, chip: int, start: float, stop: float
) -> tuple[float, float]:
    """CIAO's rule, frame by frame: the first that ends 1 ms after the start, the last that begins before."""
    rows = [(row["TIME"], row["EXPNO"]) for row in table if row["CCD_ID"] == chip]

    def edge(one: int, other: int, side: int) -> float:
        follows = 0 <= other < len(rows) and abs(rows[other][1] - rows[one][1]) == 1
        return (rows[one][0] + rows[other][0]) / 2 if follows else rows[one][0] + side * length / 2

    frames = [(edge(n, n - 1, -1), edge(n, n + 1, 1)) for n in range(len(rows))]
    first = next(frame for frame in frames if start + 0.001 <= frame[1])
    last = next(frame for frame in reversed(frames) if stop - 0.001 >= frame[0])
    return first[0], last[1]


def expected(flt1: Path, stat1: Path, span: tuple[float, float]) -> Iterator[tuple[int, list[float]]]:
    """The edges of the good times by chip, computed one by one."""
    with fits.open(stat1, memmap=False) as hdus:
        table, length = hdus[1].data, hdus[1].header["TIMEDEL"]
        table = table[(table["TIME"] >= span[0]) & (table["TIME"] < span[1])]
    with fits.open(flt1, memmap=False) as hdus:
        for hdu in hdus[2:]:
            chip, edges = hdu.header["CCD_ID"], []
            for start, stop in zip(hdu.data["START"], hdu.data["STOP"], strict=True):
                if start < span[1] and stop > span[0]:
                    edges += gti_align(table, length, chip, max(start, span[0]), min(stop, span[1]))
            yield chip, edges


@pytest.mark.parametrize(("first", "last"), [(0.0, 1.0), (0.1, 0.62)])
def test_good_times_are_those_of_an_independent_computation(
    shared_data: Path, first: float, last: float
) -> None:
    directory = shared_data / "sim/90006"
    names = ("*e1_evt1*", "*e1_flt1*", "*e1_stat1*")
    evt1, flt1, stat1 = (next(directory.glob(f"secondary/{name}")) for name in names)
    whole = read_aspect(sorted(directory.glob("primary/*asol1*")))
    times = whole.time[int(first * len(whole.time)) : int(last * len(whole.time))]
    with EventFile.open(evt1) as events:
        found = level2_good_times(events, GoodTimeInputs(flt1, stat1, aspect_at(*times)), level_1=True)
    for chip, edges in expected(flt1, stat1, (times[0], times[-1])):
        good = make_gti(edges[::2], edges[1::2]).intersect(events.good_times.of(chip))
        np.testing.assert_allclose(found.good_times.of(chip).edges(), good.edges(), rtol=0, atol=1e-7)


def test_hrc_keeps_its_good_times_within_the_aspect_solution(tmp_path: Path) -> None:
    path = write_events(tmp_path / "evt.fits", gtis={None: ([1000], [1900])}, INSTRUME="HRC")
    with EventFile.open(path) as events:
        found = level2_good_times(events, GoodTimeInputs(aspect=aspect_at(900, 909, 1500)), level_1=True)
    assert isinstance(found.good_times, GoodTimes)
    assert found.good_times.shared
    assert found.good_times.first.edges().tolist() == make_gti([1000], [1500]).edges().tolist()
