"""The HTTP client: downloads, listings, catalog queries and name lookups all go through it.

So the same certificates, proxies and redirect rules apply to every request, and a server that sends nothing,
or without end, cannot stop a run.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import SystemRandom
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlencode, urlsplit

from loguru import logger

from chandra_runner import __version__

from .connection_limit import MAX_CONNECTIONS, connection
from .errors import ArchiveError, TemporaryError
from .http_response import (
    ResponseHead,
    check_status,
    content_length,
    explain_errors,
    read_head,
    redirect_target,
)

if TYPE_CHECKING:
    from urllib3 import PoolManager
    from urllib3.response import BaseHTTPResponse

T = TypeVar("T")

TRIES = 5
"""Number of times that a request is tried."""
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0
"""Pause before the second try, s, doubled each time. A server may ask for more, up to the longest."""
ENOUGH_PROGRESS = 1 << 20
"""A try that received this many bytes counts as a success, even if the connection was cut then."""
MAX_REDIRECTS = 5
MAX_PAGE = 4 << 20
"""Largest size of a listing, bytes."""
CHUNK = 1 << 18
SLOWEST = 1000.0
"""Rate below which a connection counts as stalled, bytes/s."""
_REDIRECTS = (301, 302, 303, 307, 308)
_RANDOM = SystemRandom()


@dataclass(frozen=True, kw_only=True)
class HttpRequest:
    """A request to a server.

    Parameters
    ----------
    url : str
        Address.
    method : str
        ``GET``, ``HEAD`` or ``POST``.
    headers : Mapping of str to str
        Headers besides those that every request has.
    form : Mapping of str to str or None
        Fields of a form, sent as the body of a ``POST``.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None


class HttpClient:
    """Connections to the servers of an archive or a service.

    Certificates are those of the system, or of ``SSL_CERT_FILE``; proxies those of the environment.

    Parameters
    ----------
    name : str
        Name of the archive or service in messages.
    idle_timeout : float
        Time without a byte after which a connection is given up, s.
    connections : Path, optional
        An existing directory in which runs share a limit of connections to a server; see
        `connection_limit.connection`.

    Examples
    --------
    >>> client = HttpClient("cxc", idle_timeout=60)
    >>> page = client.read("https://cxc.cfa.harvard.edu/cdaftp/byobsid/4/754/")  # doctest: +SKIP
    """

    def __init__(self, name: str, *, idle_timeout: float, connections: Path | None = None) -> None:
        self.name = name
        self._idle = idle_timeout
        self._connections = connections
        self._pools: dict[tuple[str, str], PoolManager] = {}

    def retry(self, attempt: Callable[[], T], received: Callable[[], int] = lambda: 0) -> T:
        """Try until it works; wait between tries, longer each time.

        Parameters
        ----------
        attempt : callable
            One try; raises `TemporaryError` if another one may help.
        received : callable
            Returns the number of bytes received so far; see `ENOUGH_PROGRESS`.

        Raises
        ------
        ArchiveError
            It did not work in `TRIES` tries.
        """
        # urllib3.Retry repeats the same request, and counts tries only. Here each try asks for the bytes that
        # are still missing, and a download of hours over a bad line must not run out of tries while it makes
        # progress. Older versions of urllib3 also sleep as long as Retry-After says, be it a day.
        tried, before = 0, received()
        while True:
            try:
                return attempt()
            except TemporaryError as error:
                tried = 1 if received() - before >= ENOUGH_PROGRESS else tried + 1
                before = received()
                if tried >= TRIES:
                    raise ArchiveError(f"{error}; tried {tried} times") from error
                # The random factor keeps runs that failed together from coming back together.
                pause = FIRST_PAUSE * 2 ** (tried - 1) * _RANDOM.uniform(0.5, 1.5)
                pause = min(max(pause, error.wait), LONGEST_PAUSE)
                logger.warning(f"{self.name}: {error}; next try in {pause:.1f} s")
            time.sleep(pause)

    def read(self, url: str) -> bytes:
        """Return a page, such as a listing; try again after failures that pass.

        Raises
        ------
        ArchiveError
            It is not available, or is larger than `MAX_PAGE`.
        """

        def attempt() -> bytes:
            with self._response(HttpRequest(url=url)) as response:
                check_status(response)
                return self._read_all(response, MAX_PAGE)

        return self.retry(attempt)

    def size(self, url: str) -> int | None:
        """Return the size of a file in bytes; None if the server does not say.

        Raises
        ------
        ArchiveError
            It is not available.
        """

        def attempt() -> int | None:
            with self.open(HttpRequest(url=url, method="HEAD")) as (head, _):
                return head.total

        return self.retry(attempt)

    def query(self, url: str, *, form: Mapping[str, str] | None = None, max_bytes: int) -> tuple[int, bytes]:
        """Ask a service, and return status and body of its answer, also if the status is an error.

        The query is tried once: somebody waits for the answer, and may choose another service instead.

        Parameters
        ----------
        url : str
            Address of the service.
        form : Mapping of str to str, optional
            Fields of a form to send (``POST``); without it the query is a ``GET``.
        max_bytes : int
            Largest size of an answer.

        Raises
        ------
        ArchiveError, TemporaryError
            There is no complete answer, or it is too large.
        """
        method = "GET" if form is None else "POST"
        with self._response(HttpRequest(url=url, method=method, form=form)) as response:
            return response.status, self._read_all(response, max_bytes)

    @contextmanager
    def open(self, request: HttpRequest) -> Iterator[tuple[ResponseHead, Iterator[bytes]]]:
        """Send a request once; yield what the server says about the file, and the body in chunks.

        Raises
        ------
        TemporaryError
            Another try may help.
        NotAvailableError
            The server does not have the file, or refuses it.
        ArchiveError
            Another try would not help.
        """
        with self._response(request) as response:
            # 416 answers a range that the file does not have: the caller decides what to do then.
            check_status(response, allowed=(416,) if request.method == "GET" else ())
            yield read_head(response), self._chunks(response)

    @contextmanager
    def _response(self, request: HttpRequest) -> Iterator[BaseHTTPResponse]:
        """Yield the response to a request, with any status; errors are explained."""
        with self._limited(request.url), explain_errors():
            response = self._follow(request)
            try:
                yield response
            finally:
                if request.method == "HEAD":  # nothing more comes: the connection can be used again
                    response.drain_conn()
                else:
                    response.close()

    def _limited(self, url: str) -> AbstractContextManager[None]:
        if self._connections is None:
            return nullcontext()
        return connection(self._connections, urlsplit(url).hostname or "")

    def _follow(self, request: HttpRequest) -> BaseHTTPResponse:
        """Send a request, and follow redirections."""
        current = request
        for _ in range(MAX_REDIRECTS + 1):
            response = self._send(current)
            if response.status not in _REDIRECTS:
                return response
            response.close()
            # A form is answered with a redirection to its result, which is read with GET.
            answered = current.form is not None and response.status in (301, 302, 303)
            current = replace(
                current,
                url=redirect_target(current.url, response.headers.get("Location", "")),
                method="GET" if answered else current.method,
                form=None if answered else current.form,
            )
        raise ArchiveError(f"{request.url} redirects without end")

    def _send(self, request: HttpRequest) -> BaseHTTPResponse:
        headers = {"User-Agent": f"chandra_runner/{__version__}", "Accept-Encoding": "identity"}
        if request.form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._pool(request.url).request(
            request.method,
            request.url,
            headers={**headers, **request.headers},
            body=None if request.form is None else urlencode(request.form),
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
        key = (parts.scheme, proxy)
        if key not in self._pools:
            timeout = Timeout(connect=self._idle, read=self._idle)
            # One context for all connections: to read the system's certificates takes a while.
            context = ssl.create_default_context() if parts.scheme == "https" else None
            self._pools[key] = (
                ProxyManager(proxy, timeout=timeout, maxsize=MAX_CONNECTIONS, ssl_context=context)
                if proxy
                else PoolManager(timeout=timeout, maxsize=MAX_CONNECTIONS, ssl_context=context)
            )
        return self._pools[key]

    def _read_all(self, response: BaseHTTPResponse, max_bytes: int) -> bytes:
        """Return the whole body, if it is complete and not too large."""
        body = bytearray()
        for chunk in self._chunks(response):
            body += chunk
            if len(body) > max_bytes:
                raise ArchiveError(f"the answer has more than {max_bytes} bytes")
        expected = content_length(response)
        if expected is not None and len(body) < expected:
            raise TemporaryError("the connection was cut")
        return bytes(body)

    def _chunks(self, response: BaseHTTPResponse) -> Iterator[bytes]:
        """Yield the body as it comes; a connection that is too slow counts as stalled."""
        # The timeout of the connection is of single reads: a byte now and then never reaches it.
        since, count = time.monotonic(), 0
        while chunk := response.read1(CHUNK, decode_content=False):
            yield chunk
            count += len(chunk)
            passed = time.monotonic() - since
            if passed >= self._idle:
                if count < SLOWEST * passed:
                    raise TemporaryError(f"stalled: {count} bytes in {passed:.0f} s")
                since, count = time.monotonic(), 0
