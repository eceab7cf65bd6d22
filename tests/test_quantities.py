"""Numbers with a unit: read, converted, written in one canonical form."""

from __future__ import annotations

import subprocess
import sys

import pytest
from astropy import units
from astropy.units import Quantity

from chandra_runner import quantities
from chandra_runner.quantities import QuantityError, canonical_text, number_in_unit, parse_quantity


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("200 s", "s", 200.0),
        ("200s", "s", 200.0),
        ("  2e2 s ", "s", 200.0),
        ("+.5 ks", "s", 500.0),
        ("3 min", "s", 180.0),
        ("1 yr", "s", 365.25 * 86400),
        ("500 eV", "keV", 0.5),
        ("7. keV", "keV", 7.0),
        ("1.5 %", "%", 1.5),
        ("3 count / ks", "ct/s", 0.003),
        ("2 arcmin", "arcsec", 120.0),
    ],
)
def test_a_text_is_converted_to_the_expected_unit(text: str, unit: str, expected: float) -> None:
    assert number_in_unit(text, unit) == pytest.approx(expected, rel=1e-15)
    quantity = parse_quantity(text, unit)
    assert quantity.unit == units.Unit(unit)
    assert quantity.value == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("unit", "spelling", "factor"),
    [(u, spelling, f) for u, spellings in quantities._FACTORS.items() for spelling, f in spellings.items()],
)
def test_the_factors_known_without_astropy_are_those_of_astropy(
    unit: str, spelling: str, factor: object
) -> None:
    assert float(str(factor)) == pytest.approx(units.Unit(spelling).to(units.Unit(unit)), rel=1e-14)


def test_equal_quantities_have_one_canonical_text() -> None:
    same = ["0.5 keV", "500 eV", "5e2eV", "0.0005 MeV", ".50 keV", Quantity(500, "eV")]
    assert {canonical_text(value, "keV") for value in same} == {"0.5 keV"}
    assert canonical_text("0.1 keV", "keV") == canonical_text("100.00000000000001 eV", "keV")
    assert canonical_text("-0 s", "s") == "0 s"
    assert canonical_text(parse_quantity("0.2 ct/s", "ct/s")) == "0.2 ct/s"


def test_twelve_digits_count() -> None:
    assert canonical_text("1.00000000001 s", "s") == "1.00000000001 s"
    assert canonical_text("1.0000000000001 s", "s") == "1 s"


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("200", "s", "200 has no unit; write 200 s"),
        ("200 eV", "s", "unit of energy, not of time"),
        ("5 sec", "s", "'sec' is not a unit; write a time with its unit, such as 200 s (units: s, ms,"),
        ("5 kev", "keV", "did you mean keV?"),
        ("nan s", "s", "not a number with a unit"),
        ("inf s", "s", "not a number with a unit"),
        ("1e400 s", "s", "too large"),
        ("1e16 s", "s", "too large"),
        ("1e16 erg", "keV", "too large"),
        ("s", "s", "not a number with a unit"),
        ("", "s", "not a number with a unit"),
        ("0x10 s", "s", "'x10 s' is not a unit"),
        ("0.5 7 keV", "keV", "not a number with a unit"),
        ("0.5-7 keV", "keV", "not a number with a unit"),
        ("1 keV/(2)", "keV", "'keV/(2)' is not a unit"),
        ("1 keV,", "keV", "'keV,' is not a unit"),
        ("1 mag(ct/s)", "ct/s", "'mag(ct/s)' is not a unit"),
        ("1 s**(1/0)", "s", "'s**(1/0)' is not a unit"),
        ("1 s; rm", "s", "is not a unit"),
        ("1" * 61 + " s", "s", "not a number with a unit"),
        ("٣ s", "s", "not a number with a unit"),
        ("1 Hz", "ct/s", "unit of frequency, not of count rate"),
        ("1 parrot", "arcsec", "'parrot' is not a unit; write a number with a unit like arcsec"),
    ],
)
def test_a_text_that_is_not_a_quantity_is_refused_with_the_expected_unit(
    text: str, unit: str, words: str
) -> None:
    with pytest.raises(QuantityError) as caught:
        number_in_unit(text, unit)
    assert words in str(caught.value)
    assert unit in str(caught.value) or "did you mean" in str(caught.value) or "percent" in str(caught.value)


def test_common_units_need_no_astropy() -> None:
    code = (
        "import sys; from chandra_runner.quantities import canonical_text; "
        "assert canonical_text('500 eV', 'keV') == '0.5 keV'; assert 'astropy' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
