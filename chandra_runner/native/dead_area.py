"""The part of an ACIS chip that cosmic rays have made insensitive."""

from __future__ import annotations

import numpy as np

from .geometry import Array
from .quantum_efficiency import BACK_ILLUMINATED

_LOSS = 0.006508
"""Area that a front-illuminated chip loses per second of exposure to cosmic rays, 1/s.

CALDB's file dead_area N0001, the same for all eight chips; on the back-illuminated ones there is no effect
(CXC, "ACIS Dead Area Correction", https://cxc.cfa.harvard.edu/ciao/why/acisdeadarea.html).
"""

_ROW_TIME = 0.00285
"""Time to read one row out of the frame store, s (CXC, dictionary of CIAO, "CC mode")."""


def live_area(chip: int, frame_time: float, first_row: int, rows: int) -> Array:
    """Return the fraction of each row of an ACIS chip in timed exposures that is sensitive.

    A charge is exposed to cosmic rays while the frame is exposed and moved into the frame store (TIMEDEL),
    and then until its row is read out. So the loss grows with CHIPY: in full frames of 3.2 s it is 2.1 % at
    the readout and 4.0 % at the top of the chip (the CXC states 2.2 % and 4 %).

    Parameters
    ----------
    chip : int
        CCD_ID, 0 to 9.
    frame_time : float
        TIMEDEL, s.
    first_row : int
        CHIPY of the first row that is read out: FIRSTROW, 1 for full frames.
    rows : int
        Number of rows of the chip.

    Returns
    -------
    ndarray, shape (rows, 1)
        Sensitive fraction, 1 on back-illuminated chips.

    Examples
    --------
    >>> live_area(3, 3.24104, 1, 1024)[[0, 1023], 0].round(3).tolist()
    [0.979, 0.96]
    """
    if chip in BACK_ILLUMINATED:
        return np.ones((rows, 1))
    # Rows below the first one are not read out, and have no events.
    waiting = np.clip(np.arange(1, rows + 1) - first_row + 1, 0, None) * _ROW_TIME
    alive: Array = 1 - _LOSS * (frame_time + waiting)
    return alive[:, np.newaxis]
