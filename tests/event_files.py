"""Small event lists for tests, and the programs of CFITSIO that they are compared with."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

Columns = dict[str, tuple[str, Any]]
Intervals = tuple[Sequence[float], Sequence[float]]
KEYWORDS: dict[str, Any] = {
    "INSTRUME": "ACIS", "DETNAM": "ACIS-67", "OBS_ID": "42", "TSTART": 1000.0, "TSTOP": 2000.0,
    "MJDREF": 50814.0, "DTCOR": 0.9, "ONTIME": 5.0, "LIVETIME": 4.5, "EXPOSURE": 4.5, "ONTIME6": 5.0,
    "DATE": "2001-01-01T00:00:00", "CREATOR": "someone",
}  # fmt: skip


def acis_columns(rows: int = 400, seed: int = 1) -> Columns:
    """Return events of chips 6 and 7 sorted by time, of all energies, grades and a few status bits."""
    random = np.random.default_rng(seed)
    status = np.zeros((rows, 32), dtype=bool)
    status[::10, 27] = True
    return {
        "time": ("1D", np.sort(random.uniform(1000, 2000, rows))),
        "ccd_id": ("1I", random.integers(6, 8, rows)),
        "energy": ("1E", random.uniform(100, 10000, rows)),
        "phas": ("9I", random.integers(0, 100, (rows, 9))),
        "grade": ("1I", random.integers(0, 8, rows)),
        "status": ("32X", status),
    }


def write_events(
    path: Path,
    columns: Columns | None = None,
    gtis: Mapping[int | None, Intervals] | None = None,
    others: Sequence[Any] = (),
    **keywords: Any,
) -> Path:
    """Write an event file; GTIs by CCD, or under None for all chips. Keywords set to None are left out."""
    table = [
        fits.Column(name, form, array=array) for name, (form, array) in (columns or acis_columns()).items()
    ]
    events = fits.BinTableHDU.from_columns(table, name="EVENTS")
    events.header.update({key: value for key, value in (KEYWORDS | keywords).items() if value is not None})
    gtis = {7: ([1000], [1400]), 6: ([1100, 1600], [1500, 1900])} if gtis is None else gtis
    extensions = [_gti(ccd, *interval) for ccd, interval in gtis.items()]
    fits.HDUList([fits.PrimaryHDU(), events, *extensions, *others]).writeto(path)
    return path


def _gti(ccd: int | None, start: Sequence[float], stop: Sequence[float]) -> fits.BinTableHDU:
    columns = [fits.Column("START", "1D", "s", array=start), fits.Column("STOP", "1D", "s", array=stop)]
    hdu = fits.BinTableHDU.from_columns(columns, name="GTI")
    if ccd is not None:
        hdu.header.update(EXTVER=ccd, HDUNAME=f"GTI{ccd}", CCD_ID=ccd)
    return hdu


def table_bytes(path: Path, name: str = "EVENTS") -> tuple[bytes, int]:
    """Return the rows of a table as they are on disk, and their number."""
    with fits.open(path, memmap=False) as hdus:
        raw = hdus[name].data.view(np.ndarray)
        return raw.tobytes(), len(raw)


def replace_card(path: Path, keyword: str, value: str) -> Path:
    """Replace the value of one card of the EVENTS header, byte by byte and unchecked."""
    data = path.read_bytes()
    at = data.index(f"{keyword:8}=".encode(), data.index(b"XTENSION"))
    path.write_bytes(data[:at] + f"{keyword:8}= {value}".ljust(80).encode() + data[at + 80 :])
    return path


def assert_sound(path: Path) -> None:
    """Check that astropy, and fitsverify if it is installed, find no errors in a file and its checksums."""
    with fits.open(path, checksum=True) as hdus:
        hdus.verify("exception")
        for hdu in hdus:
            assert "CHECKSUM" in hdu.header, f"{path.name}: no checksum in {hdu.name}"
            assert "20" not in hdu.header.comments["CHECKSUM"]
    if shutil.which("fitsverify"):
        done = subprocess.run(
            ["fitsverify", "-q", path.name], cwd=path.parent, capture_output=True, text=True
        )
        assert "verification OK" in done.stdout, done.stdout


def cfitsio_filter(source: Path, target: Path, expression: str) -> Path:
    """Write the rows of EVENTS that CFITSIO's own row filter selects; skip without fitscopy."""
    if not shutil.which("fitscopy"):
        pytest.skip("fitscopy (Debian: libcfitsio-bin) is not installed")
    text = target.with_suffix(".filter")  # a file name with its filter has at most 1024 characters
    text.write_text(expression)
    subprocess.run(["fitscopy", f"{source}[EVENTS][@{text}]", target], check=True, capture_output=True)
    return target


def cfitsio_good_times(path: Path, chips: Sequence[int]) -> str:
    """Return a row filter for events inside the good times of their own chip.

    Extensions go by HDUNAME: to CFITSIO, EXTVER 0 means any.
    """
    parts = [f"(ccd_id=={n}&&gtifilter('{path}[GTI{n}]',time,'START','STOP'))" for n in chips]
    return f"({'||'.join(parts)})"
