"""Effective area: on the axis, and how it falls off."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import naming_file
from chandra_runner.fits.tables import number_column, table_with

from .geometry import Array

_VIGNETTING = Path(__file__).with_name("hrma_vignetting.txt")


def arf_area(path: Path, energy: float) -> float:
    """Effective area that an ARF gives at an energy.

    Parameters
    ----------
    path : Path
        ARF with ENERG_LO, ENERG_HI (keV) and SPECRESP (cm2), as of CIAO's mkwarf or mkarf.
    energy : float
        keV.

    Returns
    -------
    float
        cm2, interpolated linearly between the middles of the energy bins.

    Raises
    ------
    DataError
        The file is damaged or no ARF, or does not reach that energy.
    """
    columns = ("ENERG_LO", "ENERG_HI", "SPECRESP")
    hdu = table_with(path, *columns)
    with naming_file(path):
        low, high, area = (number_column(hdu, name) for name in columns)
    return interpolate_area(path, (low + high) / 2, area, energy)


def interpolate_area(path: Path, energies: Array, values: Array, energy: float) -> float:
    """A value of a calibration file at an energy.

    Raises
    ------
    DataError
        The file does not reach that energy, or has no positive number there.
    """
    if not len(energies) or not energies.min() <= energy <= energies.max():
        raise DataError(f"{path.name} does not reach the energy {energy:g} keV")
    value = float(np.interp(energy, energies, values))
    if not value > 0:
        raise DataError(f"{path.name} gives {value:g} at {energy:g} keV")
    return value


def vignetting(energy: float, angle: Array) -> Array:
    """The mirror's effective area relative to the axis.

    From the CALDB's table, averaged over the azimuth, which matters by some 2 % at 10'.

    Parameters
    ----------
    energy : float
        keV; 0.1 to 10.
    angle : ndarray
        Off-axis angle, arcmin; beyond 45' it counts as 45'.

    Returns
    -------
    ndarray
        1 on the axis.
    """
    angles, energies, table = _vignetting_table()
    at_energy = [np.interp(energy, energies, column) for column in table.T]
    relative: Array = np.interp(angle, angles, at_energy)
    return relative


@cache
def _vignetting_table() -> tuple[Array, Array, Array]:
    """Angles, energies, and the relative area, of shape (energies, angles)."""
    lines = [line for line in _VIGNETTING.read_text(encoding="ascii").splitlines() if line[0] != "#"]
    angles = np.array(lines[0].split()[1:], dtype=float)
    rows = np.array([line.split() for line in lines[1:]], dtype=float)
    return angles, rows[:, 0], rows[:, 1:]
