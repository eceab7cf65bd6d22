"""On-axis effective area of ACIS from the CALDB: mirror, quantum efficiency, contamination."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import naming_file
from chandra_runner.fits.tables import number_column, tables_with

from .detectors import ACIS
from .effective_area import interpolate_area
from .geometry import Array, Attitude, Pointing, rays_to_chip

_MIRROR = "data/chandra/default/axeffa/hrmaD*axeffaN*.fits"
_EFFICIENCY = "data/chandra/acis/qe/acisD*qeN*.fits"
_CONTAMINATION = "data/chandra/acis/contam/acisD*contamN*.fits"


@dataclass(frozen=True)
class Aimpoint:
    """Where the optical axis met the detector, and when.

    Parameters
    ----------
    chip : int
        CCD.
    chipx, chipy : float
        Pixel on it.
    time : float
        Mission time, s.
    """

    chip: int
    chipx: float
    chipy: float
    time: float


def find_aimpoint(pointing: Pointing, chips: tuple[int, ...], mean: Attitude, time: float) -> Aimpoint:
    """The chip that the optical axis meets; where it meets none, the place on the first that is nearest."""
    axis = np.array([[-1.0], [0.0], [0.0]])
    hits = []
    for number in chips:
        chip = pointing.detector.chip(number)
        x, y = (float(c[0]) for c in rays_to_chip(pointing, number, axis, mean))
        inside = (min(max(x, 1.0), float(chip.nx)), min(max(y, 1.0), float(chip.ny)))
        hits.append((math.hypot(x - inside[0], y - inside[1]), Aimpoint(number, *inside, time)))
    return min(hits, key=lambda hit: hit[0])[1]


def caldb_area(caldb: Path, pointing: Pointing, grating: str, aim: Aimpoint, energy: float) -> float:
    """Effective area of mirror and chip at an energy, on the axis.

    Parameters
    ----------
    caldb : Path
        The directory $CALDB.
    pointing : Pointing
        For its instrument.
    grating : str
        ``NONE``, or what was in.
    aim : Aimpoint
        Chip, place and time.
    energy : float
        keV.

    Returns
    -------
    float
        cm2; mirror area x quantum efficiency x transmission of the contamination.

    Raises
    ------
    DataError
        A file is not there or damaged, or the observation was not made with ACIS alone.
    """
    if pointing.detector is not ACIS or grating != "NONE":
        name = pointing.detector.name if grating == "NONE" else f"{pointing.detector.name} with {grating}"
        raise DataError(f"effective_area: caldb is not for {name}", "give an ARF file")
    return (
        _mirror(_newest(caldb, _MIRROR), energy)
        * _efficiency(_newest(caldb, _EFFICIENCY), aim.chip, energy)
        * _transmission(_newest(caldb, _CONTAMINATION), aim, energy)
    )


def _newest(caldb: Path, pattern: str) -> Path:
    """The file of the highest version; N0015 is newer than N0014."""
    found = sorted(caldb.glob(pattern), key=lambda path: path.stem[-4:])
    if not found:
        raise DataError(f"$CALDB ({caldb}) has no {pattern}", "install the CALDB, or give an ARF file")
    return found[-1]


def _mirror(path: Path, energy: float) -> float:
    low, high, area = _columns(path, "SHELL", "1111", "ENERG_LO", "ENERG_HI", "EFFAREA")
    return interpolate_area(path, (low + high).ravel() / 2, area.ravel(), energy)


def _efficiency(path: Path, chip: int, energy: float) -> float:
    energies, efficiency = _columns(path, "CCD_ID", str(chip), "ENERGY", "QE")
    return interpolate_area(path, energies.ravel(), efficiency.ravel(), energy)


def _transmission(path: Path, aim: Aimpoint, energy: float) -> float:
    """exp(-tau), tau being the sum over the layers of mu(E) (tau0(t) + tau1(t) fxy(chip pixel)).

    Each row of the chip's table is a layer; its vectors hold N_ENERGY and N_TIME numbers.
    """
    names = ("N_ENERGY", "ENERGY", "MU", "N_TIME", "TIME", "TAU0", "TAU1", "FXY")
    columns = _columns(path, "CCD_ID", str(aim.chip), *names)
    if columns[-1].shape[1:] not in ((1024 * 1024,), (1024, 1024)):
        raise DataError(f"{path.name}: FXY is no map of 1024 x 1024 pixels")
    pixel = (round(aim.chipy) - 1) * 1024 + round(aim.chipx) - 1
    depth = 0.0
    for n_energy, energies, mu, n_time, times, tau0, tau1, fxy in zip(*columns, strict=True):
        at_energy, at_time = slice(int(n_energy)), slice(int(n_time))
        early, late = (np.interp(aim.time, times[at_time], tau[at_time]) for tau in (tau0, tau1))
        depth += np.interp(energy, energies[at_energy], mu[at_energy]) * (early + late * fxy.ravel()[pixel])
    return math.exp(-depth)


def _columns(path: Path, keyword: str, value: str, *columns: str) -> list[Array]:
    """Columns of the table whose header has that keyword."""
    for hdu in tables_with(path, *columns):
        if str(hdu.header.get(keyword, "")).strip() == value:
            with naming_file(path):
                return [number_column(hdu, column) for column in columns]
    raise DataError(f"{path.name} has no table with {keyword} = {value} and {', '.join(columns)}")
