"""Numbers with a unit: "200 s", "0.5 keV", "1.5 %" as text, as plain numbers, as astropy Quantities."""

from __future__ import annotations

import re
import warnings
from decimal import Decimal
from typing import TYPE_CHECKING

from .errors import BadValueError

if TYPE_CHECKING:
    from astropy.units import Quantity, UnitBase

MAX_LENGTH = 60
"""No number with a unit is longer, as text."""

LARGEST = 1e15
"""In canonical units; what is larger is a slip of the pen (30 million years, in seconds)."""

_TEXT = re.compile(
    r"\s*(?P<number>[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)\s*(?P<unit>[A-Za-z%].*?)?\s*"
)

_KINDS = {"s": "time", "keV": "energy", "%": "percentage", "ct/s": "count rate"}
_EXAMPLES = {"s": "200 s", "keV": "0.5 keV", "%": "1.5 %", "ct/s": "0.2 ct/s"}

# Spellings that need no astropy: validating a recipe whose work is done should not cost its import.
# The tests hold these factors against astropy's. Others that astropy knows are accepted too.
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
    """A text is not a number with the unit that is wanted."""


def magnitude(value: str | Quantity, unit: str) -> float:
    """The plain number in that unit.

    Parameters
    ----------
    value : str or Quantity
        ``"500 eV"``.
    unit : str
        The canonical unit, e.g. ``keV``.

    Raises
    ------
    QuantityError
        It is not a finite number with a unit that can be converted.
    """
    if not isinstance(value, str):
        return float(value.to_value(_astropy_unit(unit)))
    number, written = _split(value, unit)
    factor = _FACTORS.get(unit, {}).get(written)
    result = float(number * factor) if factor is not None else _convert(float(number), written, unit)
    if abs(result) > LARGEST:
        raise QuantityError(f"{value.strip()} is absurdly large", f"write {wanted(unit)}")
    return result


def parse(text: str, unit: str) -> Quantity:
    """The quantity that a text states, in the canonical unit.

    Raises
    ------
    QuantityError
        See `magnitude`.
    """
    from astropy.units import Quantity

    return Quantity(magnitude(text, unit), _astropy_unit(unit))


def normal(value: str | Quantity, unit: str = "") -> str:
    """The one text for all ways to say the same: in the canonical unit, to 12 significant digits.

    `0.5 keV`, `500 eV` and ``Quantity(0.5, "keV")`` are all ``"0.5 keV"``.

    Parameters
    ----------
    value : str or Quantity
        What to write.
    unit : str
        The canonical unit; a Quantity's own when empty.
    """
    unit = unit or str(getattr(value, "unit", "")).replace(" / ", "/")
    return f"{magnitude(value, unit) + 0.0:.12g} {unit}"


def wanted(unit: str) -> str:
    """What to write where that unit is wanted: ``a time with its unit, such as 200 s``."""
    kind = _KINDS.get(unit)
    article = "an" if kind == "energy" else "a"
    what = f"{article} {kind} with its unit" if kind else f"a number with a unit like {unit}"
    return f"{what}, such as {_EXAMPLES.get(unit, f'2 {unit}')}"


def _split(text: str, unit: str) -> tuple[Decimal, str]:
    match = _TEXT.fullmatch(text) if len(text) <= MAX_LENGTH else None
    if match is None:
        shown = text if len(text) <= MAX_LENGTH else f"{text[:30]}..."
        raise QuantityError(f"{shown!r} is not a number with a unit", f"write {wanted(unit)}")
    if not match["unit"]:
        raise QuantityError(f"{text.strip()} has no unit", f"write {match['number']} {unit}")
    return Decimal(match["number"]), match["unit"]


def _convert(number: float, written: str, unit: str) -> float:
    """Convert with astropy; the message says of what kind the unit is, and of what kind it should be."""
    from astropy.units import UnitConversionError

    target = _astropy_unit(unit)
    source = _astropy_unit(written)
    if source is None or target is None:
        spelled = [known for known in _FACTORS.get(unit, ()) if known.lower() == written.lower()]
        hint = f"did you mean {spelled[0]}?" if spelled else f"write {wanted(unit)} ({_choices(unit)})"
        raise QuantityError(f"{written!r} is not a unit", hint)
    try:
        return float(source.to(target, number))
    except UnitConversionError:
        kind = str(source.physical_type).partition("/")[0]
        of = "" if kind == "unknown" else f" is a unit of {kind},"
        raise QuantityError(
            f"{written}{of or ' is'} not of {_KINDS.get(unit, unit)}",
            f"write {wanted(unit)} ({_choices(unit)})",
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
    # Magnitudes, tuples ("keV,") and units with a number of their own ("keV/(2)") are slips.
    return unit if isinstance(unit, UnitBase) and unit.scale == 1 else None


def electronvolts(energy: Quantity) -> float:
    """An energy in eV, to the millionth: 1.005 keV is 1005, not 1004.9999999999999."""
    return round(float(energy.to_value("eV")), 6)
