"""The catalogs of Chandra's observations: which services have them, and how their tables are laid out.

Columns of ``cxc.observation`` (the Chandra Data Archive's own catalog; target names in capitals and without
spaces, exposures in ks, start dates as ISO 8601): https://cda.cfa.harvard.edu/cxctap/tables. Columns of
``chanmaster`` (HEASARC's copy, updated twice a week; exposures in s, start dates as MJD):
https://heasarc.gsfc.nasa.gov/W3Browse/chandra/chanmaster.html.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from chandra_runner.errors import UsageError
from chandra_runner.suggestions import did_you_mean

from .sky import Position

WITH_DATA = ("archived", "observed")
"""The states of observations with data: public ones, and those that are still proprietary."""

_COLUMNS = ("obsid", "target", "ra", "dec", "instrument", "grating", "exposure", "start", "status")


@dataclass(frozen=True)
class Catalog:
    """A table of Chandra's observations, and the service that has it.

    Parameters
    ----------
    url : str
        Address of the TAP service.
    table : str
        Name of the table.
    columns : Mapping of str to str
        The table's names for ``obsid target ra dec instrument grating exposure start status``.
    kilosecond : float
        One kilosecond in the table's unit of exposure times.
    """

    url: str
    table: str
    columns: Mapping[str, str]
    kilosecond: float


@dataclass(frozen=True)
class CatalogEntry:
    """One observation in a catalog.

    Parameters
    ----------
    obsid : int
        The ObsID.
    target : str
        Name of the target, as the observer wrote it.
    position : Position
        Position of the target.
    instrument, grating : str
        ``ACIS-I``, ``ACIS-S``, ``HRC-I`` or ``HRC-S``; ``NONE``, ``HETG`` or ``LETG``.
    exposure : float
        Exposure time, ks.
    start : date or None
        Date of the start.
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


CATALOGS = {
    "cxc": Catalog(
        "https://cda.cfa.harvard.edu/cxctap",
        "cxc.observation",
        dict(zip(_COLUMNS, _COLUMNS, strict=True))
        | {"target": "target_name", "exposure": "exposure_time", "start": "start_date"},
        kilosecond=1,
    ),
    "heasarc": Catalog(
        "https://heasarc.gsfc.nasa.gov/xamin/vo/tap",
        "chanmaster",
        dict(zip(_COLUMNS, _COLUMNS, strict=True))
        | {"target": "name", "instrument": "detector", "start": "time"},
        kilosecond=1000,
    ),
}


def catalog_at(service: str) -> Catalog:
    """Return the catalog that `service` names.

    It is ``cxc``, ``heasarc``, the URL of a service that has the CXC's table, or ``heasarc=URL``.

    Raises
    ------
    UsageError
        There is no such service.
    """
    name, _, url = ("cxc", "", service) if "://" in service.partition("=")[0] else service.partition("=")
    if name not in CATALOGS:
        raise UsageError(
            f"--service {service}: there is no such service",
            did_you_mean(name, tuple(CATALOGS), "it is the URL of a TAP service, or one of"),
        )
    if url and not url.startswith(("http://", "https://")):
        raise UsageError(f"--service {service}: {url!r} is not an address", "write https://...")
    known = CATALOGS[name]
    return Catalog(url.rstrip("/") or known.url, known.table, known.columns, known.kilosecond)
