"""Asking the catalogues of Chandra's observations, through their TAP services, with pyvo.

Columns of ``cxc.observation`` (the Chandra Data Archive's own catalogue; target names in capitals and without
spaces, exposures in ks, start dates as ISO 8601): https://cda.cfa.harvard.edu/cxctap/tables. Columns of
``chanmaster`` (HEASARC's copy, updated twice a week; exposures in s, start dates as MJD):
https://heasarc.gsfc.nasa.gov/W3Browse/chandra/chanmaster.html.

A query states nothing but a box on the sky. Everything else is decided here, the same way for every
catalogue: the CXC's service rejects ADQL's geometry, and what is not sent cannot be injected.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from loguru import logger

from chandra_runner import __version__
from chandra_runner.errors import SiteError, UsageError
from chandra_runner.suggestions import did_you_mean

from .deadline import DeadlineError, within
from .sky import Box, Position

if TYPE_CHECKING:
    from pyvo.dal import TAPResults

MAX_ROWS = 100_000
"""Asked for at most: all that Chandra ever observed is 30,000."""

WITH_DATA = ("archived", "observed")
"""The states in which there are data: public, and still the observer's own."""

_COLUMNS = ("obsid", "target", "ra", "dec", "instrument", "grating", "exposure", "start", "status")
_MJD_ZERO = date(1858, 11, 17)


@dataclass(frozen=True)
class Catalogue:
    """A table of Chandra's observations, and where it can be asked.

    Parameters
    ----------
    url : str
        Of the TAP service.
    table : str
        Its name there.
    columns : Mapping of str to str
        Its name for each of ``obsid target ra dec instrument grating exposure start status``.
    kilosecond : float
        One kilosecond in its unit of exposure times.
    """

    url: str
    table: str
    columns: Mapping[str, str]
    kilosecond: float


@dataclass(frozen=True)
class CatalogueEntry:
    """One observation, as a catalogue has it.

    Parameters
    ----------
    obsid : int
        Its ObsID.
    target : str
        What was observed, in the observer's words.
    position : Position
        Where.
    instrument, grating : str
        ``ACIS-I``, ``ACIS-S``, ``HRC-I`` or ``HRC-S``; ``NONE``, ``HETG`` or ``LETG``.
    exposure : float
        Exposure time, ks.
    start : date or None
        When it began.
    status : str
        ``archived`` (public), ``observed`` (not public yet), ``scheduled``, ``unobserved``...
    """

    obsid: int
    target: str
    position: Position
    instrument: str
    grating: str
    exposure: float
    start: date | None
    status: str


CATALOGUES = {
    "cxc": Catalogue(
        "https://cda.cfa.harvard.edu/cxctap",
        "cxc.observation",
        dict(zip(_COLUMNS, _COLUMNS, strict=True))
        | {"target": "target_name", "exposure": "exposure_time", "start": "start_date"},
        kilosecond=1,
    ),
    "heasarc": Catalogue(
        "https://heasarc.gsfc.nasa.gov/xamin/vo/tap",
        "chanmaster",
        dict(zip(_COLUMNS, _COLUMNS, strict=True))
        | {"target": "name", "instrument": "detector", "start": "time"},
        kilosecond=1000,
    ),
}


def catalogue_at(service: str) -> Catalogue:
    """The catalogue that `service` names.

    It is ``cxc``, ``heasarc``, the URL of a service that has the CXC's table, or ``heasarc=URL``.

    Raises
    ------
    UsageError
        There is no such service.
    """
    name, _, url = ("cxc", "", service) if "://" in service.partition("=")[0] else service.partition("=")
    if name not in CATALOGUES:
        raise UsageError(
            f"--service {service}: there is no such service",
            did_you_mean(name, tuple(CATALOGUES), "it is the URL of a TAP service, or one of"),
        )
    if url and not url.startswith(("http://", "https://")):
        raise UsageError(f"--service {service}: {url!r} is no address", "write https://...")
    known = CATALOGUES[name]
    return Catalogue(url.rstrip("/") or known.url, known.table, known.columns, known.kilosecond)


def entries_in(catalogue: Catalogue, box: Box, timeout: float) -> Iterator[CatalogueEntry]:
    """All entries in a box on the sky.

    Parameters
    ----------
    catalogue : Catalogue
        Which is asked.
    box : Box
        Where.
    timeout : float
        How long the service may take, s.

    Raises
    ------
    SiteError
        pyvo is not here, or the service gives no answer that can be used.
    """
    results = _ask(catalogue, box_query(catalogue, box), timeout)
    known = {field.lower(): field for field in results.fieldnames}
    absent = [name for name in catalogue.columns.values() if name not in known]
    if absent:
        raise SiteError(f"{catalogue.url}: its answer has no column {', '.join(absent)}", _hint(catalogue))
    for row in results.to_table():
        values = {name: _text(row[known[column]]) for name, column in catalogue.columns.items()}
        try:
            yield _entry(values, catalogue.kilosecond)
        except (ValueError, OverflowError):
            # Entries of what was never observed may lack a position or more.
            if values["status"].lower() in WITH_DATA:
                logger.warning(f"{catalogue.url}: its entry makes no sense and is left out: {values}")


def box_query(catalogue: Catalogue, box: Box) -> str:
    """The ADQL query for a box on the sky; made of numbers and of the catalogue's own names."""
    names, ra, dec = ", ".join(catalogue.columns.values()), catalogue.columns["ra"], catalogue.columns["dec"]
    where = f"{dec} BETWEEN {box.south:.8f} AND {box.north:.8f}"
    if box.west is not None and box.east is not None:
        if box.west <= box.east:
            where += f" AND {ra} BETWEEN {box.west:.8f} AND {box.east:.8f}"
        else:
            where += f" AND ({ra} >= {box.west:.8f} OR {ra} <= {box.east:.8f})"
    return f"SELECT {names} FROM {catalogue.table} WHERE {where}"  # noqa: S608


def _ask(catalogue: Catalogue, query: str, timeout: float) -> TAPResults:
    """The service's answer; every way to fail is a SiteError that says which."""
    try:
        from pyvo import dal

        from .http_session import BoundedSession
    except ImportError:
        hint = "install it with: pip install 'chandra_runner[find]'"
        raise SiteError("asking the archive's catalogue needs pyvo, which is not here", hint) from None

    def ask() -> TAPResults:
        with warnings.catch_warnings():
            # Services' VOTables seldom follow the standard in all; what counts of them is checked below.
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", dal.DALOverflowWarning)
            session = BoundedSession(timeout, agent=f"chandra_runner/{__version__}")
            return dal.TAPService(catalogue.url, session=session).search(query, maxrec=MAX_ROWS)

    try:
        return within(timeout, ask)
    except DeadlineError:
        raise SiteError(
            f"{catalogue.url} did not answer in {timeout:g} s", _hint(catalogue, "--timeout gives it more")
        ) from None
    except dal.DALOverflowWarning:
        raise UsageError(
            f"{catalogue.url} does not list all observations of so large a field",
            "ask with a smaller --radius",
        ) from None
    except dal.DALQueryError as error:
        raise SiteError(f"{catalogue.url} refused the query: {_line(error)}", _hint(catalogue)) from None
    except dal.DALAccessError as error:
        raise SiteError(
            f"{catalogue.url} gave no answer that can be used: {_cause(error)}", _hint(catalogue)
        ) from None


def _entry(values: Mapping[str, str], kilosecond: float) -> CatalogueEntry:
    """An entry of the values of a row; ValueError where they make no sense."""
    obsid, ra, dec, exposure = (float(values[name]) for name in ("obsid", "ra", "dec", "exposure"))
    if not (obsid > 0 and obsid == int(obsid) and 0 <= ra <= 360 and -90 <= dec <= 90 and exposure >= 0):
        raise ValueError
    return CatalogueEntry(
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
    """A day, of an MJD or of an ISO 8601 date."""
    try:
        return _MJD_ZERO + timedelta(days=int(float(text)))
    except ValueError:
        return date.fromisoformat(text[:10])


def _text(value: object) -> str:
    """A value as one line of printable text, for terminals and YAML; empty where it is masked."""
    import numpy as np

    text = value.decode(errors="replace") if isinstance(value, bytes) else str(value)
    text = "" if np.ma.is_masked(value) else text[:200]
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _line(error: Exception) -> str:
    return _text(str(error)) or type(error).__name__


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an error, in words: libraries wrap a refused connection five times."""
    while (inner := getattr(error, "cause", None) or error.__cause__ or error.__context__) is not None:
        error = inner
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return _text(str(error)) or type(error).__name__


def _hint(catalogue: Catalogue, more: str = "") -> str:
    other = "heasarc" if catalogue.table == CATALOGUES["cxc"].table else "cxc"
    return "; ".join(filter(None, (more, f"try again later, or ask another one with --service {other}")))
