"""Criteria decide which entries of a catalog are found, and say so in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from chandra_runner.archive.catalog import search
from chandra_runner.archive.catalog.catalogs import CATALOGS, CatalogEntry
from chandra_runner.archive.catalog.search import Criteria, find
from chandra_runner.archive.catalog.sky import Position

CRITERIA = Criteria(center=Position(10.0, 20.0), radius=0.2)
ENTRY = CatalogEntry(
    obsid=42,
    target="A",
    position=Position(10.1, 20.0),
    instrument="ACIS-I",
    grating="NONE",
    exposure=10.0,
    start=date(2010, 1, 31),
    status="archived",
)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"radius": 0.094},
        {"instrument": "ACIS"},
        {"instrument": "ACIS-I"},
        {"grating": "NONE"},
        {"min_exposure": 10.0},
        {"after": date(2010, 1, 31)},
        {"before": date(2010, 2, 1)},
        {"public": True},
    ],
)
def test_an_entry_that_meets_the_criteria_is_accepted(changes: dict[str, Any]) -> None:
    assert replace(CRITERIA, **changes).accepts(ENTRY)


@pytest.mark.parametrize(
    "changes",
    [
        {"radius": 0.093},
        {"instrument": "HRC"},
        {"instrument": "ACIS-S"},
        {"grating": "HETG"},
        {"min_exposure": 10.1},
        {"after": date(2010, 2, 1)},
        {"before": date(2010, 1, 31)},
    ],
)
def test_each_criterion_alone_can_refuse_an_entry(changes: dict[str, Any]) -> None:
    assert not replace(CRITERIA, **changes).accepts(ENTRY)


@pytest.mark.parametrize("status", ["scheduled", "unobserved", "canceled", ""])
def test_observations_without_data_are_never_accepted(status: str) -> None:
    assert not CRITERIA.accepts(replace(ENTRY, status=status))


def test_proprietary_and_undated_observations_are_accepted_unless_excluded() -> None:
    proprietary, undated = replace(ENTRY, status="observed"), replace(ENTRY, start=None)
    assert CRITERIA.accepts(proprietary)
    assert not replace(CRITERIA, public=True).accepts(proprietary)
    assert CRITERIA.accepts(undated)
    assert not replace(CRITERIA, after=date(1999, 1, 1)).accepts(undated)
    assert not replace(CRITERIA, before=date(2099, 1, 1)).accepts(undated)


def test_criteria_say_what_they_are() -> None:
    assert str(CRITERIA) == "within 12.0' of RA 10.00000, Dec +20.00000"
    everything = Criteria(
        center=Position(10.0, -20.0),
        radius=1.5,
        instrument="HRC",
        grating="LETG",
        min_exposure=5.0,
        after=date(2000, 1, 1),
        before=date(2001, 1, 1),
        public=True,
    )
    assert str(everything) == (
        "within 1.50 deg of RA 10.00000, Dec -20.00000, HRC, grating LETG, at least 5 ks, from 2000-01-01,"
        " before 2001-01-01, public"
    )


def test_observations_are_found_once_and_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [replace(ENTRY, obsid=obsid) for obsid in (30, 4, 30, 200)]
    far = replace(ENTRY, obsid=5, position=Position(10.0, 21.0))
    monkeypatch.setattr(search, "entries_in", lambda catalog, box, timeout: iter([*entries, far]))
    assert [entry.obsid for entry in find(CATALOGS["cxc"], CRITERIA, 1.0)] == [4, 30, 200]
