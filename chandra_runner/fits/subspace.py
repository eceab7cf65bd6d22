"""The data subspace of CIAO's files: which filters the rows of a table have passed.

Keywords DSTYPn (column), DSVALn (its ranges), DSFORMn, DSUNITn; the same for the second component (chip)
as 2DSVALn, and so on. CIAO's tools take the range of a missing value from them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from astropy.io import fits

Range = tuple[float, float]
_KEYWORD = r"\d*DS(TYP|VAL|FORM|UNIT|REF)\d+"


def subspace_of(header: fits.Header) -> fits.Header:
    """Return the cards of a header that make up the data subspace, in their order.

    A table that is made from the rows of another has passed the same filters.
    """
    return fits.Header([card for card in header.cards if re.fullmatch(_KEYWORD, card.keyword)])


def restrict(header: fits.Header, column: str, ranges: Sequence[Range], form: str, unit: str = "") -> None:
    """Record in a header that only values within some ranges are left in a column.

    Parameters
    ----------
    header : Header
        Header of the table, which is changed.
    column : str
        Name of the column that was filtered.
    ranges : sequence of (float, float)
        Smallest and largest value of each range that is kept.
    form : str
        TFORM code of the column.
    unit : str
        Unit of the column.

    Examples
    --------
    >>> header = fits.Header({"DSTYP1": "energy", "DSVAL1": "300:10000"})
    >>> restrict(header, "energy", [(500, 7000)], "E", "eV")
    >>> header["DSVAL1"]
    '500:7000'
    """
    axis = _axis(header, column)
    known = f"DSTYP{axis}" in header
    if not known:
        header[f"DSTYP{axis}"] = column
    # Each component is a chip with good times of its own; a cut on another column holds for all of them.
    for component in _components(header):
        key = f"{component}DSVAL{axis}"
        before = parse_ranges(str(header[key])) if key in header else [(-math.inf, math.inf)]
        # TABLE (the ranges are in another extension) and other text is left as it is.
        if before is not None:
            header[key] = ",".join(map(_range_text, _intersect(before, ranges)))
    if not known:
        header[f"DSFORM{axis}"] = form
        if unit:
            header[f"DSUNIT{axis}"] = unit


def component_filters(header: fits.Header) -> list[Mapping[str, str]]:
    """Return the filters of each component: the text of its value by the name of the column.

    Parameters
    ----------
    header : Header
        Header of the table. A component without a value of its own has that of the first one.

    Examples
    --------
    >>> header = fits.Header({"DSTYP1": "ccd_id", "DSVAL1": "3:3", "2DSVAL1": "2:2"})
    >>> component_filters(header)
    [{'ccd_id': '3:3'}, {'ccd_id': '2:2'}]
    """
    return [
        {
            name: str(header.get(f"{component}DSVAL{axis}", header.get(f"DSVAL{axis}", ""))).strip()
            for axis, name in _axes(header).items()
        }
        for component in _components(header)
    ]


def parse_ranges(value: str) -> list[Range] | None:
    """Return the ranges in text like ``0:0,2:6``, open ends as infinity; None if it is no list of ranges."""
    ends = [part.partition(":")[::2] for part in value.replace(" ", "").split(",")]
    try:
        return [(float(low or -math.inf), float(high or math.inf)) for low, high in ends]
    except ValueError:
        return None


def _axes(header: fits.Header) -> dict[int, str]:
    """Return the columns of the subspace by the number of their axis, in lower case."""
    keys = [key for key in header if re.fullmatch(r"DSTYP\d+", key)]
    return {int(key.removeprefix("DSTYP")): str(header[key]).strip().lower() for key in keys}


def _axis(header: fits.Header, column: str) -> int:
    """Return the number of the subspace axis of a column, a new one if it has none."""
    axes = _axes(header)
    return next((n for n, name in axes.items() if name == column), max(axes, default=0) + 1)


def _components(header: fits.Header) -> list[str]:
    """Return the prefixes of the components: empty for the first, then ``2``, ``3``..."""
    found = {match[1] for key in header if (match := re.fullmatch(r"(\d+)DS(?:VAL|REF)\d+", key))}
    return ["", *sorted(found, key=int)]


def _intersect(left: Sequence[Range], right: Sequence[Range]) -> list[Range]:
    both = [(max(a, c), min(b, d)) for a, b in left for c, d in right]
    return sorted((low, high) for low, high in both if low <= high)


def _range_text(ends: Range) -> str:
    return ":".join("" if math.isinf(end) else f"{end:.15g}" for end in ends)
