"""A catalog is queried for a box on the sky; whatever the service answers is checked."""

from __future__ import annotations

from datetime import date

import pytest

from chandra_runner.archive.catalog.catalogs import CATALOGS, CatalogEntry, catalog_at
from chandra_runner.archive.catalog.sky import Box, Position
from chandra_runner.archive.catalog.tap import box_query, entries_in
from chandra_runner.archive.http import HttpClient
from chandra_runner.errors import SiteError, UsageError

from ...tap_service import Services, answer_to

FIELD = Box(26.4, 26.8, 207.0, 207.4)
QUERY = box_query(CATALOGS["cxc"], FIELD)


def answered(monkeypatch: pytest.MonkeyPatch, body: bytes, status: int = 200) -> None:
    """Let every query have one answer."""
    monkeypatch.setattr(HttpClient, "query", lambda self, url, **_: (status, body))


@pytest.mark.parametrize(("name", "table"), [("cxc", "cxc.observation"), ("heasarc", "chanmaster")])
def test_a_query_has_numbers_and_the_catalogs_own_names_only(name: str, table: str) -> None:
    catalog = CATALOGS[name]
    columns = ", ".join(catalog.columns.values())
    assert box_query(catalog, Box(-1, 2, 10, 20)) == (
        f"SELECT {columns} FROM {table} WHERE dec BETWEEN -1.00000000 AND 2.00000000"
        " AND ra BETWEEN 10.00000000 AND 20.00000000"
    )


def test_a_box_over_the_zero_meridian_or_a_pole_is_asked_for_rightly() -> None:
    assert box_query(CATALOGS["cxc"], Box(-1, 2, 359, 1)).endswith(
        " AND (ra >= 359.00000000 OR ra <= 1.00000000)"
    )
    assert box_query(CATALOGS["cxc"], Box(80, 90)).endswith("WHERE dec BETWEEN 80.00000000 AND 90.00000000")


@pytest.mark.parametrize("service", ["cxc", "heasarc"])
def test_both_catalogs_give_the_same_entries(services: Services, service: str) -> None:
    address = f"{services.url}/{service}"
    catalog = catalog_at(address if service == "cxc" else f"heasarc={address}")
    entries = {entry.obsid: entry for entry in entries_in(catalog, FIELD, 30)}
    assert entries[493] == CatalogEntry(
        obsid=493,
        target="ABELL1795",
        position=Position(207.22, 26.59),
        instrument="ACIS-S",
        grating="NONE",
        exposure=pytest.approx(19.63),
        start=date(2000, 3, 21),
        status="archived",
    )
    assert 31000 in entries
    assert entries[31000].start is None


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("error", "refused the query: No such table 31m observation"),
        ("error400", "refused the query: No such table 31m observation"),
        ("broken", "gave no usable answer: the server answers 500"),
        ("html", "gave no usable answer: "),
        ("malformed", "gave no usable answer: "),
        ("cut", "gave no usable answer: the connection was cut"),
        ("silent", r"did not answer in 0\.3 s"),
        ("drip", r"did not answer in 0\.3 s"),
    ],
)
def test_a_service_that_fails_is_named(services: Services, service: str, message: str) -> None:
    timeout = 0.3 if service in ("silent", "drip") else 30
    with pytest.raises(SiteError, match=rf"^{services.url}/{service} {message}") as raised:
        list(entries_in(catalog_at(f"{services.url}/{service}"), FIELD, timeout))
    assert raised.value.hint.endswith("use --service heasarc")


def test_an_answer_without_a_column_is_refused(services: Services) -> None:
    with pytest.raises(SiteError, match="its answer has no column target_name, instrument, "):
        list(entries_in(catalog_at(f"{services.url}/columns"), FIELD, 30))


@pytest.mark.parametrize("place", [b"</TABLE>", b"</RESOURCE>"])
def test_a_table_that_was_cut_short_is_refused(monkeypatch: pytest.MonkeyPatch, place: bytes) -> None:
    overflow = b'<INFO name="QUERY_STATUS" value="OVERFLOW"/>'
    body = answer_to(QUERY, "tabledata")
    answered(monkeypatch, body.replace(place, place + overflow if place == b"</TABLE>" else overflow + place))
    with pytest.raises(UsageError, match="does not list all observations of so large a field; use a smaller"):
        list(entries_in(CATALOGS["cxc"], FIELD, 30))


def test_the_results_may_follow_other_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    body = answer_to(QUERY, "tabledata")
    start = b'<RESOURCE type="results">'
    assert start in body
    meta = b'<RESOURCE type="meta"><INFO name="service" value="x"/></RESOURCE>'
    overflow = body.replace(b"</TABLE>", b'</TABLE><INFO name="QUERY_STATUS" value="OVERFLOW"/>')
    answered(monkeypatch, body.replace(start, meta + start))
    assert 493 in {entry.obsid for entry in entries_in(CATALOGS["cxc"], FIELD, 30)}
    answered(monkeypatch, overflow.replace(start, meta + start))
    with pytest.raises(UsageError, match="smaller --radius"):
        list(entries_in(CATALOGS["cxc"], FIELD, 30))


def test_a_table_that_refers_to_a_file_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    body = answer_to(QUERY, "binary")
    assert b"<STREAM" in body
    answered(monkeypatch, body.replace(b"<STREAM", b'<STREAM href="file:///etc/passwd"'))
    with pytest.raises(SiteError, match="its table has its data elsewhere"):
        list(entries_in(CATALOGS["cxc"], FIELD, 30))


@pytest.mark.parametrize("body", [b"", b"<", b"<VOTABLE/>", b"\0" * 100, b"<?xml version='1.0'?><a/>"])
@pytest.mark.parametrize(
    ("status", "message"), [(200, "gave no usable answer"), (404, "the server answers 404")]
)
def test_an_answer_that_is_not_a_table_is_refused(
    monkeypatch: pytest.MonkeyPatch, body: bytes, status: int, message: str
) -> None:
    answered(monkeypatch, body, status)
    with pytest.raises(SiteError, match=message):
        list(entries_in(CATALOGS["cxc"], FIELD, 30))
