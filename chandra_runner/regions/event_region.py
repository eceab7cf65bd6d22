"""The region that an event list was cut to, from the data subspace in its header."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import reduce
from operator import and_, or_

from astropy.io import fits

from chandra_runner.fits.subspace import component_filters, parse_ranges

from .extent import WHOLE_SKY, Extent
from .region import Region, RegionError, Term, parse_region
from .shapes import Rectangle

_POSITION = re.compile(r"(sky|pos)(\(x,\s*y\))?|x|y")
"""Names of subspace axes that limit sky coordinates: the vector column, or its components."""


def is_cut(header: fits.Header) -> bool:
    """Return whether an event list was cut by sky position."""
    return any(_POSITION.fullmatch(name) for filters in component_filters(header) for name in filters)


def region_of_chip(header: fits.Header, chip_column: str, chip: int) -> Region | None:
    """Return the region in which the events of a chip were kept; None if that is everywhere.

    Parameters
    ----------
    header : Header
        Header of EVENTS.
    chip_column : str
        Name of the column with the number of the chip.
    chip : int
        Number of the chip.

    Raises
    ------
    RegionError
        The header has a region that cannot be read.
    """
    # A component of the subspace is usually a chip: its good times, and what else was selected on it.
    parts = [_region(filters) for filters in component_filters(header) if _admits(filters, chip_column, chip)]
    known = [part for part in parts if part is not None]
    return reduce(or_, known) if known and len(known) == len(parts) else None


def _admits(filters: Mapping[str, str], chip_column: str, chip: int) -> bool:
    """Return whether a component keeps events of a chip."""
    ranges = parse_ranges(filters.get(chip_column, ":"))
    return ranges is None or any(low <= chip <= high for low, high in ranges)


def _region(filters: Mapping[str, str]) -> Region | None:
    """Return the region of one component: all of its filters on positions apply."""
    regions = [_limits(name, text) for name, text in filters.items() if _POSITION.fullmatch(name)]
    return reduce(and_, regions) if regions else None


def _limits(name: str, text: str) -> Region:
    if name not in ("x", "y"):
        return parse_region(text)
    ranges = parse_ranges(text)
    if ranges is None:
        raise RegionError(f"the range {text!r} of {name} is not a list of numbers", "write it as 1:10,20:30")
    sky = WHOLE_SKY
    sides = [
        Extent(*ends, sky.y_min, sky.y_max) if name == "x" else Extent(sky.x_min, sky.x_max, *ends)
        for ends in ranges
    ]
    return Region(tuple((Term(Rectangle(side)),) for side in sides))
