"""The HTTP client: retries have bounds, https stays https, answers end, and forms are answered elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chandra_runner.archive import http
from chandra_runner.archive.errors import ArchiveError, TemporaryError
from chandra_runner.archive.http import HttpClient
from chandra_runner.archive.http_response import redirect_target


class Handler(BaseHTTPRequestHandler):
    """Answers by path; keeps what it was asked."""

    server: Server

    def do_GET(self) -> None:
        self.answer("")

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def answer(self, body: str) -> None:
        self.server.asked.append((self.command, self.path, body))
        if self.path == "/form":
            self.send_response(303)
            self.send_header("Location", "/result")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        if self.path.startswith("/to?"):
            self.send_response(302)
            self.send_header("Location", self.path.partition("?")[2])
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content = {"/result": b"found", "/long": b"x" * 2000, "/cut": b"x" * 10, "/error": b"why"}[self.path]
        self.send_response(400 if self.path == "/error" else 200)
        self.send_header("Content-Length", "100" if self.path == "/cut" else str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Nothing on standard error."""


class Server(ThreadingHTTPServer):
    """A server on loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str, str]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    thread = threading.Thread(target=found.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


@pytest.fixture
def client(server: Server, monkeypatch: pytest.MonkeyPatch) -> HttpClient:
    monkeypatch.setenv("no_proxy", "*")
    return HttpClient(server.url, idle_timeout=10)


def test_a_form_is_posted_and_its_result_is_read_where_it_is(server: Server, client: HttpClient) -> None:
    answer = client.query(f"{server.url}/form", form={"QUERY": "SELECT a & b"}, max_bytes=100)
    assert answer == (200, b"found")
    assert server.asked == [("POST", "/form", "QUERY=SELECT+a+%26+b"), ("GET", "/result", "")]


def test_the_body_of_an_error_is_an_answer_too(server: Server, client: HttpClient) -> None:
    assert client.query(f"{server.url}/error", max_bytes=100) == (400, b"why")


def test_an_answer_that_is_too_long_is_refused(server: Server, client: HttpClient) -> None:
    assert client.query(f"{server.url}/long", max_bytes=2000) == (200, b"x" * 2000)
    with pytest.raises(ArchiveError, match="more than 1999 bytes"):
        client.query(f"{server.url}/long", max_bytes=1999)


def test_an_answer_that_was_cut_short_is_refused(server: Server, client: HttpClient) -> None:
    with pytest.raises(TemporaryError, match="the connection was cut"):
        client.query(f"{server.url}/cut", max_bytes=100)


@pytest.mark.parametrize(
    ("url", "location", "target"),
    [
        ("https://a.example/form", "/result", "https://a.example/result"),
        ("https://a.example/form", "https://b.example/x", "https://b.example/x"),
        ("https://a.example/form", "http://a.example/x?y=1", "https://a.example/x?y=1"),
        ("https://a.example/form", "http://b.example:80/x", "https://b.example/x"),
        ("http://a.example/form", "https://a.example/form", "https://a.example/form"),
        ("http://a.example/form", "http://a.example/x", "http://a.example/x"),
        ("http://a.example:8080/form", "/x", "http://a.example:8080/x"),
    ],
)
def test_a_redirection_is_followed_if_it_stays_as_safe(url: str, location: str, target: str) -> None:
    assert redirect_target(url, location) == target


@pytest.mark.parametrize(
    ("url", "location", "message"),
    [
        ("https://a.example/", "http://a.example:8080/x", "redirects to http://, which is not followed"),
        ("https://a.example/", "ftp://a.example/x", "redirects to ftp://, which is not followed"),
        ("https://a.example/", "file:///etc/passwd", "redirects to file://, which is not followed"),
        ("http://a.example/", "http://b.example/", "redirects to another server, b.example, without TLS"),
        ("http://a.example/", "http://a.example:81/", "redirects to another server, a.example:81, without"),
        ("https://a.example/", "https://[broken/", "redirects to an address that is not valid"),
        ("https://a.example/", "https://b.example:port/", "redirects to an address that is not valid"),
    ],
)
def test_other_redirections_are_refused(url: str, location: str, message: str) -> None:
    with pytest.raises(ArchiveError, match=message):
        redirect_target(url, location)


def test_pages_and_queries_are_redirected_by_the_same_rules(server: Server, client: HttpClient) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    with pytest.raises(ArchiveError, match=r"redirects to another server, localhost:\d+, without TLS"):
        client.query(f"{server.url}/to?{other}/result", max_bytes=100)
    with pytest.raises(ArchiveError, match=r"redirects to another server, localhost:\d+, without TLS"):
        client.read(f"{server.url}/to?{other}/result")
    assert client.read(f"{server.url}/to?{server.url}/result") == b"found"


def test_a_try_that_made_progress_does_not_count(client: HttpClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "FIRST_PAUSE", 0.0)
    monkeypatch.setattr(http, "LONGEST_PAUSE", 0.0)
    received, tries = 0, 0

    def attempt() -> None:
        nonlocal received, tries
        received, tries = received + (http.ENOUGH_PROGRESS if tries < 20 else 0), tries + 1
        raise TemporaryError("the connection was cut")

    with pytest.raises(ArchiveError, match="cut; tried 5 times"):
        client.retry(attempt, lambda: received)
    assert tries == 20 + http.TRIES - 1


def test_a_server_that_asks_for_a_longer_pause_gets_it_within_limits(
    client: HttpClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(http.time, "sleep", pauses.append)
    waits = iter([30.0, 100_000.0, 0.0])

    def attempt() -> str:
        wait = next(waits, None)
        if wait is None:
            return "done"
        raise TemporaryError("the server answers 503", wait)

    assert client.retry(attempt) == "done"
    assert pauses[:2] == [30.0, http.LONGEST_PAUSE]
    assert 1.0 <= pauses[2] <= 3.0  # 4 x FIRST_PAUSE, times a random factor of 0.5 to 1.5


def test_a_proxy_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with pytest.raises(TemporaryError, match="the proxy cannot be reached"):
        HttpClient("archive", idle_timeout=10).query("http://archive.example/", max_bytes=100)
