"""An HTTP session for small questions: with timeouts, a bound on answers, and without a way out of https."""

from __future__ import annotations

from typing import Any

import requests

MAX_BYTES = 100_000_000
"""No answer about Chandra's observations is larger: a row has 200 bytes."""


class BoundedSession(requests.Session):
    """Waits no longer than it may, reads no more than it may, and stays with https.

    Parameters
    ----------
    timeout : float
        Of connecting, and of each read, s.
    agent : str
        Who asks.
    """

    def __init__(self, timeout: float, agent: str) -> None:
        super().__init__()
        self._timeout = timeout
        self.headers["User-Agent"] = agent

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send one request, also one that follows a redirection."""
        response = super().send(request, **{**kwargs, "timeout": self._timeout})
        _bound(response.raw)
        return response

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where an answer redirects to; with https where the question was."""
        target = super().get_redirect_target(resp)
        if target and target.startswith("http://") and str(resp.url).startswith("https://"):
            return f"https://{target.removeprefix('http://')}"
        return target


def _bound(raw: Any) -> None:
    """Reading an answer ends with an error where it is absurdly large."""
    read, left = raw.read, MAX_BYTES

    def bounded(*args: Any, **kwargs: Any) -> bytes:
        nonlocal left
        data: bytes = read(*args, **kwargs)
        left -= len(data)
        if left < 0:
            raise OSError(f"the answer has more than {MAX_BYTES} bytes")
        return data

    raw.read = bounded
