"""Finding the ObsIDs of a target or a cone in the archive's catalog."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from .catalogs import WITH_DATA, Catalog, CatalogEntry
from .sky import Position, box_around
from .tap import entries_in


@dataclass(frozen=True)
class Criteria:
    """The criteria of a search.

    Parameters
    ----------
    center : Position
        Center of the cone.
    radius : float
        Radius of the cone, degrees.
    instrument : str
        ``ACIS``, ``HRC``, ``ACIS-I``, ``ACIS-S``, ``HRC-I``, ``HRC-S``; any when empty.
    grating : str
        ``NONE``, ``HETG``, ``LETG``; any when empty.
    min_exposure : float
        Least exposure time, ks.
    after, before : date or None
        First day, and the day after the last one.
    public : bool
        Whether proprietary observations are left out.
    """

    center: Position
    radius: float
    instrument: str = ""
    grating: str = ""
    min_exposure: float = 0.0
    after: date | None = None
    before: date | None = None
    public: bool = False

    def accepts(self, entry: CatalogEntry) -> bool:
        """Return whether an observation meets the criteria."""
        detector = entry.instrument
        return (
            entry.status in (WITH_DATA[:1] if self.public else WITH_DATA)
            and self.center.separation(entry.position) <= self.radius
            and self.instrument in ("", detector, detector.partition("-")[0])
            and self.grating in ("", entry.grating)
            and entry.exposure >= self.min_exposure
            and (self.after is None or (entry.start is not None and entry.start >= self.after))
            and (self.before is None or (entry.start is not None and entry.start < self.before))
        )

    def __str__(self) -> str:
        parts = [
            f"within {format_angle(self.radius)} of {self.center}",
            self.instrument,
            f"grating {self.grating}" if self.grating else "",
            f"at least {self.min_exposure:g} ks" if self.min_exposure else "",
            f"from {self.after}" if self.after else "",
            f"before {self.before}" if self.before else "",
            "public" if self.public else "",
        ]
        return ", ".join(filter(None, parts))


def find(catalog: Catalog, criteria: Criteria, timeout: float) -> list[CatalogEntry]:
    """Return the observations that meet the criteria, sorted by ObsID.

    Raises
    ------
    SiteError
        The catalog gives no usable answer.
    """
    box = box_around(criteria.center, criteria.radius)
    fitting = {entry.obsid: entry for entry in entries_in(catalog, box, timeout) if criteria.accepts(entry)}
    return [fitting[obsid] for obsid in sorted(fitting)]


def format_angle(degrees: float) -> str:
    """Return an angle for people to read: arcminutes below one degree.

    Examples
    --------
    >>> format_angle(0.5), format_angle(1.25)
    ("30.0'", '1.25 deg')
    """
    return f"{degrees * 60:.1f}'" if degrees < 1 else f"{degrees:.2f} deg"
