"""What servers answer to HTTP requests, and what can go wrong, in our words."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit, urlunsplit

from .errors import ArchiveError, NotAvailableError, TemporaryError

if TYPE_CHECKING:
    from urllib3.response import BaseHTTPResponse

# Answers of servers that are overloaded or restarting, and of the proxies and caches in front of them.
_TEMPORARY = (408, 425, 429, 500, 502, 503, 504, 507, 509, 520, 521, 522, 523, 524)


@dataclass(frozen=True, kw_only=True)
class ResponseHead:
    """What a server says about a file before it sends it.

    Parameters
    ----------
    status : int
        HTTP status: 200, 206 or 416.
    total : int or None
        Size of the whole file, bytes.
    start : int
        Position in the file of the first byte that follows.
    validator : str
        A strong ETag or a Last-Modified date, which changes with the file; empty if there is none.
    modified : str
        Last-Modified as sent; empty if it was not.
    """

    status: int
    total: int | None
    start: int
    validator: str
    modified: str


def read_head(response: BaseHTTPResponse) -> ResponseHead:
    """Return what a response says about its file."""
    headers = response.headers
    start, total = 0, content_length(response)
    if response.status in (206, 416):  # Content-Range: bytes 100-199/200, or bytes */200
        span, _, whole = headers.get("Content-Range", "").removeprefix("bytes ").partition("/")
        start = _number(span.partition("-")[0].strip()) or 0
        total = _number(whole.strip())
    # A weak ETag (W/"...") promises the same meaning, not the same bytes.
    etag, modified = headers.get("ETag", ""), headers.get("Last-Modified", "")
    strong = etag if etag.startswith('"') else ""
    return ResponseHead(
        status=response.status, total=total, start=start, validator=strong or modified, modified=modified
    )


def content_length(response: BaseHTTPResponse) -> int | None:
    """Return the number of bytes that a response announces; None if it does not."""
    return _number(response.headers.get("Content-Length", ""))


def check_status(response: BaseHTTPResponse, allowed: tuple[int, ...] = ()) -> None:
    """Raise an error for a response that is not a success.

    Parameters
    ----------
    response : BaseHTTPResponse
        The response.
    allowed : tuple of int
        Other statuses than success that the caller handles.

    Raises
    ------
    TemporaryError
        Another try may help.
    NotAvailableError
        The server does not have the file, or refuses it.
    ArchiveError
        Another try would not help.
    """
    status = response.status
    if status in (200, 206, *allowed):
        return
    words = f"{status} {response.reason or ''}".strip()
    if status in (404, 410):
        raise NotAvailableError(f"not found ({words})")
    if status in (401, 403):
        raise NotAvailableError(f"refused ({words}): it may still be proprietary")
    if status in _TEMPORARY:
        raise TemporaryError(f"the server answers {words}", _retry_after(response))
    raise ArchiveError(f"the server answers {words}")


def redirect_target(url: str, location: str) -> str:
    """Return the address to which a redirection leads.

    What was asked with https is never asked again without. A redirection to plain http is therefore followed
    with https: archives redirect so if their server does not know that its clients come over https. Without
    https, a redirection may lead to https or stay on its server.

    Parameters
    ----------
    url : str
        Address that was asked.
    location : str
        Header ``Location`` of the answer.

    Raises
    ------
    ArchiveError
        The redirection is not followed.

    Examples
    --------
    >>> redirect_target("https://archive.example/query", "http://archive.example/result")
    'https://archive.example/result'
    """
    try:
        old, new = urlsplit(url), urlsplit(urljoin(url, location))
        default_port = new.port in (None, 80)
    except ValueError:
        raise ArchiveError(f"{url} redirects to an address that is not valid") from None
    if old.scheme == "https" and new.scheme == "http" and default_port:
        # Port 80 speaks no TLS: https has its own.
        new = new._replace(scheme="https", netloc=new.netloc.removesuffix(":80"))
    if new.scheme not in ("https", old.scheme):
        raise ArchiveError(f"{url} redirects to {new.scheme or 'nowhere'}://, which is not followed")
    if new.scheme != "https" and new.netloc != old.netloc:
        raise ArchiveError(
            f"{url} redirects to another server, {new.netloc}, without TLS: it is not followed"
        )
    return urlunsplit(new)


@contextmanager
def explain_errors() -> Iterator[None]:
    """Turn errors of urllib3 and the network into our own.

    Raises
    ------
    TemporaryError
        There was no connection, or it was cut.
    ArchiveError
        The certificate of the server is not trusted: another try would not help.
    """
    from urllib3 import exceptions as wrong

    words = (
        (wrong.ReadTimeoutError, "stalled: no byte was received within the idle timeout"),
        (wrong.NameResolutionError, "its name is not known; check the network connection"),
        (wrong.NewConnectionError, "it cannot be reached"),
        (wrong.ConnectTimeoutError, "it does not answer"),
        (wrong.ProxyError, "the proxy cannot be reached"),
        (wrong.ProtocolError, "the connection was cut"),
        (wrong.IncompleteRead, "the connection was cut"),
    )
    try:
        yield
    except wrong.HTTPError as error:
        if _is_certificate(error):
            hint = "set SSL_CERT_FILE to the certificates of your site"
            raise ArchiveError(f"its certificate is not trusted: {error}", hint) from error
        message = next((text for kind, text in words if isinstance(error, kind)), f"no connection: {error}")
        raise TemporaryError(message) from error


def _is_certificate(error: BaseException) -> bool:
    """Return whether a certificate that was not accepted is at the bottom of an error."""
    # urllib3 wraps it several times, as cause, context or argument, depending on its version and on proxies.
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLCertVerificationError) or any(
            isinstance(argument, ssl.SSLCertVerificationError) for argument in seen.args
        ):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def _retry_after(response: BaseHTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 19 else None
