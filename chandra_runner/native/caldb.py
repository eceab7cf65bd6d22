"""Mirror area and efficiencies of ACIS, from calibration files of the CALDB."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from chandra_runner.errors import DataError
from chandra_runner.fits.reader import hdulist, iterate_hdus, naming_file, open_stream, read_hdu
from chandra_runner.fits.tables import has_columns, number_column

from .effective_area import interpolate_area
from .geometry import Array

_CHIP_SIZE = 1024


def mirror_area(path: Path, energy: float) -> float:
    """Return the effective area of the mirror on the optical axis at an energy (keV), cm2."""
    # SHELL = 1111 is the table of all four shells of the mirror together.
    low, high, area = _columns_where(path, "SHELL", "1111", "ENERG_LO", "ENERG_HI", "EFFAREA")
    return interpolate_area(path, (low + high).ravel() / 2, area.ravel(), energy)


def quantum_efficiency(path: Path, chip: int, energy: float) -> float:
    """Return the mean quantum efficiency of an ACIS chip at an energy (keV)."""
    energies, efficiency = _columns_where(path, "CCD_ID", str(chip), "ENERGY", "QE")
    return interpolate_area(path, energies.ravel(), efficiency.ravel(), energy)


def uniformity_map(path: Path, chip: int, energy: float) -> Array:
    """Return the quantum efficiency of each pixel of an ACIS chip relative to the mean of the chip.

    Parameters
    ----------
    path : Path
        File with a table for each chip (CCD_ID) and a row for each energy: ENERGY (keV) and QEU, a map with
        CHIPX running fastest, of the whole chip in square cells.
    chip : int
        CCD_ID.
    energy : float
        Energy, keV; beyond those of the table it counts as the nearest one.

    Returns
    -------
    ndarray, shape (1024, 1024)
        Relative efficiency, interpolated linearly in energy.

    Raises
    ------
    DataError
        The file is damaged, or has no such table.
    """
    energies, maps = _columns_where(path, "CCD_ID", str(chip), "ENERGY", "QEU")
    energies = energies.ravel()
    size = round(maps[0].size ** 0.5) if len(maps) else 0
    if not size or size**2 != maps[0].size or _CHIP_SIZE % size or np.any(np.diff(energies) <= 0):
        raise DataError(f"{path.name}: QEU is not a map of square cells for each of increasing energies")
    position = np.interp(energy, energies, np.arange(len(energies)))
    below = int(position)
    above = min(below + 1, len(energies) - 1)
    cells = maps[below] + (position - below) * (maps[above] - maps[below])
    return _in_pixels(cells.reshape(size, size))


def transmission_map(path: Path, chip: int, time: float, energy: float) -> Array:
    """Return the transmission of the contamination on the filter of ACIS for each pixel of a chip.

    It is exp(-tau), and tau is the sum of mu(E) (tau0(t) + tau1(t) fxy(pixel)) over the layers: absorption,
    thickness that grows with time, and its distribution over the chip. Each row of the chip's table is a
    layer; only the first N_ENERGY and N_TIME numbers of its vectors are used.

    Parameters
    ----------
    path : Path
        Contamination file, with a table for each chip (CCD_ID).
    chip : int
        CCD_ID.
    time : float
        Mission time, s.
    energy : float
        Energy, keV.

    Returns
    -------
    ndarray, shape (1024, 1024)
        Transmission.

    Raises
    ------
    DataError
        The file is damaged, or has no such table.
    """
    names = ("N_ENERGY", "ENERGY", "MU", "N_TIME", "TIME", "TAU0", "TAU1", "FXY")
    columns = _columns_where(path, "CCD_ID", str(chip), *names)
    if columns[-1].shape[1:] not in ((_CHIP_SIZE**2,), (_CHIP_SIZE, _CHIP_SIZE)):
        raise DataError(f"{path.name}: FXY is not a map of 1024 x 1024 pixels")
    depth = np.zeros((_CHIP_SIZE, _CHIP_SIZE))
    for n_energy, energies, mu, n_time, times, tau0, tau1, fxy in zip(*columns, strict=True):
        at_energy, at_time = slice(int(n_energy)), slice(int(n_time))
        early, late = (np.interp(time, times[at_time], tau[at_time]) for tau in (tau0, tau1))
        # FXY is a map with CHIPX running fastest.
        layer = early + late * fxy.reshape(depth.shape)
        depth += np.interp(energy, energies[at_energy], mu[at_energy]) * layer
    transmission: Array = np.exp(-depth)
    return transmission


def _in_pixels(cells: Array) -> Array:
    """Repeat the cells of a coarse map of a chip, so that it has a value for each pixel."""
    block = _CHIP_SIZE // len(cells)
    return np.repeat(np.repeat(cells, block, axis=0), block, axis=1)


def _columns_where(path: Path, keyword: str, value: str, *columns: str) -> list[Array]:
    """Read columns of the table in which a keyword has a value, and no other table: they are large."""
    with open_stream(path) as stream:
        hdus = iterate_hdus(stream, path)
        primary = read_hdu(stream, next(hdus), path)
        for location in hdus:
            if str(location.header.get(keyword, "")).strip() != value:
                continue
            table = hdulist([primary, read_hdu(stream, location, path)], path)[1]
            if has_columns(table, *columns):
                with naming_file(path):
                    return [number_column(table, column) for column in columns]
    raise DataError(f"{path.name} has no table with {keyword} = {value} and {', '.join(columns)}")
