"""One header of a FITS file."""

from __future__ import annotations

from pathlib import Path

from astropy.io import fits

from chandra_runner.errors import DataError

from .reader import open_stream, scan


def read_header(path: Path, name: str = "") -> fits.Header:
    """Header of an extension; none of the data are kept.

    Parameters
    ----------
    path : Path
        Plain or gzipped file.
    name : str
        EXTNAME in capitals; empty: the first extension, whatever its name.

    Raises
    ------
    DataError
        The file is damaged up to there, or has no such extension.
    """
    with open_stream(path) as stream:
        for place in scan(stream, path):
            if place.start and name in ("", place.name):
                return place.header
    raise DataError(f"{path.name} has no extension{f' {name}' if name else ''}")
