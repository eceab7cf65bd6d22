"""Small CALDBs: the real quantum efficiency, with a made-up mirror, contamination and uniformity."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

QE = "acisD1997-04-17qeN0006.fits"
MIRROR = "hrmaD1996-12-20axeffaN0008.fits"
CONTAMINATION = "acisD1999-08-13contamN0014.fits"
UNIFORMITY = "acisD2000-01-29qeuN0007.fits"

_ENERGY = np.linspace(0.1, 10, 100)


def table(columns: dict[str, tuple[str, Any]], **header: Any) -> fits.BinTableHDU:
    """A table from name: (format, values), with some keywords."""
    hdu = fits.BinTableHDU.from_columns(
        [fits.Column(name, form, array=np.asarray(array)) for name, (form, array) in columns.items()]
    )
    hdu.header.update(header)
    return hdu


def make_caldb(directory: Path, shared_data: Path, chips: Iterable[int]) -> Path:
    """Write a CALDB with all that effective areas of ACIS without uniformity are made of.

    The mirror has 800 - 50 E cm2. The contamination of each chip has two layers: one with a thickness that
    grows with time and depends on the position, half as thick again at CHIPX 225, CHIPY 512; one without.
    """
    add_mirror(directory)
    source = shared_data / f"real/calibration/{QE}.gz"
    with gzip.open(source) as stream:
        _path(directory, "acis/qe", QE).write_bytes(stream.read())
    add_contamination(directory, chips)
    return directory


def add_mirror(directory: Path, name: str = MIRROR, scale: float = 1.0) -> None:
    """Write a mirror's area: one shell with 100 cm2, and all of them together with 800 - 50 E."""
    shells = [
        table(
            {"ENERG_LO": ("E", _ENERGY), "ENERG_HI": ("E", _ENERGY), "EFFAREA": ("E", scale * area)},
            SHELL=shell,
        )
        for shell, area in (("1000", 100 + 0 * _ENERGY), ("1111", 800 - 50 * _ENERGY))
    ]
    fits.HDUList([fits.PrimaryHDU(), *shells]).writeto(_path(directory, "default/axeffa", name))


def add_contamination(directory: Path, chips: Iterable[int], name: str = CONTAMINATION) -> None:
    """Write the contamination of some chips."""
    maps = np.zeros((2, 1024, 1024), dtype="f4")
    maps[:, 511, 224] = 0.5  # at CHIPX 225, CHIPY 512
    layers = {
        "N_ENERGY": ("I", [2, 3]), "ENERGY": ("4E", [[0, 10, 0, 0], [0, 1, 10, 0]]),
        "MU": ("4E", [[2, 0, 9, 9], [1, 0.1, 0, 9]]),
        "N_TIME": ("I", [2, 2]), "TIME": ("3D", [[0, 1e9, 0], [0, 1e9, 0]]),
        "TAU0": ("3E", [[0, 0.4, 9], [0, 0.2, 9]]), "TAU1": ("3E", [[0, 0.2, 9], [0, 0, 9]]),
        "FXY": ("1048576E", maps.reshape(2, -1)),
    }  # fmt: skip
    hdus = [table(layers, CCD_ID=chip) for chip in chips]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(_path(directory, "acis/contam", name))


def add_uniformity(directory: Path, chip: int, energies: Any, maps: Any, name: str = UNIFORMITY) -> Path:
    """Write the uniformity of a chip: a square map of cells for each energy."""
    cells = np.asarray(maps, dtype="f4")
    columns = {"ENERGY": ("E", energies), "QEU": (f"{cells[0].size}E", cells.reshape(len(cells), -1))}
    path = _path(directory, "acis/qeu", name)
    table(columns, CCD_ID=chip).writeto(path)
    return path


def _path(directory: Path, subdirectory: str, name: str) -> Path:
    parent = directory / "data/chandra" / subdirectory
    parent.mkdir(parents=True, exist_ok=True)
    return parent / name
