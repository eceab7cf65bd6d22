"""Effective area by energy, and its decrease off axis (vignetting)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError

from .geometry import Array

_VIGNETTING = Path(__file__).with_name("hrma_vignetting.txt")


def interpolate_area(path: Path, energies: Array, values: Array, energy: float) -> float:
    """Interpolate a value of a calibration file at an energy.

    Raises
    ------
    DataError
        The file does not include the energy, or its value there is not positive.
    """
    # numpy would extrapolate with the value at the end.
    if not len(energies) or not energies.min() <= energy <= energies.max():
        raise DataError(f"{path.name} does not include the energy {energy:g} keV")
    value = float(np.interp(energy, energies, values))
    if not value > 0:
        raise DataError(f"{path.name} has the value {value:g} at {energy:g} keV, which is not positive")
    return value


def vignetting(energy: float, angle: Array) -> Array:
    """Return the effective area of the mirror relative to that on the optical axis.

    The numbers are those of the CALDB's table, averaged over azimuth, whose effect is about 2 % at 10'.

    Parameters
    ----------
    energy : float
        Energy, keV, 0.1 to 10.
    angle : ndarray
        Off-axis angle, arcmin; angles beyond 45' are taken as 45'.

    Returns
    -------
    ndarray
        Relative area: 1 on the optical axis.

    Examples
    --------
    >>> vignetting(1.5, np.array([0.0, 10.0])).round(2).tolist()
    [1.0, 0.85]
    """
    angles, energies, table = _vignetting_table()
    # Linear in energy for each angle of the table, then linear in angle.
    at_energy = [np.interp(energy, energies, column) for column in table.T]
    relative: Array = np.interp(angle, angles, at_energy)
    return relative


@cache
def _vignetting_table() -> tuple[Array, Array, Array]:
    """Return angles, energies, and the relative area of shape (energies, angles)."""
    lines = [line for line in _VIGNETTING.read_text(encoding="ascii").splitlines() if line[0] != "#"]
    angles = np.array(lines[0].split()[1:], dtype=float)
    rows = np.array([line.split() for line in lines[1:]], dtype=float)
    return angles, rows[:, 0], rows[:, 1:]
