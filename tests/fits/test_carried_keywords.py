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


def test_images_and_light_curves_differ_only_in_the_documented_keywords() -> None:
    images, curves = set(IMAGE_KEYWORDS), set(LIGHT_CURVE_KEYWORDS)
    assert curves - images == {"RADESYS", "EQUINOX", "TIERRELA", "TIERABSO"}
    assert images - curves == {
        "TIMEDEL", "DEFOCUS", "ASCDSVER", "CALDBVER",
        "ASOLFILE", "BPIXFILE", "MASKFILE", "DTFFILE", "FLTFILE",
    }  # fmt: skip
