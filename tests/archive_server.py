"""An archive on loopback, which serves ObsID directories as it should, or as badly as a test needs."""

from __future__ import annotations

import hashlib
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

MODIFIED = 1_600_000_000
"""Last-Modified of every file, s since 1970."""
PIECE = 1 << 14
PAGE_KEYS = 7
"""Keys on a page of a bucket's listing."""

APACHE = """<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">
<html>
 <head><title>Index of {url}</title></head>
 <body>
<h1>Index of {url}</h1>
  <table>
   <tr><th valign="top"><img src="/icons/blank.gif" alt="[ICO]"></th><th><a href="?C=N;O=D">Name</a></th>
   <th><a href="?C=M;O=A">Last modified</a></th><th><a href="?C=S;O=A">Size</a></th></tr>
   <tr><th colspan="5"><hr></th></tr>
<tr><td valign="top"><img src="/icons/back.gif" alt="[PARENTDIR]"></td>
<td><a href="{parent}">Parent Directory</a></td><td>&nbsp;</td><td align="right">  - </td></tr>
{rows}   <tr><th colspan="5"><hr></th></tr>
</table>
</body></html>
"""
APACHE_ROW = """<tr><td valign="top"><img src="/icons/unknown.gif" alt="[   ]"></td>
<td><a href="{link}">{name}</a></td><td align="right">2020-09-13 12:26  </td><td align="right">1.2M</td></tr>
"""
NGINX = """<html>\r
<head><title>Index of {url}</title></head>\r
<body>\r
<h1>Index of {url}</h1><hr><pre><a href="../">../</a>\r
{rows}</pre><hr></body>\r
</html>\r
"""
NGINX_ROW = '<a href="{link}">{name}</a>                  13-Sep-2020 12:26             1258291\r\n'


@dataclass(frozen=True)
class Request:
    """A request: method, path, first byte; and how many bytes of the body were sent."""

    method: str
    path: str
    start: int
    sent: int


Answer = Callable[["Handler", str, bytes], int]
"""Answers a request for a file in some way; says how many bytes of its body it sent."""


@dataclass
class Site:
    """What a server has, and how it behaves.

    Parameters
    ----------
    files : dict of str to bytes
        By path, without a slash at the start.
    style : str
        ``apache`` or ``nginx``: how its index pages look; or ``s3``.
    answers : dict of str to list
        How the next requests for a path are answered, one after the other; then as usual.
    names : dict of str to list of str
        Links that an index page has besides.
    etags : bool
        Whether it sends ETags; else Last-Modified dates only.
    gate : callable
        Called with a number of bytes before they are sent.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    style: str = "apache"
    answers: dict[str, list[Answer]] = field(default_factory=lambda: defaultdict(list))
    names: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    etags: bool = True
    gate: Callable[[int], None] = lambda count: None
    requests: list[Request] = field(default_factory=list)
    closed: threading.Event = field(default_factory=threading.Event)

    def add(self, obsid: int, directory: Path) -> None:
        """Serve an ObsID directory."""
        for path in sorted(p for p in directory.rglob("*") if p.is_file()):
            self.files[f"{prefix(obsid)}{path.relative_to(directory).as_posix()}"] = path.read_bytes()

    def answer(self, path: str, *answers: Answer) -> None:
        """Answer the next requests for a file in these ways."""
        self.answers[path] += answers

    def asked(self, method: str = "GET", under: str = "") -> list[Request]:
        """Requests for files, in their order."""
        return [r for r in self.requests if r.method == method and r.path in self.files and under in r.path]

    def find(self, obsid: int, ending: str) -> str:
        """Path of the one file that ends so."""
        (found,) = [p for p in self.files if p.startswith(prefix(obsid)) and p.endswith(ending)]
        return found


def prefix(obsid: int) -> str:
    """Return the path of an ObsID directory."""
    return f"byobsid/{obsid % 10}/{obsid}/"


@contextmanager
def serve(site: Site, context: ssl.SSLContext | None = None) -> Iterator[str]:
    """Run a server for the length of the block; yield its URL."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("SiteHandler", (Handler,), {"site": site}))
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]  # clients that go away are no news
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http{'s' if context else ''}://127.0.0.1:{server.server_address[1]}/"
    finally:
        site.closed.set()
        server.shutdown()
        server.server_close()
        thread.join()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection's requests."""

    protocol_version = "HTTP/1.1"
    site: Site

    def setup(self) -> None:
        """Keep little on the way, so that what is sent is soon received."""
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 16)
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().setup()

    def do_GET(self) -> None:
        """Send a page, or a file in one of its ways."""
        path = unquote(urlsplit(self.path).path).lstrip("/")
        if self.site.style == "s3" and not path:
            self.page(bucket_page(self.site.files, parse_qs(urlsplit(self.path).query)).encode())
        elif path.endswith("/"):
            self.index(path)
        else:
            self.file(path)

    def do_HEAD(self) -> None:
        """Say what would be sent."""
        self.do_GET()

    def index(self, path: str) -> None:
        """Send the index page of a directory."""
        names = index_names(self.site.files, path)
        if self.site.answers[path]:
            self.site.answers[path].pop(0)(self, path, b"")
        elif not names or self.site.style == "s3":
            self.send_error(404)
        else:
            self.page(index_page(self.site.style, path, names, self.site.names[path]).encode())

    def page(self, body: bytes) -> None:
        """Send a page."""
        self.send_response(200)
        self.send_header("Content-Type", "text/html;charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def file(self, path: str) -> None:
        """Send a file, or what a test wants sent instead."""
        body = self.site.files.get(path)
        if body is None:
            self.send_error(404)
            return
        answers = self.site.answers[path] if self.command == "GET" else []
        start, sent = range_start(self.headers.get("Range", "")), 0
        place = len(self.site.requests)
        self.site.requests.append(Request(self.command, path, start, 0))
        try:
            sent = (answers.pop(0) if answers else well)(self, path, body)
        finally:
            self.site.requests[place] = Request(self.command, path, start, sent)

    def head(self, status: int, length: int, body: bytes, **headers: str) -> None:
        """Send the head of an answer."""
        self.send_response(status)
        self.send_header("Content-Length", str(length))
        self.send_header("Last-Modified", formatdate(MODIFIED, usegmt=True))
        if self.site.etags:
            self.send_header("ETag", etag(body))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def send(self, data: bytes) -> int:
        """Send data in pieces, each when the gate lets it through."""
        for place in range(0, len(data), PIECE):
            piece = data[place : place + PIECE]
            self.site.gate(len(piece))
            self.wfile.write(piece)
        return len(data)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


def etag(body: bytes) -> str:
    """A strong ETag."""
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def range_start(value: str) -> int:
    """First byte of ``bytes=123-``; 0 if there is no range."""
    return int(value.removeprefix("bytes=").partition("-")[0]) if value else 0


def well(handler: Handler, path: str, body: bytes) -> int:
    """As a server should: ranges, but only of the version that the client knows."""
    start = range_start(handler.headers.get("Range", ""))
    known = handler.headers.get("If-Range", "")
    same = known in (etag(body), formatdate(MODIFIED, usegmt=True)) if known else True
    if handler.command == "HEAD":
        handler.head(200, len(body), body, Accept_Ranges="bytes")
        return 0
    if start and same and start >= len(body):
        handler.head(416, 0, body, Content_Range=f"bytes */{len(body)}")
        return 0
    if start and same:
        handler.head(206, len(body) - start, body, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
        return handler.send(body[start:])
    handler.head(200, len(body), body, Accept_Ranges="bytes")
    return handler.send(body)


def ignore_range(handler: Handler, path: str, body: bytes) -> int:
    """Send all of the file, whatever was requested."""
    handler.head(200, len(body), body)
    return handler.send(body)


def stall(handler: Handler, path: str, body: bytes) -> int:
    """Half of the file, then nothing, with the connection open."""
    handler.head(200, len(body), body)
    sent = handler.send(body[: len(body) // 2])
    handler.site.closed.wait(60)
    handler.close_connection = True
    return sent


def trickle(handler: Handler, path: str, body: bytes) -> int:
    """A byte now and then, for as long as the client accepts it."""
    handler.head(200, len(body), body)
    for sent in range(len(body)):
        try:
            handler.wfile.write(body[sent : sent + 1])
        except OSError:
            return sent
        if handler.site.closed.wait(0.05):
            break
    handler.close_connection = True
    return sent


def cut(handler: Handler, path: str, body: bytes) -> int:
    """Half of what is asked for, then the connection is closed."""
    start = range_start(handler.headers.get("Range", ""))
    if start:
        span = f"bytes {start}-{len(body) - 1}/{len(body)}"
        handler.head(206, len(body) - start, body, Content_Range=span)
    else:
        handler.head(200, len(body), body)
    sent = handler.send(body[start : start + (len(body) - start) // 2])
    handler.close_connection = True
    return sent


def announce(length: Callable[[int], int]) -> Answer:
    """A wrong Content-Length."""

    def answer(handler: Handler, path: str, body: bytes) -> int:
        announced = length(len(body))
        handler.head(200, announced, body)
        handler.close_connection = True
        return handler.send(body[:announced])

    return answer


def status(code: int, **headers: str) -> Answer:
    """An error."""

    def answer(handler: Handler, path: str, body: bytes) -> int:
        handler.send_response(code)
        for name, value in {"Content-Length": "0", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        return 0

    return answer


def redirect(url: str) -> Answer:
    """The file is elsewhere."""
    return status(302, Location=url)


def replace_file(body: bytes) -> Answer:
    """Half of the old file; then the server has another one."""

    def answer(handler: Handler, path: str, old: bytes) -> int:
        handler.site.files[path] = body
        return cut(handler, path, old)

    return answer


def ignore_version(handler: Handler, path: str, body: bytes) -> int:
    """The rest of the file as it is now, whatever version the client has begun."""
    start = range_start(handler.headers.get("Range", ""))
    handler.head(206, len(body) - start, body, Content_Range=f"bytes {start}-{len(body) - 1}/{len(body)}")
    return handler.send(body[start:])


def wrong_place(handler: Handler, path: str, body: bytes) -> int:
    """The rest of the file, from another place than was asked for."""
    start = range_start(handler.headers.get("Range", ""))
    if not start:
        return cut(handler, path, body)
    handler.head(206, len(body) - 7, body, Content_Range=f"bytes 7-{len(body) - 1}/{len(body)}")
    return handler.send(body[7:])


def index_names(files: Mapping[str, bytes], path: str) -> list[str]:
    """What is directly in a directory; directories with a slash at the end."""
    below = [name.removeprefix(path) for name in files if name.startswith(path)]
    return sorted({name if "/" not in name else name.partition("/")[0] + "/" for name in below})


def index_page(style: str, path: str, names: list[str], links: list[str]) -> str:
    """An index page; `links` stand in it as they are."""
    page, row = (APACHE, APACHE_ROW) if style == "apache" else (NGINX, NGINX_ROW)
    shown = [(quote(name), name) for name in names] + [(link, "x") for link in links]
    rows = "".join(row.format(link=link, name=escape(name)) for link, name in shown)
    parent = "/" + path.rstrip("/").rpartition("/")[0] + "/"
    return page.format(url=f"/{path}", parent=parent, rows=rows)


def bucket_page(files: Mapping[str, bytes], query: Mapping[str, list[str]]) -> str:
    """A page of S3's ListObjectsV2."""
    keys = sorted(key for key in files if key.startswith(query["prefix"][0]))
    start = int(query.get("continuation-token", ["0"])[0])
    rows = "".join(
        f"<Contents><Key>{escape(key)}</Key><LastModified>2020-09-13T12:26:40.000Z</LastModified>"
        f"<ETag>&quot;x&quot;</ETag><Size>{len(files[key])}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        for key in keys[start : start + PAGE_KEYS]
    )
    more = start + PAGE_KEYS < len(keys)
    token = f"<NextContinuationToken>{start + PAGE_KEYS}</NextContinuationToken>" if more else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult '
        'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>'
        f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{rows}</ListBucketResult>"
    )


@dataclass
class Gate:
    """Lets so many bytes through, then holds what comes until it is opened; never longer than a minute."""

    left: int
    reached: threading.Event = field(default_factory=threading.Event)
    _open: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, count: int) -> None:
        """Ask to send so many bytes."""
        with self._lock:
            self.left -= count
            if self.left >= 0:
                return
        self.reached.set()
        self._open.wait(60)

    def open(self) -> None:
        """Let all through."""
        self._open.set()
