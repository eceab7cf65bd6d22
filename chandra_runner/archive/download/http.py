"""HTTP as an archive needs it: patient with what passes, never with a server that sends nothing."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urljoin, urlsplit

from loguru import logger

from chandra_runner import __version__
from chandra_runner.archive.errors import AbsentError, ArchiveError, PassingError

from .connection_limit import MAX_CONNECTIONS, connection

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import BaseHTTPResponse

T = TypeVar("T")

TRIES = 5
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
"""Seconds before the second try; doubled each time. A server may ask for more, up to the longest."""
ENOUGH = 1 << 20
"""Bytes after which a try counts as a success, though its connection was cut: the next begins afresh."""
MAX_REDIRECTS = 5
MAX_PAGE = 4 << 20
CHUNK = 1 << 18
SLOWEST = 1000.0
"""Bytes a second below which a connection counts as stalled."""
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524)
_RANDOM = SystemRandom()


@dataclass(frozen=True)
class Reply:
    """What a server says of a file before it sends it.

    Parameters
    ----------
    status : int
        HTTP status: 200, 206 or 416.
    size : int or None
        Bytes that follow, as announced.
    total : int or None
        Bytes of the whole file.
    start : int
        Where in the file the bytes begin.
    validator : str
        A strong ETag or a Last-Modified date, by which a changed file is told; empty where there is none.
    modified : str
        Last-Modified as sent; empty where it is not.
    """

    status: int
    size: int | None
    total: int | None
    start: int
    validator: str
    modified: str


class HttpClient:
    """Connections to archives.

    Parameters
    ----------
    name : str
        What the archive is called in messages.
    idle_timeout : float
        Seconds without a byte after which a connection is given up.
    slots : Path
        An existing directory: see `connection_limit.connection`.
    """

    def __init__(self, name: str, idle_timeout: float, slots: Path) -> None:
        self.name = name
        self._idle = idle_timeout
        self._slots = slots
        self._pools: dict[str, PoolManager] = {}

    def persist(self, attempt: Callable[[], T], received: Callable[[], int] = lambda: 0) -> T:
        """Try until it works; between tries wait, longer each time.

        Parameters
        ----------
        attempt : callable
            What to do; raises `PassingError` where another try may help.
        received : callable
            Bytes that have come so far: after a try that brought many the count starts again.

        Raises
        ------
        ArchiveError
            It did not work, though tried `TRIES` times.
        """
        tried, before = 0, received()
        while True:
            try:
                return attempt()
            except PassingError as error:
                tried = 1 if received() - before >= ENOUGH else tried + 1
                before = received()
                if tried >= TRIES:
                    raise ArchiveError(f"{error}; tried {tried} times") from error
                pause = FIRST_PAUSE * 2 ** (tried - 1) * _RANDOM.uniform(0.5, 1.5)
                pause = min(max(pause, error.wait), LONGEST_PAUSE)
                logger.warning(f"{self.name}: {error}; next try in {pause:.1f} s")
            time.sleep(pause)

    def page(self, url: str) -> bytes:
        """A page, whole.

        Raises
        ------
        ArchiveError
            It cannot be had, or is longer than `MAX_PAGE`.
        """

        def attempt() -> bytes:
            page = bytearray()
            with self.open("GET", url) as (_, chunks):
                for chunk in chunks:
                    page += chunk
                    if len(page) > MAX_PAGE:
                        raise ArchiveError(f"its page {url} does not end")
            return bytes(page)

        return self.persist(attempt)

    def size(self, url: str) -> int | None:
        """Size of a file in bytes; None where the server does not tell.

        Raises
        ------
        ArchiveError
            It cannot be had.
        """

        def attempt() -> int | None:
            with self.open("HEAD", url) as (reply, _):
                return reply.total

        return self.persist(attempt)

    @contextmanager
    def open(
        self, method: str, url: str, headers: Mapping[str, str] = {}
    ) -> Iterator[tuple[Reply, Iterator[bytes]]]:
        """One try at a request: what the server says, and what it sends.

        Raises
        ------
        PassingError
            It may work another time.
        AbsentError
            The server does not have it, or does not give it out.
        ArchiveError
            It will not work.
        """
        with connection(self._slots, urlsplit(url).hostname or ""), _told():
            response = self._follow(method, url, headers)
            try:
                _check_status(response, method)
                yield _reply(response), self._chunks(response)
            finally:
                if method == "HEAD":  # nothing is left to come: the connection can serve again
                    response.drain_conn()
                else:
                    response.close()

    def _follow(self, method: str, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        """Send a request, and follow where the answer points."""
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(method, url, headers)
            if response.status not in _REDIRECTS:
                return response
            target = urljoin(url, response.headers.get("Location", ""))
            response.close()
            _check_redirect(url, target)
            url = target
        raise ArchiveError(f"{asked} redirects without end")

    def _send(self, method: str, url: str, headers: Mapping[str, str]) -> BaseHTTPResponse:
        own = {"User-Agent": f"chandra_runner/{__version__}", "Accept-Encoding": "identity"}
        return self._pool(url).request(
            method,
            url,
            headers={**own, **headers},
            preload_content=False,
            decode_content=False,
            retries=False,
            redirect=False,
        )

    def _pool(self, url: str) -> PoolManager:
        """Connections to a server, through a proxy where the environment names one."""
        from urllib.request import getproxies, proxy_bypass

        from urllib3 import PoolManager, ProxyManager, Timeout

        parts = urlsplit(url)
        proxy = "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")
        if proxy not in self._pools:
            timeout = Timeout(connect=self._idle, read=self._idle)
            context = ssl.create_default_context() if proxy or parts.scheme == "https" else None
            self._pools[proxy] = (
                ProxyManager(proxy, timeout=timeout, maxsize=MAX_CONNECTIONS, ssl_context=context)
                if proxy
                else PoolManager(timeout=timeout, maxsize=MAX_CONNECTIONS)
            )
        return self._pools[proxy]

    def _chunks(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        """The body as it comes; a connection that trickles counts as stalled."""
        since, got = time.monotonic(), 0
        while chunk := response.read1(CHUNK, decode_content=False):
            yield chunk
            got += len(chunk)
            passed = time.monotonic() - since
            if passed >= self._idle:
                if got < SLOWEST * passed:
                    raise PassingError(f"stalled: {got} bytes in {passed:.0f} s")
                since, got = time.monotonic(), 0


def _check_redirect(url: str, target: str) -> None:
    old, new = urlsplit(url), urlsplit(target)
    if new.scheme != old.scheme:
        raise ArchiveError(f"{url} redirects to {new.scheme or 'nowhere'}://, which is not followed")
    if new.scheme != "https" and new.netloc != old.netloc:
        raise ArchiveError(f"{url} redirects to another server, {new.netloc}; without TLS it is not followed")


def _check_status(response: BaseHTTPResponse, method: str) -> None:
    status = response.status
    if status in (200, 206) or (status == 416 and method == "GET"):
        return
    words = f"{status} {response.reason or ''}".strip()
    if status in (404, 410):
        raise AbsentError(f"not there ({words})")
    if status in (401, 403):
        raise AbsentError(f"refused ({words}): perhaps it is proprietary still")
    if status in _PASSING:
        raise PassingError(f"the server answers {words}", _retry_after(response))
    raise ArchiveError(f"the server answers {words}")


def _retry_after(response: BaseHTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _reply(response: BaseHTTPResponse) -> Reply:
    headers = response.headers
    size = _number(headers.get("Content-Length", ""))
    start, total = 0, size
    if response.status in (206, 416):
        span, _, whole = headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        start = _number(span.partition("-")[0].strip()) or 0
        total = _number(whole.strip())
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    strong = etag if etag.startswith('"') else ""
    return Reply(response.status, size, total, start, strong or modified, modified)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None


@contextmanager
def _told() -> Iterator[None]:
    """Put what the transport library and the network raise into words."""
    from urllib3 import exceptions as wrong

    words = (
        (wrong.ReadTimeoutError, "stalled: no byte came within the idle timeout"),
        (wrong.NameResolutionError, "its name is not known: is there a network?"),
        (wrong.NewConnectionError, "it cannot be reached"),
        (wrong.ConnectTimeoutError, "it does not answer"),
        (wrong.ProtocolError, "the connection was cut"),
        (wrong.IncompleteRead, "the connection was cut"),
    )
    try:
        yield
    except wrong.HTTPError as error:
        if _is_certificate(error):
            hint = "SSL_CERT_FILE names the certificates to trust, where a site has its own"
            raise ArchiveError(f"its certificate is not to be trusted: {error}", hint) from error
        said = next((text for kind, text in words if isinstance(error, kind)), f"no connection: {error}")
        raise PassingError(said) from error


def _is_certificate(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError) or any(
            isinstance(argument, ssl.SSLCertVerificationError) for argument in seen.args
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
