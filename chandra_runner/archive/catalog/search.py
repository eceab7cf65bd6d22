"""Finding the ObsIDs of a target or a cone in the archive's catalogue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from .sky import Position, box_around
from .tap import WITH_DATA, Catalogue, CatalogueEntry, entries_in


@dataclass(frozen=True)
class Criteria:
    """What is looked for.

    Parameters
    ----------
    centre : Position
        Axis of the cone.
    radius : float
        Its opening, degrees.
    instrument : str
        ``ACIS``, ``HRC``, ``ACIS-I``, ``ACIS-S``, ``HRC-I``, ``HRC-S``; any when empty.
    grating : str
        ``NONE``, ``HETG``, ``LETG``; any when empty.
    min_exposure : float
        ks.
    after, before : date or None
        The first day, and the first day that is too late.
    public : bool
        Whether those that are still proprietary are left out.
    """

    centre: Position
    radius: float
    instrument: str = ""
    grating: str = ""
    min_exposure: float = 0.0
    after: date | None = None
    before: date | None = None
    public: bool = False

    def accepts(self, entry: CatalogueEntry) -> bool:
        """Whether an observation is among what is looked for."""
        detector = entry.instrument
        return (
            entry.status in (WITH_DATA[:1] if self.public else WITH_DATA)
            and self.centre.separation(entry.position) <= self.radius
            and self.instrument in ("", detector, detector.partition("-")[0])
            and self.grating in ("", entry.grating)
            and entry.exposure >= self.min_exposure
            and (self.after is None or (entry.start is not None and entry.start >= self.after))
            and (self.before is None or (entry.start is not None and entry.start < self.before))
        )

    def __str__(self) -> str:
        parts = [
            f"within {_angle(self.radius)} of {self.centre}",
            self.instrument,
            f"grating {self.grating}" if self.grating else "",
            f"at least {self.min_exposure:g} ks" if self.min_exposure else "",
            f"from {self.after}" if self.after else "",
            f"before {self.before}" if self.before else "",
            "public" if self.public else "",
        ]
        return ", ".join(filter(None, parts))


def find(catalogue: Catalogue, criteria: Criteria, timeout: float) -> list[CatalogueEntry]:
    """The observations that fit, by ObsID.

    Raises
    ------
    SiteError
        The catalogue cannot be asked.
    """
    box = box_around(criteria.centre, criteria.radius)
    fitting = {entry.obsid: entry for entry in entries_in(catalogue, box, timeout) if criteria.accepts(entry)}
    return [fitting[obsid] for obsid in sorted(fitting)]


def found_table(found: Sequence[CatalogueEntry], centre: Position) -> str:
    """The observations, one a line."""
    head = ("ObsID", "target", "instrument", "grating", "exposure", "date", "off", "")
    rows = [head, *((str(entry.obsid), *_cells(entry, centre)) for entry in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    right = (0, 4, 6)
    lines = [
        "  ".join(
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
    total = sum(entry.exposure for entry in found)
    count = f"{len(found)} observation{'s' * (len(found) != 1)}"
    return "\n".join([*lines, f"{count}, {total:.1f} ks"] if found else [count])


def found_json(found: Sequence[CatalogueEntry], criteria: Criteria, recipe: Path | None) -> str:
    """The document of ``--json``."""
    rows = [
        {
            "observation": entry.obsid,
            "target": entry.target,
            "ra": entry.position.ra,
            "dec": entry.position.dec,
            "separation": round(criteria.centre.separation(entry.position), 6),
            "instrument": entry.instrument,
            "grating": entry.grating,
            "exposure": entry.exposure,
            "start": str(entry.start) if entry.start else None,
            "public": entry.status == WITH_DATA[0],
        }
        for entry in found
    ]
    document = {
        "ra": criteria.centre.ra,
        "dec": criteria.centre.dec,
        "radius": criteria.radius,
        "observations": rows,
        "recipe": str(recipe) if recipe else None,
    }
    return json.dumps(document, indent=1, ensure_ascii=False)


def found_recipe(
    found: Sequence[CatalogueEntry], criteria: Criteria, *, title: str, extends: str, catalogue: Catalogue
) -> str:
    """A recipe for the observations, each with a comment that says what it is."""
    columns = [_cells(entry, criteria.centre) for entry in found]
    lines = [
        f"  - {entry.obsid:<6}  # {'  '.join(filter(None, cells))}"
        for entry, cells in zip(found, columns, strict=True)
    ]
    return "\n".join(
        [
            f"# Chandra observations {criteria}.",
            f"# Found in {catalogue.table} at {catalogue.url}.",
            "",
            "recipe: 1",
            f"title: {json.dumps(title, ensure_ascii=False)}",
            f"extends: {json.dumps(extends, ensure_ascii=False)}",
            "",
            "observations:  # target, instrument, grating, exposure, date, distance",
            *lines,
            "",
            "data: data/          # ObsID directories; what is missing there is fetched from the archive",
            "products: products/",
            "",
        ]
    )


def _cells(entry: CatalogueEntry, centre: Position) -> tuple[str, ...]:
    return (
        entry.target[:40],
        entry.instrument,
        entry.grating,
        f"{entry.exposure:.1f} ks",
        str(entry.start or "?"),
        _angle(centre.separation(entry.position)),
        "" if entry.status == WITH_DATA[0] else "not public yet",
    )


def _angle(degrees: float) -> str:
    return f"{degrees * 60:.1f}'" if degrees < 1 else f"{degrees:.2f} deg"
