"""Read, convert and write numbers with a unit, such as "200 s", "0.5 keV" and "1.5 %"."""

from __future__ import annotations

import re
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING

from .errors import BadValueError

if TYPE_CHECKING:
    from astropy.units import Quantity, UnitBase

MAX_LENGTH = 60
"""Longer texts are not read as a number with a unit."""

LARGEST = 1e15
"""In canonical units; larger numbers are mistakes (in seconds this is 30 million years)."""

_TEXT = re.compile(
    r"\s*(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(?P<unit>[A-Za-z%].*?)?\s*"
)

_KINDS = {"s": "time", "keV": "energy", "%": "percentage", "ct/s": "count rate"}
_EXAMPLES = {"s": "200 s", "keV": "0.5 keV", "%": "1.5 %", "ct/s": "0.2 ct/s"}

# These units need no astropy, which takes longer to import than a run with nothing to do should take.
# The tests compare the factors with astropy's. Other units that astropy knows are accepted, too.
_FACTORS: dict[str, dict[str, Decimal]] = {
    "s": {
        "s": Decimal(1),
        "ms": Decimal("0.001"),
        "ks": Decimal(1000),
        "min": Decimal(60),
        "h": Decimal(3600),
        "d": Decimal(86400),
    },
    "keV": {"keV": Decimal(1), "eV": Decimal("0.001"), "MeV": Decimal(1000)},
    "%": {"%": Decimal(1)},
    "ct/s": {"ct/s": Decimal(1), "count/s": Decimal(1), "ct/ks": Decimal("0.001")},
}


class QuantityError(BadValueError):
    """A text is not a number with a unit that can be converted to the expected one."""


def number_in_unit(value: str | Quantity, unit: str) -> float:
    """Return the plain number that a quantity is in a unit.

    Parameters
    ----------
    value : str or Quantity
        The quantity, as text such as ``"500 eV"`` or as an astropy Quantity.
    unit : str
        The unit of the result, such as ``keV``.

    Raises
    ------
    QuantityError
        The text is not a finite number with a unit that can be converted.

    Examples
    --------
    >>> number_in_unit("500 eV", "keV")
    0.5
    """
    if not isinstance(value, str):
        return float(value.to_value(_astropy_unit(unit)))
    number, written = _split(value, unit)
    factor = _FACTORS.get(unit, {}).get(written)
    # Decimal keeps 500 eV exactly 0.5 keV, and 0.1 keV equal to 100 eV.
    result = float(number * factor) if factor is not None else _convert(float(number), written, unit)
    if abs(result) > LARGEST:
        raise QuantityError(f"{value.strip()} is much too large", f"write {expected_form(unit)}")
    return result


def parse_quantity(text: str, unit: str) -> Quantity:
    """Return a text such as ``"3 min"`` as an astropy Quantity in a unit.

    Raises
    ------
    QuantityError
        As `number_in_unit`.

    Examples
    --------
    >>> parse_quantity("3 min", "s")
    <Quantity 180. s>
    """
    from astropy.units import Quantity

    return Quantity(number_in_unit(text, unit), _astropy_unit(unit))


def canonical_text(value: str | Quantity, unit: str = "") -> str:
    """Write a quantity in the one way that equal quantities share, to 12 significant digits.

    Fingerprints and manifests use it: a recipe with 500 eV instead of 0.5 keV makes the same products.

    Parameters
    ----------
    value : str or Quantity
        The quantity.
    unit : str
        The unit of the text; by default that of the Quantity.

    Examples
    --------
    >>> canonical_text("500 eV", "keV")
    '0.5 keV'
    """
    unit = unit or str(getattr(value, "unit", "")).replace(" / ", "/")
    return f"{number_in_unit(value, unit) + 0.0:.12g} {unit}"  # + 0.0 makes -0 s the same as 0 s


def expected_form(unit: str) -> str:
    """Say what to write where a unit is expected.

    Examples
    --------
    >>> expected_form("s")
    'a time with its unit, such as 200 s'
    """
    kind = _KINDS.get(unit)
    article = "an" if kind == "energy" else "a"
    what = f"{article} {kind} with its unit" if kind else f"a number with a unit like {unit}"
    return f"{what}, such as {_EXAMPLES.get(unit, f'2 {unit}')}"


def electronvolts(energy: Quantity) -> float:
    """Return an energy in eV, rounded to the millionth: 1.005 keV is 1005, not 1004.9999999999999."""
    return round(float(energy.to_value("eV")), 6)


def _split(text: str, unit: str) -> tuple[Decimal, str]:
    """Split a text into its number and its unit; `unit` is the expected one, for messages."""
    match = _TEXT.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None:
        shown = text if len(text) <= MAX_LENGTH else f"{text[:30]}..."
        raise QuantityError(f"{shown!r} is not a number with a unit", f"write {expected_form(unit)}")
    if not match["unit"]:
        raise QuantityError(f"{text.strip()} has no unit", f"write {match['number']} {unit}")
    return Decimal(match["number"]), match["unit"]


def _convert(number: float, written: str, unit: str) -> float:
    """Convert with astropy; the message names the kind of the unit and the kind that is expected."""
    from astropy.units import UnitConversionError

    target = _astropy_unit(unit)
    source = _astropy_unit(written)
    if source is None or target is None:
        spelled = [known for known in _FACTORS.get(unit, ()) if known.lower() == written.lower()]
        hint = f"did you mean {spelled[0]}?" if spelled else f"write {expected_form(unit)} ({_choices(unit)})"
        raise QuantityError(f"{written!r} is not a unit", hint)
    try:
        return float(source.to(target, number))
    except UnitConversionError:
        kind = str(source.physical_type).partition("/")[0]
        of = "" if kind == "unknown" else f" is a unit of {kind},"
        raise QuantityError(
            f"{written}{of or ' is'} not of {_KINDS.get(unit, unit)}",
            f"write {expected_form(unit)} ({_choices(unit)})",
        ) from None


def _choices(unit: str) -> str:
    return "units: " + ", ".join(_FACTORS.get(unit, {unit: Decimal(1)}))


def _astropy_unit(text: str) -> UnitBase | None:
    from astropy.units import Unit, UnitBase

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            unit = Unit(text)
        except (ValueError, TypeError):
            return None
    # Magnitudes, tuples ("keV,") and units that contain a number ("keV/(2)") are mistakes.
    return unit if isinstance(unit, UnitBase) and unit.scale == 1 else None
