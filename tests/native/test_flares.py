"""Flares are removed as by CIAO's deflare, to the number."""

from __future__ import annotations

import json
import re
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.gti import make_gti
from chandra_runner.native.flares import (
    FlareFilterResult,
    NoGoodTime,
    clean_mean,
    clean_sigma,
    most_dropped,
    write_gti,
)
from chandra_runner.native.level2 import read_good_times

CASES = (
    "quiet_sigma", "two_flares", "gaps_and_flare", "minlength_one", "low_counts", "partial_bins",
    "no_exposure_column", "clean_default", "clean_stddev", "clean_259s", "clean_dominated_by_flare",
    "all_zero", "nothing_long_enough",
)  # fmt: skip
CLEAN = {"allowed_sigma": 3.0, "mean": None, "stddev": None, "scale": 1.2, "minfrac": 0.1}


def clean(path: Path, settings: dict[str, Any]) -> FlareFilterResult:
    """Run the method on a light curve with the settings that CIAO's function was called with."""
    curve = fits.getdata(path, 1)
    times_and_rate = [np.asarray(curve[name], "f8") for name in ("TIME_MIN", "TIME_MAX", "COUNT_RATE")]
    if settings["method"] == "sigma":
        return clean_sigma(*times_and_rate, allowed_sigma=settings["sigma"], min_length=settings["minlength"])
    exposure = np.asarray(curve["EXPOSURE"], "f8")
    return clean_mean(*times_and_rate, exposure, **{**CLEAN, "stddev": settings.get("sigma")})


@pytest.fixture(scope="module")
def answers(shared_data: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_data / "oracle/deflare/expected.json").read_text())
    assert sorted(found) == sorted(CASES)
    return found


@pytest.mark.parametrize("name", CASES)
def test_the_answer_is_that_of_ciao(shared_data: Path, answers: dict[str, Any], name: str) -> None:
    expected, path = answers[name], shared_data / f"oracle/deflare/{name}.fits"
    if "error" in expected:
        with pytest.raises(DataError) as caught:
            clean(path, expected["settings"])
        words = re.sub(r"^\w+: (Error: )?| \(\w+\.fits\)$|!$", "", expected["error"])
        assert words in str(caught.value)
        return
    result = clean(path, expected["settings"])
    np.testing.assert_array_equal(np.column_stack([result.gti.start, result.gti.stop]), expected["gti"])
    for rate in ("min_rate", "max_rate", "mean_rate"):
        assert getattr(result, rate) == pytest.approx(expected[rate], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("all_zero", NoGoodTime),
        ("nothing_long_enough", NoGoodTime),
        ("clean_dominated_by_flare", DataError),
    ],
)
def test_no_good_time_differs_from_failure(
    shared_data: Path, answers: dict[str, Any], name: str, error: type[DataError]
) -> None:
    with pytest.raises(DataError) as caught:
        clean(shared_data / f"oracle/deflare/{name}.fits", answers[name]["settings"])
    assert caught.type is error


def curve(*rates: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Bins of 100 s that begin at 0 s."""
    edges = 100.0 * np.arange(len(rates) + 1)
    return edges[:-1], edges[1:], np.array(rates)


def test_one_bin_is_not_enough_for_either_method() -> None:
    with pytest.raises(DataError, match="at least two bins, but has 1") as caught:
        clean_sigma(*curve(1.0), allowed_sigma=3, min_length=1)
    assert caught.type is DataError
    with pytest.raises(DataError, match="at least two bins, but has 1"):
        clean_mean(*curve(1.0), np.array([100.0]), **CLEAN)


def test_a_given_quiet_level_is_used() -> None:
    exposure = np.full(5, 100.0)
    result = clean_mean(*curve(9, 9, 1, 1.1, 9), exposure, **{**CLEAN, "mean": 1.0})
    assert (result.min_rate, result.max_rate) == (1 / 1.2, 1.2)
    assert result.good.tolist() == [False, False, True, True, False]
    assert result.mean_rate == pytest.approx(1.05)


def test_empty_bins_lower_the_quiet_level_but_are_not_good_above_a_limit() -> None:
    # 0 is within 3 Poisson errors of 0.01 count/s in 100 s: the level is the mean of all eight bins.
    exposure = np.full(8, 100.0)
    result = clean_mean(*curve(0, *[0.01] * 7), exposure, **CLEAN)
    assert result.max_rate == pytest.approx(1.2 * 0.07 / 8)
    assert result.good.tolist() == [False] + [True] * 7


def test_too_few_quiet_bins_mean_no_good_time() -> None:
    exposure = np.full(5, 100.0)
    with pytest.raises(NoGoodTime, match="only 1 of 5 bins"):
        clean_mean(*curve(9, 9, 1, 9, 9), exposure, **{**CLEAN, "mean": 1.0, "minfrac": 0.3})


def test_limits_that_leave_no_bin_mean_no_good_time() -> None:
    with pytest.raises(NoGoodTime, match=r"within 0\.5 standard deviations"):
        clean_sigma(*curve(1, 2), allowed_sigma=0.5, min_length=1)


def test_bins_without_a_rate_end_a_run() -> None:
    result = clean_sigma(*curve(1, 1, 0, 1, 1, 1), allowed_sigma=3, min_length=3)
    assert result.good.tolist() == [False, False, False, True, True, True]
    assert (result.gti.start.tolist(), result.gti.stop.tolist()) == ([300.0], [600.0])


def test_empty_bins_are_kept_where_the_lower_limit_is_negative_and_no_run_is_dropped() -> None:
    rates = [1, 3, 0, 1, 3]
    assert clean_sigma(*curve(*rates), allowed_sigma=3, min_length=2).good.all()
    # With a longer least length, CIAO lists the runs of bins with a rate instead.
    kept = clean_sigma(*curve(1, *rates), allowed_sigma=3, min_length=3)
    assert kept.good.tolist() == [True, True, True, False, False, False]
    assert kept.min_rate < 0


def test_method_clean_keeps_empty_bins_above_a_negative_limit() -> None:
    settings = {**CLEAN, "mean": 0.02, "stddev": 2.0}
    result = clean_mean(*curve(0.02, 0, 0.03, 0.09), np.full(4, 100.0), **settings)
    assert result.good.tolist() == [True, True, True, False]


def test_no_bin_of_a_constant_rate_is_strictly_between_its_limits() -> None:
    with pytest.raises(NoGoodTime, match="no bin is strictly between 1 and 1 ct/s"):
        clean_sigma(*curve(1, 1, 1, 1), allowed_sigma=3, min_length=2)


def by_hand(rates: list[float], allowed_sigma: float, min_length: int) -> list[bool] | None:
    """The rule of method sigma, bin by bin; None where CIAO raises an error or selects nothing."""
    kept = {i for i, rate in enumerate(rates) if rate > 0}
    dropped = kept
    while kept and dropped:
        mean = float(np.mean([rates[i] for i in sorted(kept)]))
        std = float(np.std([rates[i] for i in sorted(kept)]))
        dropped = {i for i in kept if std and abs(rates[i] - mean) / std > allowed_sigma}
        kept = kept - dropped
    runs = [set(run) for on, run in groupby(range(len(rates)), kept.__contains__) if on]
    long = [run for run in runs if len(run) >= min_length]
    if long == runs and runs:
        low, high = mean - allowed_sigma * std, mean + allowed_sigma * std
        good = {i for i, rate in enumerate(rates) if low < rate < high}
    else:
        good = set().union(*long)
    return [i in good for i in range(len(rates))] if good else None


def test_method_sigma_follows_the_rule_in_random_light_curves() -> None:
    rng = np.random.default_rng(15)
    answers = []
    for _ in range(300):
        counts = rng.poisson(10 ** rng.uniform(-0.5, 1.5), rng.integers(2, 40))
        counts[rng.random(len(counts)) < 0.1] *= 5
        sigma, length = rng.choice([0.5, 1.0, 2.5, 3.0]), int(rng.choice([1, 1, 2, 3]))
        expected = by_hand((counts / 100.0).tolist(), sigma, length)
        try:
            result = clean_sigma(*curve(*counts / 100.0), allowed_sigma=sigma, min_length=length)
            assert result.good.tolist() == expected
        except NoGoodTime:
            assert expected is None
        answers.append(expected)
    assert 30 < answers.count(None) < 150


def test_limits_are_those_that_ciao_printed_for_13858() -> None:
    # Without the events, only the arithmetic can be repeated: from the lower limit to the upper one.
    low, high = 2.7088414284775522, 3.9007316570076744
    exposure = np.full(4, 259.28)
    result = clean_mean(*curve(low, 2.71, 3.9, high), exposure, **{**CLEAN, "mean": low * 1.2})
    assert (result.min_rate, result.max_rate) == pytest.approx((low, high), rel=1e-15)
    assert f"{low * 1.2:.6g}" == "3.25061"
    assert result.good.tolist()[1:3] == [True, True]


def test_good_times_follow_an_empty_table_that_tells_ciao_where_they_are(tmp_path: Path) -> None:
    write_gti(tmp_path / "gti.fits", make_gti([0.0, 500.0], [100.0, 900.0]), fits.Header(), ["a line"])
    with fits.open(tmp_path / "gti.fits", checksum=True) as hdus:
        assert [hdu.name for hdu in hdus] == ["PRIMARY", "FILTER", "GTI"]
        subspace = {key: hdus["FILTER"].header[key] for key in ("DSTYP1", "DSVAL1", "DSREF1")}
        assert len(hdus["FILTER"].data) == 0
    assert subspace == {"DSTYP1": "TIME", "DSVAL1": "TABLE", "DSREF1": ":GTI"}
    assert read_good_times(tmp_path / "gti.fits").first.edges().tolist() == [0.0, 100.0, 500.0, 900.0]


@pytest.mark.parametrize(("high", "found"), [(1, True), (2, True), (3, False)])
def test_nearly_three_sigma_can_drop_two_of_twenty_bins(high: int, found: bool) -> None:
    # Two of twenty are 3 standard deviations from the mean; at exactly 3, rounding would decide.
    quiet = [1.0, 1.1] * 10
    result = clean_sigma(*curve(*[1e9] * high, *quiet[high:]), allowed_sigma=2.99, min_length=1)
    assert bool(result.good[0]) is not found
    assert most_dropped(20, 2.99) == 2
