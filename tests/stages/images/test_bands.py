"""Energy bands: names, edges, effective energies; image grids."""

from __future__ import annotations

from typing import Any

import pytest
from astropy.units import Quantity

from chandra_runner.stages.images.bands import CSC_BANDS, Band, bands_of, parse_band
from chandra_runner.stages.rate_image import RateImage

from ..jobs import settings_of

DEFAULTS = settings_of(RateImage)


def complaints(**stated: Any) -> list[tuple[tuple[str | int, ...], str]]:
    return [(p.setting, p.message) for p in RateImage.check(settings_of(RateImage, **stated))]


def test_the_default_bands_are_four_of_the_catalogue_and_one_more() -> None:
    assert [band.name for band in bands_of(DEFAULTS)] == ["broad", "soft", "medium", "hard", "ultrasoft"]
    assert bands_of(DEFAULTS)[4] == Band("ultrasoft", 0.2, 0.5, 0.4)


def test_a_band_of_ones_own_has_its_edges_as_written_for_its_name() -> None:
    assert parse_band("0.3:2.0:0.9") == (Band("0.3-2.0", 0.3, 2.0, 0.9),)
    assert parse_band("0.3:2:.9") == (Band("0.3-2", 0.3, 2.0, 0.9),)
    assert parse_band("0.3:2:.9")[0].text == "0.3:2:0.9"


def test_a_band_of_the_catalogue_has_its_name_however_it_is_written() -> None:
    assert parse_band("0.5:7.0:2.3") == parse_band("broad") == (CSC_BANDS["broad"],)
    bounds = [[Quantity(500, "eV"), Quantity(7, "keV")]]
    assert bands_of(
        settings_of(RateImage, en_bounds=bounds, effective_ens=[Quantity(2300, "eV")])
    ) == parse_band("broad")
    assert parse_band("0.5:7.0:2.5")[0].name == "0.5-7.0"


def test_csc_means_soft_medium_and_hard() -> None:
    assert [band.name for band in parse_band("CSC")] == ["soft", "medium", "hard"]


@pytest.mark.parametrize(
    ("stated", "place", "words"),
    [
        ({"bands": ["broad", "2:0.3:0.9"]}, ("bands", 1), "edges in the wrong order"),
        ({"bands": ["2:2:2"]}, ("bands", 0), "empty"),
        ({"bands": ["0.3:2:2.1"]}, ("bands", 0), "is outside its band"),
        ({"bands": ["500:7000:2300"]}, ("bands", 0), "is not within 0.1 to 10 keV"),
        ({"bands": ["CSC", "soft"]}, ("bands", 1), "given twice"),
        (
            {"en_bounds": [["7 keV", "1 keV"]], "effective_ens": ["2 keV"]},
            ("en_bounds", 0),
            "edges in the wrong order",
        ),
        ({"en_bounds": [["1 keV", "7 keV"]], "effective_ens": ["8 keV"]}, ("effective_ens", 0), "outside"),
        (
            {"en_bounds": [["1 keV", "7 keV"]], "effective_ens": []},
            ("effective_ens",),
            "0 items for the 1",
        ),
        ({"xygrid": "2:1:1,1:2:1"}, ("xygrid",), "x axis runs from 2 to 1"),
        ({"xygrid": "1:2:1,1:2:0"}, ("xygrid",), "y step 0 is not positive"),
        ({"xygrid": "1:9:2,1:9:4"}, ("xygrid",), "the steps 2 and 4 differ"),
        ({"xygrid": "1:99999:1,1:99999:1"}, ("xygrid",), "99998 x 99998 pixels"),
    ],
)
def test_impossible_bands_and_grids_are_refused(
    stated: dict[str, Any], place: tuple[str | int, ...], words: str
) -> None:
    ((where, message),) = complaints(**stated)
    assert where == place
    assert words in message


def test_possible_bands_and_grids_are_not() -> None:
    assert complaints() == []
    assert complaints(bands=["ultrasoft", "CSC", "0.1:10:0.1"], xygrid="3142:5258:4,3278:5238:4") == []
