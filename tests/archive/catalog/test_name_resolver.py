"""A name becomes a position; a name that nobody knows and a service that is down are different errors."""

from __future__ import annotations

import pytest

from chandra_runner.archive.catalog import name_resolver
from chandra_runner.archive.catalog.name_resolver import MAX_NAME, resolve
from chandra_runner.archive.catalog.sky import Position
from chandra_runner.archive.http import HttpClient
from chandra_runner.errors import SiteError, UsageError

from ...tap_service import Services


def answered(monkeypatch: pytest.MonkeyPatch, text: str, status: int = 200) -> list[str]:
    """Let every query have one answer; return the list of addresses that are asked."""
    asked: list[str] = []

    def query(self: HttpClient, url: str, *, max_bytes: int) -> tuple[int, bytes]:
        asked.append(url)
        return status, text.encode()

    monkeypatch.setattr(HttpClient, "query", query)
    return asked


@pytest.mark.parametrize("name", ["Abell 1795", "A1795"])
def test_a_known_name_has_a_position(services: Services, name: str) -> None:
    assert resolve(name, f"{services.url}/sesame/", 10) == Position(207.2188, 26.5928)


def test_an_unknown_name_is_the_users_mistake(services: Services) -> None:
    with pytest.raises(UsageError, match=r"^no object named 'Abel l795' is known to Sesame") as raised:
        resolve("Abel l795", f"{services.url}/sesame/", 10)
    assert "--ra and --dec" in raised.value.hint


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("broken", "gave no usable answer: it answers 500"),
        ("html", "gave no usable answer: it is not one of Sesame"),
        ("drip", r"did not answer in 0\.3 s"),
    ],
)
def test_a_service_that_fails_is_not_the_users_mistake(
    services: Services, service: str, message: str
) -> None:
    with pytest.raises(SiteError, match=rf"^the name service \S+/{service}/ {message}"):
        resolve("Abell 1795", f"{services.url}/{service}/", 0.3)


def test_a_service_that_is_not_there_is_named() -> None:
    with pytest.raises(SiteError, match="gave no usable answer: it cannot be reached"):
        resolve("Abell 1795", "http://127.0.0.1:9/", 10)


@pytest.mark.parametrize("name", ["A\x1b[31m", "A\n", "A" * (MAX_NAME + 1)])
def test_a_name_that_no_object_has_is_not_sent(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    asked = answered(monkeypatch, "")
    with pytest.raises(UsageError, match="is not the name of an object"):
        resolve(name, "https://sesame.example/", 10)
    assert not asked


def test_databases_are_asked_in_the_order_simbad_ned_vizier(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answered(monkeypatch, "%J 10.5 -0.25 = 00 42\n#====Done")
    assert resolve("M 31 & ?x=#y", "https://sesame.example/", 10) == Position(10.5, -0.25)
    assert asked == ["https://sesame.example/SNV?M%2031%20%26%20%3Fx%3D%23y"]


def test_an_answer_that_was_cut_is_not_an_unknown_name(monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, "# M 31\t#Q1\n#=S=Simbad")
    with pytest.raises(SiteError, match="gave no usable answer"):
        resolve("M 31", name_resolver.SESAME, 10)
