"""Event lists, read as they are on disk: raw big-endian records, chunk by chunk."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.errors import DataError

from .gti import GoodTimes, Gti, make_gti, read_gtis
from .reader import HduLocation, RawHdu, hdulist, iterate_hdus, naming_file, open_stream, read_hdu

CHUNK = 1 << 16
"""Rows read at a time: some 5 MB, which a processor's cache can hold."""

# Codes of TFORMn, table 18 of the FITS standard 4.0, as numpy has them.
_TYPES = {
    "L": "u1",
    "B": "u1",
    "I": ">i2",
    "J": ">i4",
    "K": ">i8",
    "E": ">f4",
    "D": ">f8",
    "C": ">c8",
    "M": ">c16",
}


@dataclass(frozen=True)
class EventFile:
    """An event list that is open for reading. Made with `EventFile.open`.

    Parameters
    ----------
    path : Path
        The file, plain or gzipped.
    primary, header : Header
        Headers of the primary HDU and of EVENTS.
    dtype : dtype
        One row as it is on disk: big-endian, vector columns with their shape, bits as bytes (bit 31
        first), names in lower case.
    nrows : int
        Number of events.
    extensions : tuple
        All other HDUs but the primary, read whole.
    raw_extensions : tuple of RawHdu
        The same as they are on disk.
    good_times : GoodTimes
        By CCD, the aimpoint chip first. One entry that serves all chips for HRC, and for files without
        GTI extension: their TSTART to TSTOP.
    notes : tuple of str
        What a user should know about this file.
    """

    path: Path
    primary: fits.Header
    header: fits.Header
    dtype: np.dtype[Any]
    nrows: int
    extensions: tuple[Any, ...]
    raw_extensions: tuple[RawHdu, ...]
    good_times: GoodTimes
    notes: tuple[str, ...]
    _stream: BufferedIOBase = field(repr=False)
    _data: int = field(repr=False)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[EventFile]:
        """Open an event list.

        Raises
        ------
        DataError
            It is no FITS file, damaged, truncated, or has no event table.
        """
        with open_stream(path) as stream:
            yield cls._read(path, stream)

    @classmethod
    def _read(cls, path: Path, stream: BufferedIOBase) -> EventFile:
        events, parts, names = None, [], []
        for location in iterate_hdus(stream, path):
            names.append(location.name)
            if events is None and location.name == "EVENTS":
                events = location
            else:
                parts.append(read_hdu(stream, location, path))
        if events is None:
            raise DataError(f"{path.name} has no extension EVENTS, only {', '.join(names)}")
        primary, *others = hdulist(parts, path)
        with naming_file(path):
            good_times = read_gtis(others)
        dtype = row_dtype(events, path)
        notes = []
        if good_times is None:
            good_times = _whole_observation(events.header, path)
            notes.append(f"{path.name} has no GTI extension: all of TSTART to TSTOP counts as good time")
        if "status" not in (dtype.names or ()):
            notes.append(f"{path.name} has no column status: no event can be dropped for its status")
        nrows = events.header["NAXIS2"]
        return cls(
            path,
            primary.header,
            events.header,
            dtype,
            nrows,
            tuple(others),
            tuple(parts[1:]),
            good_times,
            tuple(notes),
            stream,
            events.blocks.data_start,
        )

    @property
    def instrument(self) -> str:
        """``ACIS`` or ``HRC``."""
        return str(self.header.get("INSTRUME", "")).strip().upper()

    @property
    def gtis(self) -> Mapping[int, Gti]:
        """Good times by CCD, the aimpoint chip first."""
        return self.good_times.by_chip

    @property
    def tstart(self) -> float:
        """Start of the observation, s."""
        return number(self.header, "TSTART", self.path)

    @property
    def tstop(self) -> float:
        """End of the observation, s."""
        return number(self.header, "TSTOP", self.path)

    @property
    def dtcor(self) -> float:
        """Live fraction of the good time: DTCOR, else LIVETIME / ONTIME, else 1."""
        header = self.header
        if "DTCOR" in header:
            return number(header, "DTCOR", self.path)
        if "LIVETIME" in header and header.get("ONTIME", 0) > 0:
            return number(header, "LIVETIME", self.path) / number(header, "ONTIME", self.path)
        return 1.0

    def require(self, *columns: str) -> None:
        """Make sure that columns are there, as plain numbers.

        Raises
        ------
        DataError
            Some are missing; their names are in the message.
        """
        missing = [name for name in columns if name not in (self.dtype.names or ())]
        if missing:
            raise DataError(f"{self.path.name}: EVENTS has no column {', '.join(missing)}")
        for name in columns:
            n = (self.dtype.names or ()).index(name) + 1
            if self.header.get(f"TSCAL{n}", 1) != 1 or self.header.get(f"TZERO{n}", 0) != 0:
                raise DataError(
                    f"{self.path.name}: column {name} is scaled (TSCAL{n}, TZERO{n}): no Chandra format"
                )

    def status_mask(self, bits: int) -> int:
        """Those status bits as a mask for a selection; 0, which asks nothing, where there is no column."""
        return bits if "status" in (self.dtype.names or ()) else 0

    def map(self) -> NDArray[Any]:
        """All rows of an uncompressed file at once, shape (nrows,), without fields; read as they are used."""
        shape, dtype = (self.nrows,), f"V{self.dtype.itemsize}"
        return np.memmap(self.path, dtype, "r", self._data, shape) if self.nrows else np.empty(shape, dtype)

    def chunks(self, rows: int = CHUNK) -> Iterator[NDArray[Any]]:
        """The events in the order of the file.

        Parameters
        ----------
        rows : int
            Largest number of rows at a time.

        Yields
        ------
        ndarray, shape (n,)
            Raw records; a new array each time.
        """
        for first in range(0, self.nrows, rows):
            self._stream.seek(self._data + first * self.dtype.itemsize)
            chunk = np.empty(min(rows, self.nrows - first), self.dtype)
            if self._stream.readinto(chunk.view(np.uint8).data) != chunk.nbytes:
                raise DataError(f"{self.path.name} is truncated: it ends within EVENTS", "fetch it again")
            yield chunk


def number(header: fits.Header, keyword: str, path: Path) -> float:
    """A keyword that has to be a number.

    Raises
    ------
    DataError
        It is missing or something else.
    """
    value = header.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(
            f"{path.name}: keyword {keyword} is {'missing' if value is None else f'{value!r}, no number'}"
        )
    return float(value)


def row_dtype(location: HduLocation, path: Path) -> np.dtype[Any]:
    """Layout of one row of a binary table.

    Raises
    ------
    DataError
        The header describes no such table.
    """
    header = location.header
    if str(header.get("XTENSION")).strip() != "BINTABLE" or header.get("PCOUNT", 0) != 0:
        raise DataError(f"{path.name}: {location.name} is no plain binary table")
    try:
        fields = [_field(header, n) for n in range(1, header["TFIELDS"] + 1)]
        dtype = np.dtype(fields)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path.name}: the columns of {location.name} make no sense: {error}") from error
    if dtype.itemsize != header["NAXIS1"]:
        raise DataError(
            f"{path.name}: columns of {dtype.itemsize} bytes do not fill rows of {header['NAXIS1']}"
        )
    return dtype


def _field(header: fits.Header, n: int) -> tuple[str, str, tuple[int, ...]]:
    """Name, type and shape of column `n`."""
    name = str(header.get(f"TTYPE{n}", f"col{n}")).strip().lower()
    form = re.fullmatch(r"(\d*)([LXBIJKAEDCM])", str(header[f"TFORM{n}"]).strip().upper())
    if form is None:
        raise ValueError(f"TFORM{n} = {header[f'TFORM{n}']!r}")
    count = int(form[1] or 1)
    if form[2] == "A":
        return name, f"S{count}", ()
    if form[2] == "X":
        return name, "u1", (-(-count // 8),)
    return name, _TYPES[form[2]], () if count == 1 else (count,)


def _whole_observation(header: fits.Header, path: Path) -> GoodTimes:
    return GoodTimes(
        {1: make_gti(number(header, "TSTART", path), number(header, "TSTOP", path))}, shared=True
    )
