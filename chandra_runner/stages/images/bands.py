"""Energy bands of images: the names of the Chandra Source Catalog, and bands of one's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chandra_runner.quantities import magnitude
from chandra_runner.stages.stage import SettingProblem, Settings

if TYPE_CHECKING:
    from astropy.units import Quantity

LOWEST, HIGHEST = 0.1, 10.0
"""Energies that CIAO's fluximage accepts, keV."""


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
"""The one band of HRC, whose energies say nothing: all events are in it."""


def bands_of(settings: Settings) -> tuple[Band, ...]:
    """The bands that an image stage's settings ask for, in their order.

    Parameters
    ----------
    settings : Settings
        With `bands`, or with `en_bounds` and `effective_ens` (quantities, or their text).
    """
    if settings["bands"] is not None:
        return tuple(band for text in settings["bands"] for band in parse(text))
    return tuple(
        _stated(lo, hi, effective)
        for (lo, hi), effective in zip(settings["en_bounds"], settings["effective_ens"], strict=True)
    )


def parse(text: str) -> tuple[Band, ...]:
    """The bands that one item of `bands` means; ``CSC`` means three.

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
    return (_named(Band(f"{lo}-{hi}", float(lo), float(hi), float(effective))),)


def check(settings: Settings) -> Iterator[SettingProblem]:
    """What is wrong with the bands: edges upside down, bands given twice, lists of different lengths."""
    if settings["bands"] is not None:
        yield from _check_bands(settings["bands"])
        return
    bounds, effective = settings["en_bounds"], settings["effective_ens"]
    if len(bounds) != len(effective):
        message = f"{_count(effective)} for the {_count(bounds)} of en_bounds"
        yield SettingProblem(("effective_ens",), message, "write one effective energy for each band")
        return
    bands = [_stated(lo, hi, energy) for (lo, hi), energy in zip(bounds, effective, strict=True)]
    for number, band in enumerate(bands):
        for message, hint, is_edge in _faults(band):
            yield SettingProblem(("en_bounds" if is_edge else "effective_ens", number), message, hint)
    yield from _check_names("en_bounds", ((number, band) for number, band in enumerate(bands)))


def _check_bands(texts: Sequence[str]) -> Iterator[SettingProblem]:
    parsed = [(number, band) for number, text in enumerate(texts) for band in parse(text)]
    for number, band in parsed:
        for message, hint, _ in _faults(band):
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


def _faults(band: Band) -> Iterator[tuple[str, str, bool]]:
    """What is wrong with a band, what would be right, and whether its edges are to blame."""
    edges = f"{band.lo:g}:{band.hi:g}"
    if not LOWEST <= band.lo <= HIGHEST or not LOWEST <= band.hi <= HIGHEST:
        yield f"the band {edges} keV goes beyond 0.1 to 10 keV", "give energies in keV, 0.1 to 10", True
    elif band.lo >= band.hi:
        what = "upside down" if band.lo > band.hi else "empty"
        yield f"the band {edges} keV is {what}", "write the lower edge first, then the upper one", True
    elif not band.lo <= band.effective <= band.hi:
        message = f"the effective energy {band.effective:g} keV lies outside its band {edges} keV"
        yield message, f"write one from {band.lo:g} to {band.hi:g} keV", False


def _stated(lo: str | Quantity, hi: str | Quantity, effective: str | Quantity) -> Band:
    edges = [round(magnitude(energy, "keV"), 12) for energy in (lo, hi, effective)]
    return _named(Band(f"{edges[0]}-{edges[1]}", *edges))


def _named(band: Band) -> Band:
    """The catalogue's band, where it is the same."""
    for known in CSC_BANDS.values():
        if (band.lo, band.hi, band.effective) == (known.lo, known.hi, known.effective):
            return known
    return band


def _count(items: Sequence[object]) -> str:
    return f"{len(items)} item" if len(items) == 1 else f"{len(items)} items"
