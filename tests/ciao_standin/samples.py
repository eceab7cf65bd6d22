"""Synthetic ObsIDs with all the files that chandra_repro asks for."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits

from chandra_runner import synthetic as sample

_BY_LIST = ("mtl1", "stat1")
_BY_INTERVAL = ("pbk0", "bias0")


def write_complete(obsid: int, directory: Path) -> Path:
    """Write an ObsID of the built-in archive, and what it lacks for CIAO, into a directory of its own.

    The archive `sample` leaves out what only CIAO uses: mode and statistics of ACIS (a file for each event
    list), its parameter block and bias (a file for each observing interval). Here they hold no data.
    """
    target = directory / str(obsid)
    sample.write_observation(obsid, target)
    for events in sorted(target.glob("secondary/acisf*_evt1.fits.gz")):
        header = fits.getheader(events, "EVENTS")
        interval = events.name.partition("N0")[0]
        names = [events.name.replace("evt1", kind) for kind in _BY_LIST]
        names += [f"{interval}N001_{kind}.fits.gz" for kind in _BY_INTERVAL]
        for name in names:
            table = fits.BinTableHDU.from_columns([fits.Column("TIME", "1D", "s", array=[])])
            table.header.update({key: header[key] for key in ("OBS_ID", "INSTRUME", "TSTART", "TSTOP")})
            fits.HDUList([fits.PrimaryHDU(), table]).writeto(events.with_name(name), overwrite=True)
    return target
