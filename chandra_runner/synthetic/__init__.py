"""The built-in archive `sample`: small synthetic ObsIDs, made on the spot by a seeded generator.

Their numbers are reserved, far above those of real observations, and it answers for no other. All that is in
them is simulated, and every header says so: ORIGIN is SIMULATION. The same ObsID is always the same bytes
(with the same numpy and zlib). How modest the physics is, `catalog`, `photons`, `sky` and `islands` tell.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from chandra_runner.errors import DataError

from .catalog import SAMPLES as OBSIDS

__all__ = ["OBSIDS", "write_observation"]


def write_observation(obsid: int, directory: Path) -> None:
    """Make an ObsID directory of the archive, whole or not at all.

    Parameters
    ----------
    obsid : int
        One of `OBSIDS`.
    directory : Path
        The ObsID directory; must not exist, or be empty.

    Raises
    ------
    DataError
        The archive has no such ObsID.
    OSError
        The directory cannot be written, or is not empty.
    """
    if obsid not in OBSIDS:
        raise DataError(f"the archive sample has no ObsID {obsid}", f"it has {', '.join(map(str, OBSIDS))}")
    from .files import write_files

    target = directory.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{obsid}-", suffix=".part", dir=target.parent) as scratch:
        made = Path(scratch) / str(obsid)
        made.mkdir()
        write_files(OBSIDS[obsid], made)
        os.replace(made, target)
