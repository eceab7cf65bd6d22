"""ARFs: the effective area that they hold, and what they were made for."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import naming_file
from chandra_runner.fits.tables import number_column, table_with

from .effective_area import interpolate_area, vignetting
from .geometry import Array, Attitude, Pointing, sky_to_rays
from .quantum_efficiency import BACK_ILLUMINATED

_COLUMNS = ("ENERG_LO", "ENERG_HI", "SPECRESP")
_CHIP_NAMES = ("I0", "I1", "I2", "I3", "S0", "S1", "S2", "S3", "S4", "S5")
"""Names of the ACIS chips in the order of their CCD_ID, as in mkarf's ``detsubsys=ACIS-S3``."""

_YEAR = 365.25 * 86400


@dataclass(frozen=True)
class Arf:
    """An ARF: effective area by energy, and what its header says about its making.

    Parameters
    ----------
    path : Path
        The file.
    header : Mapping of str to object
        Header of the table.
    energies, areas : ndarray, shape (n,)
        Centers of the energy bins, keV, and effective area there, cm2.
    chips : frozenset of int
        ACIS chips that it was made for, by CCD_ID; empty if the file does not say.
    is_weighted : bool
        Whether it is the mean over a region (mkwarf), so that it includes the vignetting of that region.
    off_axis : float or None
        Off-axis angle of the position that it was made for (mkarf), arcmin; None if the file does not say.
    has_dead_area : bool
        Whether it includes the dead area of ACIS: mkarf and mkwarf say, of other files it is assumed.
    """

    path: Path
    header: Mapping[str, Any]
    energies: Array
    areas: Array
    chips: frozenset[int]
    is_weighted: bool
    off_axis: float | None
    has_dead_area: bool

    def area(self, energy: float) -> float:
        """Return the effective area on the optical axis; of a weighted ARF, that of its region.

        Parameters
        ----------
        energy : float
            Energy, keV.

        Returns
        -------
        float
            Effective area, cm2, interpolated linearly between the centers of the energy bins, and divided
            by the vignetting at the position that the ARF was made for.

        Raises
        ------
        DataError
            The ARF does not include the energy.
        """
        area = interpolate_area(self.path, self.energies, self.areas, energy)
        return area if self.off_axis is None else area / float(vignetting(energy, np.array(self.off_axis)))


def read_arf(path: Path) -> Arf:
    """Read an ARF, such as CIAO's mkarf and mkwarf make it.

    Parameters
    ----------
    path : Path
        File with ENERG_LO, ENERG_HI (keV) and SPECRESP (cm2).

    Raises
    ------
    DataError
        The file is damaged, is not an ARF, or is that of a dispersed spectrum.
    """
    hdu = table_with(path, *_COLUMNS)
    with naming_file(path):
        low, high, area = (number_column(hdu, name) for name in _COLUMNS)
    header = hdu.header
    if header.get("TG_M", 0) != 0:
        raise DataError(
            f"{path.name} is the ARF of a dispersed spectrum (TG_M = {header['TG_M']})",
            "give one of the zeroth order",
        )
    parameters = _parameters(header)
    return Arf(
        path=path,
        header=header,
        energies=(low + high) / 2,
        areas=area,
        chips=_chips(header, parameters),
        is_weighted=_text(header, "CREATOR").startswith("mkwarf"),
        off_axis=_off_axis(header, parameters),
        # Before CIAO 4.0, mkarf had no dead area and no such parameter.
        has_dead_area=parameters.get("dafile") == "CALDB" or not parameters,
    )


def check_arf(arf: Arf, events: Mapping[str, Any], aim_chip: int) -> Iterator[str]:
    """Check that an ARF was made for an observation like this one; yield what the user should know.

    Parameters
    ----------
    arf : Arf
        The ARF.
    events : Mapping of str to object
        Header of the events.
    aim_chip : int
        Chip that the optical axis meets.

    Raises
    ------
    DataError
        Telescope, instrument, detector, grating or kind of chip differ.
    """
    name = arf.path.name
    keywords = ["TELESCOP", "INSTRUME", "GRATING"]
    is_acis = _text(events, "INSTRUME") == "ACIS"
    if not is_acis:
        keywords.append("DETNAM")
    for keyword in keywords:
        theirs, ours = _text(arf.header, keyword), _text(events, keyword)
        if theirs and ours and theirs != ours:
            raise DataError(
                f"{name} is for {keyword} {theirs}, and the events have {ours}",
                "give an ARF that was made for this instrument",
            )
    missing = [keyword for keyword in keywords if not _text(arf.header, keyword)]
    if missing:
        yield f"{name} does not state {', '.join(missing)}; it is taken to be for this instrument"
    if is_acis:
        yield from _check_chips(arf, aim_chip)
    if arf.is_weighted:
        yield (
            f"{name} was made by mkwarf and includes the vignetting of its region: no vignetting is applied, "
            "and fluxes elsewhere are off by the difference; an ARF that mkarf makes on axis avoids this"
        )
    yield from _compare_epochs(arf, events)


def reference_chip(arf: Arf, aim_chip: int) -> int:
    """Return the chip whose efficiency an ARF holds: that of the aimpoint, unless it is for others only."""
    return aim_chip if aim_chip in arf.chips or not arf.chips else min(arf.chips)


def _check_chips(arf: Arf, aim_chip: int) -> Iterator[str]:
    name = arf.path.name
    if not arf.chips:
        yield f"{name} does not say for which chip it was made; it is taken to be for chip {aim_chip}"
    elif aim_chip in arf.chips:
        if len(arf.chips) > 1:
            chips = " and ".join(map(str, sorted(arf.chips)))
            yield f"{name} is for the chips {chips}; it is taken to be for chip {aim_chip}"
    elif any(_kind(chip) != _kind(aim_chip) for chip in arf.chips):
        chips = " and ".join(f"{chip} ({_kind(chip)})" for chip in sorted(arf.chips))
        raise DataError(
            f"{name} is for chip {chips}, and the aimpoint is on chip {aim_chip} ({_kind(aim_chip)})",
            "give an ARF that was made for the chip of the aimpoint",
        )


def _kind(chip: int) -> str:
    return "back-illuminated" if chip in BACK_ILLUMINATED else "front-illuminated"


def _compare_epochs(arf: Arf, events: Mapping[str, Any]) -> Iterator[str]:
    """Say from which other observation an ARF is: the contamination of ACIS grows with time."""
    theirs, ours = (_text(header, "OBS_ID").lstrip("0") for header in (arf.header, events))
    if theirs == ours or not theirs:
        return
    message = f"{arf.path.name} was made for ObsID {theirs}"
    then, now = arf.header.get("TSTART"), events.get("TSTART")
    if isinstance(then, int | float) and isinstance(now, int | float):
        years = (then - now) / _YEAR
        message += f", {abs(years):.1f} yr {'after' if years > 0 else 'before'} this observation"
    yield message


def _text(header: Mapping[str, Any], keyword: str) -> str:
    return str(header.get(keyword, "")).strip()


def _parameters(header: Mapping[str, Any]) -> dict[str, str]:
    """Return the parameters of the tool that made the file, as it writes them: `` PARM  :name=value ...``."""
    lines = (str(line) for line in header.get("HISTORY", ()))
    found = (re.match(r"\s*PARM\s*:\s*(\w+)\s*=(.*?)(?:ASC\d{5})?$", line.rstrip()) for line in lines)
    parameters: dict[str, str] = {}
    for match in filter(None, found):
        # A second tool, such as specextract, repeats names for what it did itself.
        parameters.setdefault(match[1], match[2].strip())
    return parameters


def _chips(header: Mapping[str, Any], parameters: Mapping[str, str]) -> frozenset[int]:
    """Return the ACIS chips that an ARF was made for.

    mkarf has the chip as a parameter; mkwarf writes one line of the bad-pixel file for each of its chips;
    other files have only DETNAM, with the chips that were on.
    """
    name = parameters.get("detsubsys", "").removeprefix("ACIS-")
    if name in _CHIP_NAMES:
        return frozenset({_CHIP_NAMES.index(name)})
    lines = (str(line) for line in header.get("HISTORY", ()))
    of_bad_pixels = (re.search(r"ACIS (\d) Badpix File", line) for line in lines)
    chips = frozenset(int(match[1]) for match in of_bad_pixels if match)
    were_on = re.fullmatch(r"ACIS-(\d+)", _text(header, "DETNAM"))
    return chips or frozenset(map(int, were_on[1] if were_on else ""))


def _off_axis(header: Mapping[str, Any], parameters: Mapping[str, str]) -> float | None:
    """Return the off-axis angle of mkarf's source position, arcmin; None if the file does not say."""
    try:
        x, y = (np.array([float(parameters[name])]) for name in ("sourcepixelx", "sourcepixely"))
        attitude = Attitude(*(float(header[name]) for name in ("RA_PNT", "DEC_PNT", "ROLL_PNT")))
        ray = sky_to_rays(Pointing.of(header), x, y, attitude)
    except (KeyError, ValueError, DataError):
        return None
    return float(np.rad2deg(np.arctan2(np.hypot(ray[1], ray[2]), -ray[0]))[0] * 60)
