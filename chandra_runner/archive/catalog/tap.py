"""Querying a catalog through its TAP service (https://www.ivoa.net/documents/TAP/).

A query states only a box on the sky. Everything else is decided here, in the same way for every
catalog: the CXC's service rejects ADQL's geometry, and what is not sent cannot be injected.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING

from loguru import logger

from chandra_runner.archive.errors import ArchiveError, TemporaryError
from chandra_runner.archive.http import HttpClient
from chandra_runner.errors import SiteError, UsageError

from .catalogs import CATALOGS, WITH_DATA, Catalog, CatalogEntry
from .deadline import DeadlineError, within
from .sky import Box, Position

if TYPE_CHECKING:
    from astropy.io.votable.tree import VOTableFile
    from astropy.table import Table

MAX_ROWS = 100_000
"""Largest number of rows requested: Chandra has made 30,000 observations."""
MAX_BYTES = 100_000_000
"""Largest size of an answer: a row has 200 bytes."""

_REMOTE_DATA = re.compile(rb"<(?:\w+:)?STREAM[^>]*\shref\s*=", re.IGNORECASE)
_MJD_ZERO = date(1858, 11, 17)


def entries_in(catalog: Catalog, box: Box, timeout: float) -> Iterator[CatalogEntry]:
    """Query all entries in a box on the sky.

    Parameters
    ----------
    catalog : Catalog
        The catalog.
    box : Box
        The box.
    timeout : float
        Time that the service may take, s.

    Raises
    ------
    SiteError
        The service gives no usable answer.
    UsageError
        The box has more observations than the service lists.
    """
    table = _query(catalog, box_query(catalog, box), timeout)
    known = {name.lower(): name for name in table.colnames}
    absent = [name for name in catalog.columns.values() if name not in known]
    if absent:
        raise SiteError(f"{catalog.url}: its answer has no column {', '.join(absent)}", _hint(catalog))
    for row in table:
        values = {name: _text(row[known[column]]) for name, column in catalog.columns.items()}
        try:
            yield _entry(values, catalog.kilosecond)
        except (ValueError, OverflowError):
            # Entries of what was not observed yet may have no position.
            if values["status"].lower() in WITH_DATA:
                logger.warning(f"{catalog.url}: an entry is not valid and is left out: {values}")


def box_query(catalog: Catalog, box: Box) -> str:
    """Return the ADQL query for a box on the sky, made of numbers and the catalog's own names only."""
    names, ra, dec = ", ".join(catalog.columns.values()), catalog.columns["ra"], catalog.columns["dec"]
    where = f"{dec} BETWEEN {box.south:.8f} AND {box.north:.8f}"
    if box.west is not None and box.east is not None:
        if box.west <= box.east:
            where += f" AND {ra} BETWEEN {box.west:.8f} AND {box.east:.8f}"
        else:
            where += f" AND ({ra} >= {box.west:.8f} OR {ra} <= {box.east:.8f})"
    return f"SELECT {names} FROM {catalog.table} WHERE {where}"  # noqa: S608


def _query(catalog: Catalog, query: str, timeout: float) -> Table:
    """Return the service's table; every way to fail is an error that says which.

    A synchronous query is one form that is posted to ``/sync`` and answered with a VOTable (TAP 1.1,
    section 2.3; DALI 1.1, section 4 for errors and tables that were cut short).
    """
    form = {
        "REQUEST": "doQuery",
        "LANG": "ADQL",
        "FORMAT": "votable",
        "MAXREC": str(MAX_ROWS),
        "QUERY": query,
    }
    # The deadline is the shorter of the two, so that a silent service always gets the message below.
    client = HttpClient(catalog.url, idle_timeout=2 * timeout)
    try:
        status, body = within(
            timeout, lambda: client.query(f"{catalog.url}/sync", form=form, max_bytes=MAX_BYTES)
        )
    except DeadlineError:
        raise SiteError(
            f"{catalog.url} did not answer in {timeout:g} s",
            _hint(catalog, "allow more time with --timeout"),
        ) from None
    except (ArchiveError, TemporaryError) as error:
        raise SiteError(f"{catalog.url} gave no usable answer: {error}", _hint(catalog)) from None
    return _read_table(body, status, catalog)


def _read_table(body: bytes, status: int, catalog: Catalog) -> Table:
    """Return the table of an answer, if it is complete."""
    problem = "" if status == HTTPStatus.OK else f"the server answers {status}"
    try:
        votable = _parse(body)
        for value, text in _query_status(votable):
            if value == "ERROR":
                raise SiteError(f"{catalog.url} refused the query: {text}", _hint(catalog))
            if value == "OVERFLOW":
                raise UsageError(
                    f"{catalog.url} does not list all observations of so large a field",
                    "use a smaller --radius",
                )
        # A message about an error may come with any HTTP status, a table only with success.
        if not problem:
            return votable.get_first_table().to_table(use_names_over_ids=True)
    except (ArchiveError, IndexError, ValueError) as error:
        problem = problem or _line(error)
    raise SiteError(f"{catalog.url} gave no usable answer: {problem}", _hint(catalog))


def _parse(body: bytes) -> VOTableFile:
    from astropy.io.votable import parse

    # A table may refer to its data by an address, which could be that of any file or server.
    if _REMOTE_DATA.search(body):
        raise ArchiveError("its table has its data elsewhere")
    try:
        with warnings.catch_warnings():
            # Services' VOTables seldom follow the standard in all; what matters is checked afterwards.
            warnings.simplefilter("ignore")
            return parse(io.BytesIO(body))
    except Exception as error:  # whatever the XML and VOTable parsers make of damage
        raise ArchiveError(_line(error)) from error


def _query_status(votable: VOTableFile) -> Iterator[tuple[str, str]]:
    """Yield what a service says about the query: value and text.

    It says so before the table and, if the table was cut short, once more after it; services differ in the
    element in which they put it.
    """
    for element in (votable, *votable.resources, *votable.iter_tables()):
        for info in element.infos:
            if info.name == "QUERY_STATUS":
                yield info.value, _text(info.content)


def _entry(values: Mapping[str, str], kilosecond: float) -> CatalogEntry:
    """Return the entry of a row; raise ValueError if its values are not valid."""
    obsid, ra, dec, exposure = (float(values[name]) for name in ("obsid", "ra", "dec", "exposure"))
    if not (obsid > 0 and obsid == int(obsid) and 0 <= ra <= 360 and -90 <= dec <= 90 and exposure >= 0):
        raise ValueError
    return CatalogEntry(
        obsid=int(obsid),
        target=values["target"],
        position=Position(ra, dec),
        instrument=values["instrument"].upper(),
        grating=values["grating"].upper() or "NONE",
        exposure=exposure / kilosecond,
        start=_day(values["start"]) if values["start"] else None,
        status=values["status"].lower(),
    )


def _day(text: str) -> date:
    """Return the day of an MJD or an ISO 8601 date."""
    try:
        return _MJD_ZERO + timedelta(days=int(float(text)))
    except ValueError:
        return date.fromisoformat(text[:10])


def _text(value: object) -> str:
    """Return a value as one line of printable text, for terminals and YAML; empty if it is masked."""
    import numpy as np

    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    text = "" if np.ma.is_masked(value) else text[:200]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _line(error: Exception) -> str:
    return _text(str(error)) or type(error).__name__


def _hint(catalog: Catalog, more: str = "") -> str:
    other = "heasarc" if catalog.table == CATALOGS["cxc"].table else "cxc"
    return "; ".join(filter(None, (more, f"try again later, or use --service {other}")))
