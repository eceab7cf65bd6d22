"""The one HTTP client, for downloads and for queries.

It retries what may pass, gives up on servers that send nothing, bounds every answer, and never leaves https.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode, urljoin, urlsplit

from loguru import logger

from chandra_runner import __version__
from chandra_runner.archive.errors import AbsentError, ArchiveError, PassingError

from .download.connection_limit import MAX_CONNECTIONS, connection

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import BaseHTTPResponse

T = TypeVar("T")

TRIES = 5
"""Number of times that a request is tried."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
"""Pause before the second try, s, doubled each time. A server may ask for more, up to the longest."""
ENOUGH = 1 << 20
"""A try that received this many bytes counts as a success, even if the connection was cut then."""
MAX_REDIRECTS = 5
MAX_PAGE = 4 << 20
CHUNK = 1 << 18
SLOWEST = 1000.0
"""Rate below which a connection counts as stalled, bytes/s."""
_REDIRECTS = (301, 302, 303, 307, 308)
_PASSING = (408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524)
_RANDOM = SystemRandom()


@dataclass(frozen=True)
class Reply:
    """What a server says about a file before it sends it.

    Parameters
    ----------
    status : int
        HTTP status: 200, 206 or 416.
    size : int or None
        Number of bytes that follow, as announced.
    total : int or None
        Size of the whole file, bytes.
    start : int
        Position in the file of the first byte.
    validator : str
        A strong ETag or a Last-Modified date, which changes with the file; empty if there is none.
    modified : str
        Last-Modified as sent; empty if it was not.
    """

    status: int
    size: int | None
    total: int | None
    start: int
    validator: str
    modified: str


class HttpClient:
    """Connections to the servers of an archive.

    Parameters
    ----------
    name : str
        Name of the archive in messages.
    idle_timeout : float
        Time without a byte after which a connection is given up, s.
    connections : Path, optional
        An existing directory in which runs share a limit of connections to a server; see
        `connection_limit.connection`.
    """

    def __init__(self, name: str, idle_timeout: float, connections: Path | None = None) -> None:
        self.name = name
        self._idle = idle_timeout
        self._connections = connections
        self._pools: dict[str, PoolManager] = {}

    def persist(self, attempt: Callable[[], T], received: Callable[[], int] = lambda: 0) -> T:
        """Try until it works; wait between tries, longer each time.

        urllib3's own retries count tries, but not what a try achieved: a download of hours over a bad line
        would run out of them although it makes progress.

        Parameters
        ----------
        attempt : callable
            One try; raises `PassingError` if another one may help.
        received : callable
            Returns the number of bytes received so far; see `ENOUGH`.

        Raises
        ------
        ArchiveError
            It did not work in `TRIES` tries.
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
        """Return a page as a whole.

        Raises
        ------
        ArchiveError
            It is not available, or is larger than `MAX_PAGE`.
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
        """Return the size of a file in bytes; None if the server does not say.

        Raises
        ------
        ArchiveError
            It is not available.
        """

        def attempt() -> int | None:
            with self.open("HEAD", url) as (reply, _):
                return reply.total

        return self.persist(attempt)

    @contextmanager
    def open(
        self, method: str, url: str, headers: Mapping[str, str] = {}
    ) -> Iterator[tuple[Reply, Iterator[bytes]]]:
        """Send a request once; yield what the server says and what it sends.

        Raises
        ------
        PassingError
            Another try may help.
        AbsentError
            The server does not have the file, or refuses it.
        ArchiveError
            Another try would not help.
        """
        with self._connection(url), _errors_in_words():
            response = self._follow(method, url, headers)
            try:
                _check_status(response, method)
                yield _reply(response), self._chunks(response)
            finally:
                if method == "HEAD":  # nothing more comes: the connection can be used again
                    response.drain_conn()
                else:
                    response.close()

    def answer(self, url: str, *, form: Mapping[str, str] | None = None, limit: int) -> tuple[int, bytes]:
        """Ask a service once, and return the status and the body of its answer.

        Parameters
        ----------
        url : str
            Address of the service.
        form : Mapping of str to str, optional
            Fields of a form to send (POST); None for a simple question (GET).
        limit : int
            Largest size of an answer, bytes.

        Raises
        ------
        ArchiveError, PassingError
            There is no complete answer, or it is too large.
        """
        with _errors_in_words():
            method = "GET" if form is None else "POST"
            response = self._follow(method, url, {}, form, upgrade=True)
            try:
                body = bytearray()
                for chunk in self._chunks(response):
                    body += chunk
                    if len(body) > limit:
                        raise ArchiveError(f"the answer has more than {limit} bytes")
                expected = _number(response.headers.get("Content-Length", ""))
                if expected is not None and len(body) < expected:
                    raise PassingError("the connection was cut")
                return response.status, bytes(body)
            finally:
                response.close()

    def _connection(self, url: str) -> AbstractContextManager[None]:
        if self._connections is None:
            return nullcontext()
        return connection(self._connections, urlsplit(url).hostname or "")

    def _follow(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
        *,
        upgrade: bool = False,
    ) -> BaseHTTPResponse:
        """Send a request, and follow redirections.

        A form is answered with a redirection to its result, which is then read with GET. With `upgrade` a
        redirection from https to http is followed with https, as the archives' services redirect so;
        without it, it is refused.
        """
        asked = url
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(method, url, headers, form)
            if response.status not in _REDIRECTS:
                return response
            target = urljoin(url, response.headers.get("Location", ""))
            response.close()
            if upgrade and url.startswith("https://") and target.startswith("http://"):
                target = f"https://{target.removeprefix('http://')}"
            if form is not None and response.status in (301, 302, 303):
                method, form = "GET", None
            _check_redirect(url, target)
            url = target
        raise ArchiveError(f"{asked} redirects without end")

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None
    ) -> BaseHTTPResponse:
        own = {"User-Agent": f"chandra_runner/{__version__}", "Accept-Encoding": "identity"}
        if form is not None:
            own["Content-Type"] = "application/x-www-form-urlencoded"
        return self._pool(url).request(
            method,
            url,
            headers={**own, **headers},
            body=None if form is None else urlencode(form),
            preload_content=False,
            decode_content=False,
            retries=False,
            redirect=False,
        )

    def _pool(self, url: str) -> PoolManager:
        """Return the connections to a server, through a proxy if the environment names one."""
        from urllib.request import getproxies, proxy_bypass

        from urllib3 import PoolManager, ProxyManager, Timeout

        parts = urlsplit(url)
        proxy = "" if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme, "")
        if proxy not in self._pools:
            timeout = Timeout(connect=self._idle, read=self._idle)
            if proxy:
                context = ssl.create_default_context()
                self._pools[proxy] = ProxyManager(
                    proxy, timeout=timeout, maxsize=MAX_CONNECTIONS, ssl_context=context
                )
            else:
                self._pools[proxy] = PoolManager(timeout=timeout, maxsize=MAX_CONNECTIONS)
        return self._pools[proxy]

    def _chunks(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        """Yield the body as it comes; a connection that is too slow counts as stalled."""
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
        raise ArchiveError(
            f"{url} redirects to another server, {new.netloc}, without TLS: it is not followed"
        )


def _check_status(response: BaseHTTPResponse, method: str) -> None:
    status = response.status
    if status in (200, 206) or (status == 416 and method == "GET"):
        return
    words = f"{status} {response.reason or ''}".strip()
    if status in (404, 410):
        raise AbsentError(f"not found ({words})")
    if status in (401, 403):
        raise AbsentError(f"refused ({words}): it may still be proprietary")
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
def _errors_in_words() -> Iterator[None]:
    """Turn errors of urllib3 and the network into ours, in words."""
    from urllib3 import exceptions as wrong

    words = (
        (wrong.ReadTimeoutError, "stalled: no byte was received within the idle timeout"),
        (wrong.NameResolutionError, "its name is not known; check the network connection"),
        (wrong.NewConnectionError, "it cannot be reached"),
        (wrong.ConnectTimeoutError, "it does not answer"),
        (wrong.ProtocolError, "the connection was cut"),
        (wrong.IncompleteRead, "the connection was cut"),
    )
    try:
        yield
    except wrong.HTTPError as error:
        if _is_certificate(error):
            hint = "set SSL_CERT_FILE to the certificates of your site"
            raise ArchiveError(f"its certificate is not trusted: {error}", hint) from error
        words_for_error = next(
            (text for kind, text in words if isinstance(error, kind)), f"no connection: {error}"
        )
        raise PassingError(words_for_error) from error


def _is_certificate(error: BaseException) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError) or any(
            isinstance(argument, ssl.SSLCertVerificationError) for argument in seen.args
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
