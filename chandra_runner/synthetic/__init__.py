"""Small synthetic observations, made by a seeded generator: the built-in archive `sample`.

Their ObsIDs are reserved, far above those of real observations. All data in them are simulated, and every
header says so: ORIGIN is SIMULATION. The same ObsID always has the same bytes (with the same numpy and zlib).
The physics is simple: see `catalog`, `photons`, `sky` and `event_islands`. Positions are computed with the
same geometry as the native engine's, so these observations cannot reveal errors in it.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from chandra_runner.errors import DataError

from .catalog import SAMPLES as OBSIDS

__all__ = ["OBSIDS", "write_observation"]


def write_observation(obsid: int, directory: Path) -> None:
    """Make the ObsID directory of a synthetic observation, completely or not at all.

    Parameters
    ----------
    obsid : int
        One of `OBSIDS`.
    directory : Path
        The ObsID directory, which must not exist or must be empty.

    Raises
    ------
    DataError
        There is no synthetic observation with this ObsID.
    OSError
        The directory cannot be written, or is not empty.
    """
    if obsid not in OBSIDS:
        raise DataError(
            f"the archive sample has no ObsID {obsid}", f"its ObsIDs are {', '.join(map(str, OBSIDS))}"
        )
    from .files import write_files

    target = directory.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{obsid}-", suffix=".part", dir=target.parent) as scratch:
        # Made beside the target and renamed: another run never sees half of it.
        made = Path(scratch) / str(obsid)
        made.mkdir()
        write_files(OBSIDS[obsid], made)
        os.replace(made, target)
