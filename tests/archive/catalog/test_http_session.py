"""The HTTP session for small questions: no way out of https, no answer without end."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests

from chandra_runner.archive.catalog import http_session as session
from chandra_runner.archive.catalog.http_session import BoundedSession


class Recorded(requests.adapters.BaseAdapter):
    """Answers of a server, by address; keeps what it was asked for, and with which timeout."""

    def __init__(self, answers: dict[str, requests.Response]) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[tuple[str | None, object]] = []

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        self.asked.append((request.url, kwargs["timeout"]))
        answer = self.answers[str(request.url)]
        answer.request, answer.url = request, str(request.url)
        return answer

    def close(self) -> None:
        """There is nothing to close."""


def answer(status: int, body: bytes = b"", location: str = "") -> requests.Response:
    made = requests.Response()
    made.status_code = status
    made.raw = io.BytesIO(body)
    if location:
        made.headers["location"] = location
    return made


def session_with(answers: dict[str, requests.Response]) -> tuple[BoundedSession, Recorded]:
    recorded = Recorded(answers)
    made = BoundedSession(7.0, "tests")
    made.mount("https://", recorded)
    made.mount("http://", recorded)
    return made, recorded


def test_a_redirection_from_https_to_http_is_followed_with_https() -> None:
    made, recorded = session_with(
        {
            "https://archive.example/sync": answer(303, location="http://archive.example/results"),
            "https://archive.example/results": answer(200, b"found"),
        }
    )
    assert made.post("https://archive.example/sync", stream=True).raw.read() == b"found"
    assert recorded.asked == [
        ("https://archive.example/sync", 7.0),
        ("https://archive.example/results", 7.0),
    ]


def test_a_service_that_is_asked_with_http_may_redirect_to_http() -> None:
    made, recorded = session_with(
        {
            "http://mirror.example/sync": answer(303, location="http://mirror.example/results"),
            "http://mirror.example/results": answer(200, b"found"),
        }
    )
    assert made.post("http://mirror.example/sync", stream=True).raw.read() == b"found"
    assert len(recorded.asked) == 2


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "MAX_BYTES", 1000)
    made, _ = session_with({"https://archive.example/sync": answer(200, b"x" * 2000)})
    raw = made.get("https://archive.example/sync", stream=True).raw
    assert len(raw.read(1000)) == 1000
    with pytest.raises(OSError, match="more than 1000 bytes"):
        raw.read(1)
