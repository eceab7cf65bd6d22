"""A service is one of the known ones, or an address with the table of one of them."""

from __future__ import annotations

import pytest

from chandra_runner.archive.catalog.catalogs import catalog_at
from chandra_runner.errors import UsageError


@pytest.mark.parametrize(
    ("service", "url", "table"),
    [
        ("cxc", "https://cda.cfa.harvard.edu/cxctap", "cxc.observation"),
        ("heasarc", "https://heasarc.gsfc.nasa.gov/xamin/vo/tap", "chanmaster"),
        ("https://tap.example/x/", "https://tap.example/x", "cxc.observation"),
        ("https://tap.example/x?a=b", "https://tap.example/x?a=b", "cxc.observation"),
        ("heasarc=http://tap.example", "http://tap.example", "chanmaster"),
    ],
)
def test_a_service_is_a_name_or_an_address(service: str, url: str, table: str) -> None:
    catalog = catalog_at(service)
    assert (catalog.url, catalog.table) == (url, table)


@pytest.mark.parametrize(
    "service", ["cxcc", "", "ftp://tap.example", "heasarc=file:///etc", "simbad=https://x"]
)
def test_other_services_are_the_users_mistake(service: str) -> None:
    with pytest.raises(UsageError, match=f"^--service {service}: "):
        catalog_at(service)
