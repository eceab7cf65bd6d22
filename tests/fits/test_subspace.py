"""The data subspace says what is left in the columns, for every chip."""

from __future__ import annotations

import pytest
from astropy.io import fits

from chandra_runner.fits.subspace import restrict


def header(**keywords: str) -> fits.Header:
    return fits.Header({key.removeprefix("k"): value for key, value in keywords.items()})


def test_a_new_cut_is_noted_for_every_component() -> None:
    subspace = header(DSTYP1="time", DSVAL1="TABLE", DSREF1=":GTI7", k2DSREF1=":GTI6", k10DSREF1=":GTI3")
    restrict(subspace, "energy", [(500, 7000)], "E", "eV")
    assert subspace["DSTYP2"] == "energy"
    assert [subspace[f"{n}DSVAL2"] for n in ("", "2", "10")] == ["500:7000"] * 3
    assert (subspace["DSFORM2"], subspace["DSUNIT2"]) == ("E", "eV")
    assert subspace["DSVAL1"] == "TABLE"


@pytest.mark.parametrize(
    ("before", "ranges", "after"),
    [
        ("300:10000", [(500, 7000)], "500:7000"),
        ("1000:2000,3000:9000", [(500, 7000)], "1000:2000,3000:7000"),
        (":1000", [(500, 7000)], "500:1000"),
        ("600:", [(500, 7000.5)], "600:7000.5"),
        ("0:0,2:2,3:3,4:4,6:6", [(g, g) for g in (0, 1, 2, 6)], "0:0,2:2,6:6"),
        ("TABLE", [(500, 7000)], "TABLE"),
    ],
)
def test_cuts_add_up(before: str, ranges: list[tuple[float, float]], after: str) -> None:
    subspace = header(DSTYP3="ENERGY", DSVAL3=before, DSFORM3="E")
    restrict(subspace, "energy", ranges, "E")
    assert subspace["DSVAL3"] == after
    assert "DSTYP4" not in subspace


def test_a_header_without_subspace_gets_one() -> None:
    subspace = fits.Header()
    restrict(subspace, "grade", [(0, 0), (2, 2)], "I")
    assert dict(subspace) == {"DSTYP1": "grade", "DSVAL1": "0:0,2:2", "DSFORM1": "I"}
