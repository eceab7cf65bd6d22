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

from .checksums import damage_note, matches_datasum
from .gti import GoodTimes, Gti, make_gti, read_gtis
from .reader import HduBytes, HduLocation, hdulist, iterate_hdus, naming_file, open_stream, read_hdu

CHUNK = 1 << 16
"""Number of rows read at a time: about 5 MB, which fits into a processor's cache."""

# numpy types of the codes of TFORMn, table 18 of the FITS standard 4.0.
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
_MISSION = {"TELESCOP": "CHANDRA", "TIMEUNIT": "s", "MJDREF": 50814.0}
"""Keywords of every Chandra event list: mission time is in seconds since 1998.0 TT."""


@dataclass(frozen=True, kw_only=True)
class EventFile:
    """An event list that is open for reading. Open one with `EventFile.open`.

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
        All HDUs except the primary and EVENTS, with their data.
    extension_bytes : tuple of HduBytes
        The same, as bytes on disk.
    good_times : GoodTimes
        Good times by CCD, the aimpoint chip first. HRC has one entry for all chips; so have files without a
        GTI extension: TSTART to TSTOP.
    notes : tuple of str
        Limitations of the file that the user should know.
    """

    path: Path
    primary: fits.Header
    header: fits.Header
    dtype: np.dtype[Any]
    nrows: int
    extensions: tuple[Any, ...]
    extension_bytes: tuple[HduBytes, ...]
    good_times: GoodTimes
    notes: tuple[str, ...]
    _stream: BufferedIOBase = field(repr=False)
    _data: int = field(repr=False)

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, check_datasum: bool = False) -> Iterator[EventFile]:
        """Open an event list.

        Parameters
        ----------
        path : Path
            The file.
        check_datasum : bool
            Whether `notes` tells if the events do not match their DATASUM. A gzipped file is read whole
            in any case; a plain one is read once more.

        Raises
        ------
        DataError
            The file is not a FITS file, is damaged or truncated, or has no event table.

        Notes
        -----
        Used as a context manager::

            with EventFile.open(path) as events:
                energies = [chunk["energy"] for chunk in events.chunks()]
        """
        with open_stream(path) as stream:
            yield cls._read(path, stream, check_datasum)

    @classmethod
    def _read(cls, path: Path, stream: BufferedIOBase, check_datasum: bool) -> EventFile:
        # EVENTS may be large and is left on disk; everything else is small and read at once.
        events, parts, names, notes = None, [], [], []
        for location in iterate_hdus(stream, path):
            names.append(location.name)
            if events is None and location.name == "EVENTS":
                events = location
                if check_datasum and not matches_datasum(stream, location):
                    notes.append(damage_note(path, location.name))
            else:
                parts.append(read_hdu(stream, location, path))
        if events is None:
            raise DataError(f"{path.name} has no extension EVENTS, only {', '.join(names)}")
        _check_mission(events.header, path)
        primary, *others = hdulist(parts, path)
        with naming_file(path):
            good_times = read_gtis(others)
        dtype = row_dtype(events, path)
        if good_times is None:
            good_times = _whole_observation(events.header, path)
            notes.append(f"{path.name} has no GTI extension: TSTART to TSTOP is taken as good time")
        if "status" not in (dtype.names or ()):
            notes.append(f"{path.name} has no column status: events cannot be filtered by status")
        nrows = events.header["NAXIS2"]
        return cls(
            path=path,
            primary=primary.header,
            header=events.header,
            dtype=dtype,
            nrows=nrows,
            extensions=tuple(others),
            extension_bytes=tuple(parts[1:]),
            good_times=good_times,
            notes=tuple(notes),
            _stream=stream,
            _data=events.blocks.data_start,
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
        """Live fraction of the good time: DTCOR, otherwise LIVETIME / ONTIME, otherwise 1."""
        header = self.header
        if "DTCOR" in header:
            return live_fraction(number(header, "DTCOR", self.path), self.path)
        if "LIVETIME" in header and header.get("ONTIME", 0) > 0:
            livetime, ontime = (number(header, key, self.path) for key in ("LIVETIME", "ONTIME"))
            return live_fraction(livetime / ontime, self.path)
        return 1.0

    def require(self, *columns: str) -> None:
        """Check that columns exist and hold plain numbers.

        Raises
        ------
        DataError
            Some are missing, or are scaled.
        """
        missing = [name for name in columns if name not in (self.dtype.names or ())]
        if missing:
            raise DataError(f"{self.path.name}: EVENTS has no column {', '.join(missing)}")
        for name in columns:
            n = (self.dtype.names or ()).index(name) + 1
            if self.header.get(f"TSCAL{n}", 1) != 1 or self.header.get(f"TZERO{n}", 0) != 0:
                raise DataError(
                    f"{self.path.name}: column {name} is scaled (TSCAL{n}, TZERO{n}): not a Chandra format"
                )

    def status_mask(self, bits: int) -> int:
        """Return status bits as a mask for a selection; 0, which selects all, without a column status."""
        return bits if "status" in (self.dtype.names or ()) else 0

    def map(self) -> NDArray[Any]:
        """Return all rows of an uncompressed file as a memory map without fields, shape (nrows,)."""
        shape, dtype = (self.nrows,), f"V{self.dtype.itemsize}"
        return np.memmap(self.path, dtype, "r", self._data, shape) if self.nrows else np.empty(shape, dtype)

    def chunks(self, rows: int = CHUNK) -> Iterator[NDArray[Any]]:
        """Read the events in the order of the file.

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
            # Read straight into the array of records: nothing is copied, and byte order is not converted in
            # columns that are not used.
            chunk = np.empty(min(rows, self.nrows - first), self.dtype)
            if self._stream.readinto(chunk.view(np.uint8).data) != chunk.nbytes:
                raise DataError(f"{self.path.name} is truncated: it ends within EVENTS", "fetch it again")
            yield chunk


def live_fraction(value: float, path: Path) -> float:
    """Return a live fraction that a file states.

    Raises
    ------
    DataError
        It is not above 0 and at most 1.
    """
    if not 0 < value <= 1:
        raise DataError(f"{path.name}: the live fraction (DTCOR) is {value:g}, not above 0 and at most 1")
    return value


def number(header: fits.Header, keyword: str, path: Path) -> float:
    """Return a keyword that must be a number.

    Raises
    ------
    DataError
        It is missing or is not a number.
    """
    value = header.get(keyword)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(
            f"{path.name}: keyword {keyword} is {'missing' if value is None else f'{value!r}, not a number'}"
        )
    return float(value)


def row_dtype(location: HduLocation, path: Path) -> np.dtype[Any]:
    """Return the layout of one row of a binary table.

    Raises
    ------
    DataError
        The header does not describe a binary table of fixed-length columns.
    """
    header = location.header
    if str(header.get("XTENSION")).strip() != "BINTABLE" or header.get("PCOUNT", 0) != 0:
        raise DataError(f"{path.name}: {location.name} is not a binary table of fixed-length columns")
    try:
        fields = [_field(header, n) for n in range(1, header["TFIELDS"] + 1)]
        dtype = np.dtype(fields)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path.name}: the columns of {location.name} are not valid: {error}") from error
    # Otherwise rows would be read at the wrong places without any error.
    if dtype.itemsize != header["NAXIS1"]:
        raise DataError(
            f"{path.name}: columns of {dtype.itemsize} bytes do not fill rows of {header['NAXIS1']}"
        )
    return dtype


def _check_mission(header: fits.Header, path: Path) -> None:
    """Refuse events of another mission, and times that are not Chandra's mission time in seconds."""
    for keyword, expected in _MISSION.items():
        value = header.get(keyword, expected)
        stated = value.strip() if isinstance(value, str) else value
        if stated != expected:
            raise DataError(f"{path.name}: {keyword} is {stated!r}, but Chandra's is {expected!r}")


def _field(header: fits.Header, n: int) -> tuple[str, str, tuple[int, ...]]:
    """Return name, type and shape of column `n`."""
    name = str(header.get(f"TTYPE{n}", f"col{n}")).strip().lower()
    form = re.fullmatch(r"(\d*)([LXBIJKAEDCM])", str(header[f"TFORM{n}"]).strip().upper())
    if form is None:
        raise ValueError(f"TFORM{n} = {header[f'TFORM{n}']!r}")
    count = int(form[1] or 1)
    if form[2] == "A":
        return name, f"S{count}", ()
    # Bits are packed into whole bytes.
    if form[2] == "X":
        return name, "u1", (-(-count // 8),)
    return name, _TYPES[form[2]], () if count == 1 else (count,)


def _whole_observation(header: fits.Header, path: Path) -> GoodTimes:
    return GoodTimes(
        {1: make_gti(number(header, "TSTART", path), number(header, "TSTOP", path))}, shared=True
    )
