"""Positions of named objects, from the name service Sesame of the CDS."""

from __future__ import annotations

import re
from http import HTTPStatus
from urllib.parse import quote

from chandra_runner.archive.errors import ArchiveError, TemporaryError
from chandra_runner.archive.http import HttpClient
from chandra_runner.errors import SiteError, UsageError

from .deadline import DeadlineError, within
from .sky import Position

SESAME = "https://cds.unistra.fr/cgi-bin/nph-sesame/"
"""Sesame, which looks names up in SIMBAD, NED and VizieR (https://cds.unistra.fr/cgi-bin/Sesame)."""

MAX_NAME = 100
"""Largest number of characters; no catalog has longer names."""
MAX_BYTES = 1_000_000
"""Largest size of an answer."""

_POSITION = re.compile(r"^%J\s+([0-9.]+)\s+([+-]?[0-9.]+)", re.MULTILINE)
"""A line with right ascension and declination, ICRS, deg."""
_END = "#====Done"
_HINT = "give the position with --ra and --dec"


def resolve(name: str, service: str, timeout: float) -> Position:
    """Return the position of a named object.

    Parameters
    ----------
    name : str
        Such as ``Abell 1795``.
    service : str
        Address of a Sesame service.
    timeout : float
        Time that the service may take, s.

    Raises
    ------
    UsageError
        No object of that name is known.
    SiteError
        The service gives no usable answer.
    """
    if not name.isprintable() or len(name) > MAX_NAME:
        raise UsageError(f"{name[:MAX_NAME]!r} is not the name of an object", _HINT)
    # SNV: SIMBAD first, then NED, then VizieR, until one of them knows the name.
    # The deadline is the shorter of the two, so that a silent service always gets the message below.
    url, client = f"{service}SNV?{quote(name)}", HttpClient(service, idle_timeout=2 * timeout)
    try:
        status, body = within(timeout, lambda: client.query(url, max_bytes=MAX_BYTES))
    except DeadlineError:
        raise SiteError(f"the name service {service} did not answer in {timeout:g} s", _HINT) from None
    except (ArchiveError, TemporaryError) as error:
        raise SiteError(f"the name service {service} gave no usable answer: {error}", _HINT) from None
    text = body.decode("utf-8", "replace")
    if status != HTTPStatus.OK or _END not in text:
        problem = f"it answers {status}" if status != HTTPStatus.OK else "it is not one of Sesame"
        raise SiteError(f"the name service {service} gave no usable answer: {problem}", _HINT)
    found = _POSITION.search(text)
    if found is None:
        raise UsageError(f"no object named {name!r} is known to Sesame", _HINT)
    return Position(float(found[1]), float(found[2]))
