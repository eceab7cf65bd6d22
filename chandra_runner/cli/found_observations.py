"""The observations that ``chandra-run find`` found: as a table, as JSON, as a recipe."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from chandra_runner.archive.catalog.catalogs import WITH_DATA, Catalog, CatalogEntry
from chandra_runner.archive.catalog.search import Criteria, format_angle
from chandra_runner.archive.catalog.sky import Position

from .json_output import to_json
from .tables import Column, counted, render_table

_COLUMNS = (
    Column("ObsID", right=True),
    Column("target"),
    Column("instrument"),
    Column("grating"),
    Column("exposure", right=True),
    Column("date"),
    Column("off", right=True),
    Column(),
)
_LONGEST_NAME = 40
"""Characters of a target's name that are shown."""


def found_text(found: Sequence[CatalogEntry], center: Position) -> str:
    """Return a line for each observation, and the total exposure.

    Parameters
    ----------
    found : sequence of CatalogEntry
        The observations.
    center : Position
        The center of the cone, from which distances are measured.
    """
    count = counted(len(found), "observation")
    if not found:
        return count
    table = render_table(_COLUMNS, ((str(entry.obsid), *_cells(entry, center)) for entry in found))
    return "\n".join([*table, f"{count}, {sum(entry.exposure for entry in found):.1f} ks"])


def found_json(found: Sequence[CatalogEntry], criteria: Criteria, recipe: Path | None) -> str:
    """Return the document of ``--json``.

    Parameters
    ----------
    found : sequence of CatalogEntry
        The observations.
    criteria : Criteria
        What was searched for.
    recipe : Path or None
        The recipe that was written.
    """
    rows = [
        {
            "observation": entry.obsid,
            "target": entry.target,
            "ra": entry.position.ra,
            "dec": entry.position.dec,
            "separation": round(criteria.center.separation(entry.position), 6),
            "instrument": entry.instrument,
            "grating": entry.grating,
            "exposure": entry.exposure,
            "start": str(entry.start) if entry.start else None,
            "public": entry.status == WITH_DATA[0],
        }
        for entry in found
    ]
    return to_json(
        {
            "ra": criteria.center.ra,
            "dec": criteria.center.dec,
            "radius": criteria.radius,
            "observations": rows,
            "recipe": str(recipe) if recipe else None,
        }
    )


def found_recipe(
    found: Sequence[CatalogEntry], criteria: Criteria, *, title: str, extends: str, catalog: Catalog
) -> str:
    """Return a recipe for the observations, each with a comment that describes it.

    Parameters
    ----------
    found : sequence of CatalogEntry
        The observations.
    criteria : Criteria
        What was searched for.
    title : str
        Title of the recipe.
    extends : str
        Recipe that it extends.
    catalog : Catalog
        Where the observations were found.
    """
    lines = [
        f"  - {entry.obsid:<6}  # {'  '.join(filter(None, _cells(entry, criteria.center)))}"
        for entry in found
    ]
    return "\n".join(
        [
            f"# Chandra observations {criteria}.",
            f"# Found in {catalog.table} at {catalog.url}.",
            "",
            "recipe: 1",
            f"title: {json.dumps(title, ensure_ascii=False)}",
            f"extends: {json.dumps(extends, ensure_ascii=False)}",
            "",
            "observations:  # target, instrument, grating, exposure, date, distance",
            *lines,
            "",
            "data: data/          # ObsID directories; missing files are downloaded from the archive",
            "products: products/",
            "",
        ]
    )


def _cells(entry: CatalogEntry, center: Position) -> tuple[str, ...]:
    return (
        entry.target[:_LONGEST_NAME],
        entry.instrument,
        entry.grating,
        f"{entry.exposure:.1f} ks",
        str(entry.start or "?"),
        format_angle(center.separation(entry.position)),
        "" if entry.status == WITH_DATA[0] else "not public yet",
    )
