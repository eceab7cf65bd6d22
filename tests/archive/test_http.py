"""The HTTP client for queries: no way out of https, no answer without end, forms answered elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chandra_runner.archive.errors import ArchiveError, PassingError
from chandra_runner.archive.http import HttpClient


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
def client(server: Server) -> HttpClient:
    return HttpClient(server.url, 10.0)


def test_a_form_is_posted_and_its_result_is_read_where_it_is(server: Server, client: HttpClient) -> None:
    answer = client.answer(f"{server.url}/form", form={"QUERY": "SELECT a & b"}, limit=100)
    assert answer == (200, b"found")
    assert server.asked == [("POST", "/form", "QUERY=SELECT+a+%26+b"), ("GET", "/result", "")]


def test_the_body_of_an_error_is_an_answer_too(server: Server, client: HttpClient) -> None:
    assert client.answer(f"{server.url}/error", limit=100) == (400, b"why")


def test_an_answer_that_is_too_long_is_refused(server: Server, client: HttpClient) -> None:
    assert client.answer(f"{server.url}/long", limit=2000) == (200, b"x" * 2000)
    with pytest.raises(ArchiveError, match="more than 1999 bytes"):
        client.answer(f"{server.url}/long", limit=1999)


def test_an_answer_that_was_cut_short_is_refused(server: Server, client: HttpClient) -> None:
    with pytest.raises(PassingError, match="the connection was cut"):
        client.answer(f"{server.url}/cut", limit=100)


class Redirect:
    """An answer that redirects."""

    status = 303

    def __init__(self, target: str) -> None:
        self.headers = {"Location": target}

    def close(self) -> None:
        """Nothing is open."""


def test_a_redirection_from_https_to_http_is_followed_with_https_or_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str] = []

    def send(self: HttpClient, method: str, url: str, *_: object) -> object:
        asked.append(url)
        if len(asked) > 1:
            raise ArchiveError("enough")
        return Redirect("http://archive.example/result")

    monkeypatch.setattr(HttpClient, "_send", send)
    client = HttpClient("archive", 10.0)
    with pytest.raises(ArchiveError, match="enough"):
        client.answer("https://archive.example/form", form={}, limit=100)
    assert asked == ["https://archive.example/form", "https://archive.example/result"]
    asked.clear()
    with pytest.raises(ArchiveError, match="redirects to http://, which is not followed"):
        client.page("https://archive.example/files")
    assert asked == ["https://archive.example/files"]
