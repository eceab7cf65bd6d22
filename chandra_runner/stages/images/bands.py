"""Energy bands of images: the names of the Chandra Source Catalog, and bands of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from chandra_runner.errors import SettingProblem
from chandra_runner.quantities import number_in_unit

if TYPE_CHECKING:
    from astropy.units import Quantity

LOWEST, HIGHEST = 0.1, 10.0
"""Energies that CIAO's fluximage accepts, keV."""


class BandSettings(Protocol):
    """The settings of an image stage that state its bands: `bands`, or `en_bounds` with `effective_ens`."""

    @property
    def bands(self) -> list[Any] | None: ...
    @property
    def en_bounds(self) -> list[Any]: ...
    @property
    def effective_ens(self) -> list[Any]: ...


@dataclass(frozen=True)
class Band:
    """An energy band.

    Parameters
    ----------
    name : str
        ``broad``, or ``0.3-2.0`` as written: its name in files and manifests.
    lo, hi : float
        Edges, keV; ``lo <= energy < hi``.
    effective : float
        The energy that stands for the band in exposure and PSF maps, keV.
    """

    name: str
    lo: float
    hi: float
    effective: float

    @property
    def text(self) -> str:
        """As fluximage takes it: ``broad`` or ``0.3:2.0:0.9``."""
        if self.name in CSC_BANDS:
            return self.name
        return f"{self.name.replace('-', ':')}:{self.effective:.12g}"


# CIAO's help page of fluximage, "ahelp fluximage", parameter bands.
CSC_BANDS = {
    band.name: band
    for band in (
        Band("ultrasoft", 0.2, 0.5, 0.4),
        Band("soft", 0.5, 1.2, 0.92),
        Band("medium", 1.2, 2.0, 1.56),
        Band("hard", 2.0, 7.0, 3.8),
        Band("broad", 0.5, 7.0, 2.3),
    )
}
CSC = ("soft", "medium", "hard")
"""What the name ``CSC`` stands for."""

HRC_WIDE = Band("wide", LOWEST, HIGHEST, 1.5)
"""The one band of HRC, which has no usable energies: all events are in it."""


def bands_of(settings: BandSettings) -> tuple[Band, ...]:
    """Return the bands that the settings of an image stage state, in their order.

    Parameters
    ----------
    settings : BandSettings
        Energies are quantities, or their text.
    """
    if settings.bands is not None:
        return tuple(band for text in settings.bands for band in parse_band(text))
    return tuple(
        _band(lo, hi, effective)
        for (lo, hi), effective in zip(settings.en_bounds, settings.effective_ens, strict=True)
    )


def parse_band(text: str) -> tuple[Band, ...]:
    """Return the bands that one item of `bands` stands for; ``CSC`` stands for three.

    Parameters
    ----------
    text : str
        A name, or ``lo:hi:effective`` in keV.
    """
    if text == "CSC":
        return tuple(CSC_BANDS[name] for name in CSC)
    if text in CSC_BANDS:
        return (CSC_BANDS[text],)
    lo, hi, effective = text.split(":")
    return (_with_catalog_name(Band(f"{lo}-{hi}", float(lo), float(hi), float(effective))),)


def check_bands(settings: BandSettings) -> Iterator[SettingProblem]:
    """Yield what is wrong with bands: edges in the wrong order, duplicates, lists of different lengths."""
    if settings.bands is not None:
        yield from _check_named_bands(settings.bands)
        return
    bounds, effective = settings.en_bounds, settings.effective_ens
    if len(bounds) != len(effective):
        message = f"{_count(effective)} for the {_count(bounds)} of en_bounds"
        yield SettingProblem(("effective_ens",), message, "write one effective energy for each band")
        return
    bands = [_band(lo, hi, energy) for (lo, hi), energy in zip(bounds, effective, strict=True)]
    for number, band in enumerate(bands):
        for message, hint, is_edge in _problems(band):
            yield SettingProblem(("en_bounds" if is_edge else "effective_ens", number), message, hint)
    yield from _check_names("en_bounds", ((number, band) for number, band in enumerate(bands)))


def _check_named_bands(texts: Sequence[str]) -> Iterator[SettingProblem]:
    parsed = [(number, band) for number, text in enumerate(texts) for band in parse_band(text)]
    for number, band in parsed:
        for message, hint, _ in _problems(band):
            yield SettingProblem(("bands", number), message, hint)
    yield from _check_names("bands", parsed)


def _check_names(setting: str, bands: Iterable[tuple[int, Band]]) -> Iterator[SettingProblem]:
    seen: set[str] = set()
    for number, band in bands:
        if band.name in seen:
            yield SettingProblem(
                (setting, number), f"the band {band.name} is given twice", "keep one of them"
            )
        seen.add(band.name)


def _problems(band: Band) -> Iterator[tuple[str, str, bool]]:
    """Yield what is wrong with a band, what would be right, and whether its edges are the cause."""
    edges = f"{band.lo:g}:{band.hi:g}"
    if not LOWEST <= band.lo <= HIGHEST or not LOWEST <= band.hi <= HIGHEST:
        yield f"the band {edges} keV is not within 0.1 to 10 keV", "give energies in keV, 0.1 to 10", True
    elif band.lo >= band.hi:
        what = "has its edges in the wrong order" if band.lo > band.hi else "is empty"
        yield f"the band {edges} keV {what}", "write the lower edge first, then the upper one", True
    elif not band.lo <= band.effective <= band.hi:
        message = f"the effective energy {band.effective:g} keV is outside its band {edges} keV"
        yield message, f"write one from {band.lo:g} to {band.hi:g} keV", False


def _band(lo: str | Quantity, hi: str | Quantity, effective: str | Quantity) -> Band:
    edges = [round(number_in_unit(energy, "keV"), 12) for energy in (lo, hi, effective)]
    return _with_catalog_name(Band(f"{edges[0]}-{edges[1]}", *edges))


def _with_catalog_name(band: Band) -> Band:
    """Return the band of the Chandra Source Catalog with these energies, if there is one."""
    for known in CSC_BANDS.values():
        if (band.lo, band.hi, band.effective) == (known.lo, known.hi, known.effective):
            return known
    return band


def _count(items: Sequence[object]) -> str:
    return f"{len(items)} item" if len(items) == 1 else f"{len(items)} items"
