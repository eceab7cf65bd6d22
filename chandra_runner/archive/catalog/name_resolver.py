"""Where on the sky a named object is, as the name service Sesame of the CDS says."""

from __future__ import annotations

import http.client

from chandra_runner.errors import SiteError, UsageError

from .deadline import DeadlineError, within
from .sky import Position

SESAME = "https://cds.unistra.fr/cgi-bin/nph-sesame/"
"""Asks SIMBAD, then NED, then VizieR (https://cds.unistra.fr/cgi-bin/Sesame)."""

MAX_NAME = 100
"""Characters; no catalogue has longer names."""

_HINT = "give the position with --ra and --dec"


def resolve(name: str, service: str, timeout: float) -> Position:
    """The position of a named object.

    Parameters
    ----------
    name : str
        Such as ``Abell 1795``.
    service : str
        Address of a Sesame service.
    timeout : float
        How long it may take, s.

    Raises
    ------
    UsageError
        Nobody knows an object of that name.
    SiteError
        The service cannot be asked.
    """
    if not name.isprintable() or len(name) > MAX_NAME:
        raise UsageError(f"{name[:MAX_NAME]!r} is no object's name", _HINT)
    from astropy.coordinates import SkyCoord
    from astropy.coordinates.name_resolve import NameResolveError, sesame_url
    from astropy.utils import data

    def ask() -> SkyCoord:
        with sesame_url.set([service]), data.conf.set_temp("remote_timeout", timeout):
            return SkyCoord.from_name(name)

    try:
        found = within(timeout, ask)
    except DeadlineError:
        raise SiteError(f"the name service {service} did not answer in {timeout:g} s", _HINT) from None
    except NameResolveError as error:
        # astropy has one error for a name without object and for a service without answer.
        if str(error).startswith("Unable to find"):
            raise UsageError(f"no object named {name!r} is known to Sesame", _HINT) from None
        reason = " ".join(str(error).split()).rpartition(f"{name}: ")[2].rpartition(": ")[2]
        raise SiteError(f"the name service {service} cannot be asked: {reason}", _HINT) from None
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise SiteError(f"the name service {service} gave no proper answer: {error}", _HINT) from None
    return Position(float(found.ra.deg), float(found.dec.deg))
