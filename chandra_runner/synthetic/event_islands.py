"""Grades of ACIS events, and the pulse heights of the pixels around the center (event islands)."""

from __future__ import annotations

import numpy as np

from chandra_runner.native.event_selection import SPLIT_THRESHOLD
from chandra_runner.native.geometry import Array

NOISE = 2.5
"""Standard deviation of a pixel without charge, adu."""

# ASCA grades: probability for an X-ray and for a particle, and the pixels that have charge, as flight grades.
# A flight grade is the sum of its pixels' weights: 1, 2, 4 below the center from left to right, 8 and 16
# beside it, 32, 64, 128 above.
_GRADES = (
    (0, 0.52, 0.22, (0,)),
    (1, 0.01, 0.02, (1, 4, 32, 128)),
    (2, 0.19, 0.16, (2, 64)),
    (3, 0.10, 0.08, (8,)),
    (4, 0.10, 0.08, (16,)),
    (5, 0.01, 0.05, (3, 6, 9, 96)),
    (6, 0.06, 0.14, (10, 18, 72, 80)),
    (7, 0.01, 0.25, (24, 66, 90, 255)),
)
_PARTICLE_SPILL = 0.4
"""Fraction of particles with charge outside the inner 3 x 3 pixels, which VFAINT cleaning finds."""


def draw_grades(background: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw ASCA grades and flight grades of events.

    Particles spread their charge over more pixels than X-rays.

    Parameters
    ----------
    background : ndarray of bool, shape (n,)
        Whether the events are particles.
    rng : Generator
        Random generator.

    Returns
    -------
    grade, fltgrade : ndarray of int, shape (n,)
    """
    probability = np.cumsum([[xray, particle] for _, xray, particle, _ in _GRADES], axis=0)
    level = rng.random(len(background)) * probability[-1, 0]
    grade = np.where(
        background,
        np.searchsorted(probability[:, 1], level, side="right"),
        np.searchsorted(probability[:, 0], level, side="right"),
    ).clip(max=7)
    # Four shapes for each grade, repeated where it has fewer.
    forms = np.array([(flight * 4)[:4] for *_, flight in _GRADES])
    return grade, forms[grade, rng.integers(0, 4, len(grade))]


def draw_islands(
    pha: Array, fltgrade: Array, background: Array, width: int, rng: np.random.Generator
) -> Array:
    """Draw the pulse heights of the pixels around the center of each event.

    Parameters
    ----------
    pha, fltgrade : ndarray of int, shape (n,)
        Sum of the pixels above the split threshold, adu, and flight grade: which pixels have charge.
    background : ndarray of bool, shape (n,)
        Whether the events are particles.
    width : int
        Pixels along a side: 3 (FAINT) or 5 (VFAINT).
    rng : Generator
        Random generator.

    Returns
    -------
    ndarray of int, shape (n, width, width)
        Pulse heights, adu; the last axis is along CHIPX.
    """
    count, middle = len(pha), width // 2
    noise = np.rint(NOISE * rng.standard_normal((count, width, width)))
    # Noise stays below the split threshold: only the pixels of the grade are above it.
    island = noise.clip(max=SPLIT_THRESHOLD - 1).astype(int)
    inner = island[:, middle - 1 : middle + 2, middle - 1 : middle + 2]
    center = pha.copy()
    around = [(row, column) for row in range(3) for column in range(3) if (row, column) != (1, 1)]
    for weight, (row, column) in enumerate(around):
        charged = (fltgrade >> weight & 1).astype(bool)
        # A split pixel takes some percent of the charge from the center.
        share = np.maximum(rng.uniform(0.02, 0.08, count) * pha, SPLIT_THRESHOLD + 1).astype(int)
        inner[charged, row, column] = share[charged]
        center -= np.where(charged, share, 0)
    inner[:, 1, 1] = np.maximum(center, SPLIT_THRESHOLD + 1)
    if width == 5:
        spills = rng.random(count) < np.where(background, _PARTICLE_SPILL, 0.01)
        charge = rng.integers(SPLIT_THRESHOLD + 1, 80, count)
        island[spills, rng.choice([0, 4], count)[spills], rng.integers(0, 5, count)[spills]] = charge[spills]
    return island
