"""Quantum efficiency of the ACIS chips where there is no CALDB: a table of the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from .effective_area import interpolate_area
from .geometry import Array

TABLE = Path(__file__).with_name("acis_quantum_efficiency.txt")
"""Efficiency of each chip by energy, sampled from the CALDB; its first lines say from which file."""

BACK_ILLUMINATED = frozenset({5, 7})
"""CCD_ID of the back-illuminated chips, S1 and S3; all others are front-illuminated."""


def mean_quantum_efficiency(chip: int, energy: float) -> float:
    """Return the quantum efficiency of a chip, mean over the chip, with its optical blocking filter.

    Parameters
    ----------
    chip : int
        CCD_ID, 0 to 9.
    energy : float
        Energy, keV, 0.3 to 10.

    Returns
    -------
    float
        Events of the grades 0, 2, 3, 4 and 6 per photon.

    Raises
    ------
    DataError
        The table does not include the energy.

    Examples
    --------
    The back-illuminated chip S3 is 1.26 times as efficient as S2 beside it at the energy of the broad band:

    >>> round(mean_quantum_efficiency(7, 2.3) / mean_quantum_efficiency(6, 2.3), 2)
    1.26
    """
    energies, by_chip = _table()
    return interpolate_area(TABLE, energies, by_chip[:, chip], energy)


@cache
def _table() -> tuple[Array, Array]:
    """Return energies, and efficiencies of shape (energies, chips)."""
    rows = np.array(
        [line.split() for line in TABLE.read_text(encoding="ascii").splitlines() if line[0] not in "#c"],
        dtype=float,
    )
    return rows[:, 0], rows[:, 1:]
