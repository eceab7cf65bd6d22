"""The upper end of a range of energies, which integer columns include."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def upper_limit(column: np.dtype[Any], high: float) -> float:
    """Return the value that the energies of a range stay below.

    CIAO's range filters leave the upper end out in columns of floats and keep it in columns of integers
    (ahelp dmfiltering).

    Parameters
    ----------
    column : dtype
        Type of the column of energies.
    high : float
        Upper end of the range, eV.

    Examples
    --------
    >>> upper_limit(np.dtype(">f4"), 7000), upper_limit(np.dtype(">i4"), 7000)
    (7000, 7001)
    """
    return math.floor(high) + 1 if column.kind in "iu" else high
