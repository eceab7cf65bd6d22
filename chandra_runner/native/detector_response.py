"""The part of the photons from the mirror that each pixel of a detector detects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .caldb import quantum_efficiency, transmission_map, uniformity_map
from .calibration_files import Calibration
from .dead_area import live_area
from .geometry import Array, Attitude, Pointing, rays_to_chip
from .quantum_efficiency import mean_quantum_efficiency


@dataclass(frozen=True)
class ChipPosition:
    """A position on a chip: its number, CHIPX and CHIPY."""

    chip: int
    chipx: float
    chipy: float


def find_aimpoint(pointing: Pointing, chips: tuple[int, ...], mean: Attitude) -> ChipPosition:
    """Return the position on the chips where the optical axis meets them.

    If it is on no chip, as in a gap, the nearest position on a chip is returned.
    """
    axis = np.array([[-1.0], [0.0], [0.0]])
    hits = []
    for number in chips:
        chip = pointing.detector.chip(number)
        x, y = (float(c[0]) for c in rays_to_chip(pointing, number, axis, mean))
        # The nearest position on the chip, and its distance.
        inside = (min(max(x, 1.0), float(chip.nx)), min(max(y, 1.0), float(chip.ny)))
        hits.append((math.hypot(x - inside[0], y - inside[1]), ChipPosition(number, *inside)))
    return min(hits, key=lambda hit: hit[0])[1]


@dataclass(frozen=True)
class AcisResponse:
    """Efficiency of the pixels of ACIS in one observation.

    It is the product of the quantum efficiency of the chip, its uniformity, the transmission of the
    contamination, and the part of the chip that cosmic rays leave sensitive. Without calibration files the
    efficiency is that of the package's table, and uniformity and contamination count as 1.

    Parameters
    ----------
    files : Mapping of Calibration to Path
        Files of the CALDB that are valid for the observation; may be empty.
    time : float
        Mission time for which the contamination is computed, s.
    frame_time : float
        TIMEDEL, s.
    first_row : int
        CHIPY of the first row that is read out.
    """

    files: Mapping[Calibration, Path]
    time: float
    frame_time: float
    first_row: int

    def of_chip(self, chip: int, energy: float) -> Array:
        """Return the events per photon of each pixel of a chip.

        Parameters
        ----------
        chip : int
            CCD_ID.
        energy : float
            Energy, keV.

        Returns
        -------
        ndarray, shape (1024, 1024)
            CHIPY is the first axis.

        Raises
        ------
        DataError
            A calibration file is damaged, or does not include the chip or the energy.
        """
        response = np.full((1024, 1024), self._mean_efficiency(chip, energy))
        if Calibration.UNIFORMITY in self.files:
            response *= uniformity_map(self.files[Calibration.UNIFORMITY], chip, energy)
        if Calibration.CONTAMINATION in self.files:
            path = self.files[Calibration.CONTAMINATION]
            response *= transmission_map(path, chip, self.time, energy)
        return response * self._live_area(chip)

    def at(self, position: ChipPosition, energy: float, *, dead_area: bool = True) -> float:
        """Return the events per photon at a position, with or without the loss by the dead area."""
        row = round(position.chipy) - 1
        response = float(self.of_chip(position.chip, energy)[row, round(position.chipx) - 1])
        return response if dead_area else response / float(self._live_area(position.chip)[row, 0])

    def _mean_efficiency(self, chip: int, energy: float) -> float:
        path = self.files.get(Calibration.EFFICIENCY)
        return quantum_efficiency(path, chip, energy) if path else mean_quantum_efficiency(chip, energy)

    def _live_area(self, chip: int) -> Array:
        return live_area(chip, self.frame_time, self.first_row, 1024)


@dataclass(frozen=True)
class HrcResponse:
    """Efficiency of the HRC relative to its aimpoint: all pixels count as equal."""

    def of_chip(self, chip: int, energy: float) -> Array:
        """Return 1 for all pixels of a chip, shape (1, 1)."""
        return np.ones((1, 1))

    def at(self, position: ChipPosition, energy: float, *, dead_area: bool = True) -> float:
        """Return 1 at any position."""
        return 1.0


DetectorResponse = AcisResponse | HrcResponse
