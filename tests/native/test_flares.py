"""Flares are removed as by CIAO's deflare, to the number."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.flares import FlareFilterResult, NoGoodTime, clean_mean, clean_sigma, most_dropped

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


def test_empty_bins_lower_the_quiet_level() -> None:
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


@pytest.mark.parametrize(("high", "found"), [(1, True), (2, True), (3, False)])
def test_three_sigma_can_drop_two_of_twenty_bins(high: int, found: bool) -> None:
    result = clean_sigma(*curve(*[1e9] * high, *[1.0] * (20 - high)), allowed_sigma=3, min_length=1)
    assert bool(result.good[0]) is not found
    assert most_dropped(20, 3) == 2
