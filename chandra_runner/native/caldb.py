"""On-axis effective area of ACIS from the CALDB: mirror area, quantum efficiency and contamination."""

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
    """Where the optical axis meets the detector, and when.

    Parameters
    ----------
    chip : int
        Number of the CCD.
    chipx, chipy : float
        Chip coordinates, pixel.
    time : float
        Mission time, s.
    """

    chip: int
    chipx: float
    chipy: float
    time: float


def find_aimpoint(pointing: Pointing, chips: tuple[int, ...], mean: Attitude, time: float) -> Aimpoint:
    """Return the position on the chips where the optical axis meets them.

    If it is on no chip, as in a gap, the nearest position on a chip is returned.
    """
    axis = np.array([[-1.0], [0.0], [0.0]])
    hits = []
    for number in chips:
        chip = pointing.detector.chip(number)
        x, y = (float(c[0]) for c in rays_to_chip(pointing, number, axis, mean))
        # The nearest position on the chip, and its distance.
        inside = (min(max(x, 1.0), float(chip.nx)), min(max(y, 1.0), float(chip.ny)))
        hits.append((math.hypot(x - inside[0], y - inside[1]), Aimpoint(number, *inside, time)))
    return min(hits, key=lambda hit: hit[0])[1]


def caldb_area(caldb: Path, pointing: Pointing, grating: str, aimpoint: Aimpoint, energy: float) -> float:
    """Return the effective area of mirror and chip at an energy, on the optical axis.

    Parameters
    ----------
    caldb : Path
        The directory $CALDB.
    pointing : Pointing
        Pointing, which names the instrument.
    grating : str
        Name of the grating, or ``NONE``.
    aimpoint : Aimpoint
        Chip, position and time.
    energy : float
        Energy, keV.

    Returns
    -------
    float
        Effective area, cm2: mirror area x quantum efficiency x transmission of the contamination.

    Raises
    ------
    DataError
        A file is missing or damaged, or the observation was not made with ACIS without a grating.
    """
    if pointing.detector is not ACIS or grating != "NONE":
        name = pointing.detector.name if grating == "NONE" else f"{pointing.detector.name} with {grating}"
        raise DataError(f"effective_area: caldb does not apply to {name}", "give an ARF file")
    return (
        _mirror_area(_newest_file(caldb, _MIRROR), energy)
        * _quantum_efficiency(_newest_file(caldb, _EFFICIENCY), aimpoint.chip, energy)
        * _transmission(_newest_file(caldb, _CONTAMINATION), aimpoint, energy)
    )


def _newest_file(caldb: Path, pattern: str) -> Path:
    """Return the file with the highest version: N0015 is newer than N0014."""
    found = sorted(caldb.glob(pattern), key=lambda path: path.stem[-4:])
    if not found:
        raise DataError(f"$CALDB ({caldb}) has no {pattern}", "install the CALDB, or give an ARF file")
    return found[-1]


def _mirror_area(path: Path, energy: float) -> float:
    # SHELL = 1111 is the table of all four shells of the mirror together.
    low, high, area = _columns_where(path, "SHELL", "1111", "ENERG_LO", "ENERG_HI", "EFFAREA")
    return interpolate_area(path, (low + high).ravel() / 2, area.ravel(), energy)


def _quantum_efficiency(path: Path, chip: int, energy: float) -> float:
    energies, efficiency = _columns_where(path, "CCD_ID", str(chip), "ENERGY", "QE")
    return interpolate_area(path, energies.ravel(), efficiency.ravel(), energy)


def _transmission(path: Path, aimpoint: Aimpoint, energy: float) -> float:
    """Return exp(-tau), the transmission of the contamination on the filter of ACIS.

    tau is the sum of mu(E) (tau0(t) + tau1(t) fxy(pixel)) over the layers: absorption, thickness that grows
    with time, and its distribution over the chip. Each row of the chip's table is a layer; only the first
    N_ENERGY and N_TIME numbers of its vectors are used.
    """
    names = ("N_ENERGY", "ENERGY", "MU", "N_TIME", "TIME", "TAU0", "TAU1", "FXY")
    columns = _columns_where(path, "CCD_ID", str(aimpoint.chip), *names)
    if columns[-1].shape[1:] not in ((1024 * 1024,), (1024, 1024)):
        raise DataError(f"{path.name}: FXY is not a map of 1024 x 1024 pixels")
    # FXY is a map with CHIPX running fastest.
    pixel = (round(aimpoint.chipy) - 1) * 1024 + round(aimpoint.chipx) - 1
    depth = 0.0
    for n_energy, energies, mu, n_time, times, tau0, tau1, fxy in zip(*columns, strict=True):
        at_energy, at_time = slice(int(n_energy)), slice(int(n_time))
        early, late = (np.interp(aimpoint.time, times[at_time], tau[at_time]) for tau in (tau0, tau1))
        depth += np.interp(energy, energies[at_energy], mu[at_energy]) * (early + late * fxy.ravel()[pixel])
    return math.exp(-depth)


def _columns_where(path: Path, keyword: str, value: str, *columns: str) -> list[Array]:
    """Read columns of the table in which a keyword has a value."""
    for hdu in tables_with(path, *columns):
        if str(hdu.header.get(keyword, "")).strip() == value:
            with naming_file(path):
                return [number_column(hdu, column) for column in columns]
    raise DataError(f"{path.name} has no table with {keyword} = {value} and {', '.join(columns)}")
