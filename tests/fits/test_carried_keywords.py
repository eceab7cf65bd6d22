"""Files made from an event list carry the keywords that are as true of them."""

from __future__ import annotations

import pytest
from astropy.io import fits

from chandra_runner.fits.carried_keywords import IMAGE_KEYWORDS, LIGHT_CURVE_KEYWORDS, carried_keywords


def test_cards_are_carried_with_their_comments_in_the_order_of_the_keywords() -> None:
    header = fits.Header([("TSTOP", 2.0, "[s] end"), ("TSTART", 1.0, "[s] start"), ("NROWS", 5)])
    carried = carried_keywords(header, ("TSTART", "OBS_ID", "TSTOP"))
    assert [tuple(card) for card in carried.cards] == [
        ("TSTART", 1.0, "[s] start"),
        ("TSTOP", 2.0, "[s] end"),
    ]


@pytest.mark.parametrize("keywords", [IMAGE_KEYWORDS, LIGHT_CURVE_KEYWORDS], ids=["image", "light_curve"])
def test_no_keyword_is_carried_twice(keywords: tuple[str, ...]) -> None:
    assert len(set(keywords)) == len(keywords)


def test_images_carry_all_that_light_curves_do_but_the_frame_of_coordinates() -> None:
    assert set(LIGHT_CURVE_KEYWORDS) - set(IMAGE_KEYWORDS) == {"RADESYS", "EQUINOX"}
    assert "TIMEDEL" not in LIGHT_CURVE_KEYWORDS
