"""Synthetic ObsIDs with all the files that chandra_repro asks for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from numpy.typing import ArrayLike

from chandra_runner import synthetic as sample

_BY_LIST = ("mtl1", "stat1")
_BY_INTERVAL = ("pbk0", "bias0")


def write_complete(obsid: int, directory: Path) -> Path:
    """Write an ObsID of the built-in archive, and what it lacks for CIAO, into a directory of its own.

    The archive `sample` leaves out mode and statistics of ACIS (a file for each event list), its parameter
    block and bias (a file for each observing interval). Only the statistics hold data here: all frames.
    """
    target = directory / str(obsid)
    sample.write_observation(obsid, target)
    for events in sorted(target.glob("secondary/acisf*_evt1.fits.gz")):
        header = fits.getheader(events, "EVENTS")
        interval = events.name.partition("N0")[0]
        names = [events.name.replace("evt1", kind) for kind in _BY_LIST]
        names += [f"{interval}N001_{kind}.fits.gz" for kind in _BY_INTERVAL]
        for name in names:
            table = _frames(header) if "stat1" in name else _table(TIME=("1D", []))
            keys = ("OBS_ID", "INSTRUME", "TSTART", "TSTOP", "TIMEDEL")
            table.header.update({key: header[key] for key in keys})
            fits.HDUList([fits.PrimaryHDU(), table]).writeto(events.with_name(name), overwrite=True)
    return target


def _frames(header: fits.Header) -> fits.BinTableHDU:
    """Return the statistics of frames without a break from TSTART to TSTOP, of each CCD."""
    ccds = [int(digit) for digit in header["DETNAM"].partition("-")[2]]
    times = np.arange(header["TSTART"] + header["TIMEDEL"] / 2, header["TSTOP"], header["TIMEDEL"])
    return _table(
        TIME=("1D", np.repeat(times, len(ccds))),
        CCD_ID=("1I", np.tile(ccds, len(times))),
        EXPNO=("1J", np.repeat(np.arange(len(times)), len(ccds))),
    )


def _table(**columns: tuple[str, ArrayLike]) -> fits.BinTableHDU:
    return fits.BinTableHDU.from_columns(
        [fits.Column(name, form, array=np.asarray(array)) for name, (form, array) in columns.items()]
    )
