"""Calibration files of the CALDB: which ones there are, and which of them apply to an observation."""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path


class Calibration(StrEnum):
    """Kinds of calibration files, by the word in their names."""

    MIRROR = "axeffa"
    """Effective area of the mirror on the optical axis."""
    EFFICIENCY = "qe"
    """Mean quantum efficiency of each ACIS chip."""
    UNIFORMITY = "qeu"
    """Quantum efficiency of the pixels of a chip relative to its mean."""
    CONTAMINATION = "contam"
    """Absorption by the contamination on the filters of ACIS."""


_REQUIRED = (Calibration.MIRROR, Calibration.EFFICIENCY, Calibration.CONTAMINATION)
"""Kinds without which the CALDB gives no effective area."""

_DIRECTORIES = {
    Calibration.MIRROR: "data/chandra/default/axeffa",
    Calibration.EFFICIENCY: "data/chandra/acis/qe",
    Calibration.UNIFORMITY: "data/chandra/acis/qeu",
    Calibration.CONTAMINATION: "data/chandra/acis/contam",
}

_NAME = re.compile(
    r"(?:hrma|acis)D(?P<start>\d{4}-\d\d-\d\d)(?P<kind>axeffa|qeu|qe|contam)N(?P<version>\d{4})\.fits"
)
"""Names such as ``acisD1999-08-13contamN0014.fits``: first day of validity, kind and version."""


def find_calibration(caldb: Path, kinds: Iterable[Calibration]) -> tuple[Path, ...]:
    """Return the calibration files of some kinds that a CALDB has.

    For each kind and first day of validity, that is the file with the highest version. Which of several
    days applies depends on the date of the observation; see `select_calibration`.

    Parameters
    ----------
    caldb : Path
        The directory $CALDB.
    kinds : iterable of Calibration
        The kinds.
    """
    newest: dict[tuple[str, str], Path] = {}
    for kind in kinds:
        # In the order of their names, a later version of the same day follows an earlier one.
        for path in sorted((caldb / _DIRECTORIES[kind]).glob("*.fits")):
            match = _NAME.fullmatch(path.name)
            if match and match["kind"] == kind:
                newest[kind, match["start"]] = path
    return tuple(newest.values())


def missing_calibration(caldb: Path) -> list[str]:
    """Return the directories in which a CALDB lacks files that an effective area requires."""
    return [_DIRECTORIES[kind] for kind in _REQUIRED if not find_calibration(caldb, [kind])]


def select_calibration(files: Iterable[Path], date: str) -> dict[Calibration, Path]:
    """Return the file of each kind that is valid on a day: the one with the latest first day until then.

    Parameters
    ----------
    files : iterable of Path
        Files that `find_calibration` found.
    date : str
        The day, as DATE-OBS: ``2010-02-06``, with or without a time.
    """
    valid: dict[Calibration, tuple[str, Path]] = {}
    for path in files:
        match = _NAME.fullmatch(path.name)
        if match and match["start"] <= date[:10]:
            kind = Calibration(match["kind"])
            valid[kind] = max(valid.get(kind, ("", path)), (match["start"], path))
    return {kind: path for kind, (_, path) in valid.items()}
