"""Small files of an ObsID directory, for tests of what is read from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from astropy.io import fits

HEADER = {
    "OBS_ID": "42", "SEQ_NUM": "200042", "INSTRUME": "ACIS", "DETNAM": "ACIS-7", "GRATING": "NONE",
    "OBJECT": "Somewhere", "OBS_MODE": "POINTING", "DATAMODE": "FAINT", "READMODE": "TIMED",
    "RA_NOM": 10.0, "DEC_NOM": -5, "ROLL_NOM": 90.0, "SIM_X": -0.7, "SIM_Y": 0, "SIM_Z": -190.1,
    "TSTART": 1000.0, "TSTOP": 2000.0,
}  # fmt: skip
CONTENTS = {
    "evt1": "EVT1", "evt2": "EVT2", "asol1": "ASPSOLOBI", "osol1": "OBCSOL", "bpix1": "BADPIX",
    "flt1": "GTI", "msk1": "MSK", "fov1": "FOV", "dtf1": "DTF", "mtl1": "mtl", "stat1": "EXPSTATS",
    "pbk0": "PBK",
}  # fmt: skip


def write_table(path: Path, columns: dict[str, tuple[str, Any]], name: str, **changes: Any) -> Path:
    """Write a file with one table; keywords set to None are left out."""
    made = [fits.Column(column, form, array=array) for column, (form, array) in columns.items()]
    table = fits.BinTableHDU.from_columns(made, name=name)
    table.header.update({key: value for key, value in {**HEADER, **changes}.items() if value is not None})
    path.parent.mkdir(parents=True, exist_ok=True)
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(path)
    return path


def write_oif(path: Path, members: list[tuple[str, str]], **changes: Any) -> Path:
    """Write an oif.fits with rows (MEMBER_CONTENT, MEMBER_LOCATION)."""
    content, location = (list(values) for values in zip(*members, strict=True))
    columns = {"MEMBER_CONTENT": ("32A", content), "MEMBER_LOCATION": ("128A", location)}
    return write_table(path, columns, "GROUPING", **changes)


def write_raw(directory: Path, *names: str, **changes: Any) -> Path:
    """Write files in which only the headers matter, e.g. ``primary/acisf00042N001_evt2.fits``."""
    for name in names:
        write_table(directory / name, {"time": ("1D", [1500.0])}, "EVENTS", **changes)
    return directory


def index(directory: Path, *names: str, **changes: Any) -> Path:
    """Write an oif.fits that lists files."""
    members = [(CONTENTS[name.rpartition("_")[2].partition(".")[0]], name) for name in names]
    return write_oif(directory / "oif.fits", members, **changes)
