"""Chandra's detectors are known by name, and their chips by number."""

from __future__ import annotations

import math

import pytest

from chandra_runner.errors import DataError
from chandra_runner.native.detectors import ACIS, HRC_I, HRC_S, Detector, detector_of


@pytest.mark.parametrize(
    ("header", "detector"),
    [
        ({"DETNAM": "ACIS-0123"}, ACIS),
        ({"DETNAM": "HRC-I "}, HRC_I),
        ({"DETNAM": "HRC-S", "INSTRUME": "HRC"}, HRC_S),
        ({"INSTRUME": "ACIS"}, ACIS),
    ],
)
def test_the_detector_is_that_of_the_header(header: dict[str, str], detector: Detector) -> None:
    assert detector_of(header) is detector


def test_a_header_without_a_chandra_detector_is_refused() -> None:
    with pytest.raises(DataError, match="DETNAM is 'EPIC'"):
        detector_of({"DETNAM": "EPIC"})


def test_a_chip_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DataError, match="ACIS has no chip 12"):
        ACIS.chip(12)


@pytest.mark.parametrize(
    ("detector", "pixel"),
    [(ACIS, 0.02398), (HRC_I, 0.006429), (HRC_S, 0.006429)],
    ids=["ACIS", "HRC-I", "HRC-S"],
)
def test_chips_have_square_pixels_of_the_known_size(detector: Detector, pixel: float) -> None:
    for chip in detector.chips.values():
        assert math.hypot(*chip.along_x) / chip.nx == pytest.approx(pixel, rel=2e-3)
        assert math.hypot(*chip.along_y) / chip.ny == pytest.approx(pixel, rel=2e-3)


def test_sky_coordinates_have_their_center_in_the_middle() -> None:
    assert [detector.size for detector in (ACIS, HRC_I, HRC_S)] == [8192, 32768, 65536]
