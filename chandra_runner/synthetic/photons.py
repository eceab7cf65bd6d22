"""Photons of sources, and background, on the detector in an observing interval."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from chandra_runner.native.aspect import Aspect
from chandra_runner.native.geometry import Array, Pointing, rays_to_chip, sky_to_rays

from .catalog import Flare, Interval, Sample, Source
from .sky import pointing_of, psf_sigma

LOWEST, HIGHEST = 0.3, 10.0
"""Range of photon energies, keV."""


@dataclass(frozen=True, kw_only=True)
class Photons:
    """Photons and particles on the detector; arrays of shape (n,).

    Parameters
    ----------
    time : ndarray
        Mission time of arrival, s.
    chip : ndarray of int
        CCD_ID or CHIP_ID.
    chipx, chipy : ndarray of int
        Pixel.
    energy : ndarray
        Energy, keV.
    background : ndarray of bool
        Whether it is a background event.
    """

    time: Array
    chip: Array
    chipx: Array
    chipy: Array
    energy: Array
    background: Array

    def __getitem__(self, which: Array) -> Photons:
        return Photons(**{field.name: getattr(self, field.name)[which] for field in fields(self)})


def simulate_photons(sample: Sample, interval: Interval, aspect: Aspect, rng: np.random.Generator) -> Photons:
    """Simulate all photons of an observing interval; return them sorted by time."""
    parts = [_source_photons(sample, source, interval, aspect, rng) for source in sample.sources]
    parts += [_background_photons(sample, chip, interval, rng) for chip in sample.background]
    columns = {f.name: np.concatenate([getattr(p, f.name) for p in parts]) for f in fields(Photons)}
    photons = Photons(**columns)
    return photons[np.argsort(photons.time, kind="stable")]


def flare_factor(flares: tuple[Flare, ...], seconds: Array) -> Array:
    """Return the background in units of the quiet background, at times in s from the interval's start."""
    factor = np.ones_like(seconds)
    for flare in flares:
        phase = (seconds - flare.start) / (flare.stop - flare.start)
        shape = np.clip(np.minimum(phase / 0.1, (1 - phase) / 0.9), 0, 1)
        factor += (flare.peak - 1) * shape
    return factor


def active_pixels(sample: Sample, pointing: Pointing, chip: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first and last column and row of a chip with events; ACIS has none on the outermost."""
    edge = 1 if sample.instrument == "ACIS" else 0
    first, last = sample.rows
    return (1 + edge, pointing.detector.chip(chip).nx - edge), (first + edge, last - edge)


def _source_photons(
    sample: Sample, source: Source, interval: Interval, aspect: Aspect, rng: np.random.Generator
) -> Photons:
    """Simulate the photons of a source that the telescope sends to a chip at its attitude at that time."""
    pointing = pointing_of(sample)
    count = rng.poisson(source.rate * interval.span)
    time = interval.start + interval.span * rng.random(count)
    energy = _draw_energies(source, count, rng)
    x, y = _sky_positions(pointing, source, count, rng)
    attitude = aspect.at(time)
    ray = sky_to_rays(pointing, x, y, attitude)
    chip = np.full(count, -1)
    chipx, chipy = np.zeros(count, dtype=int), np.zeros(count, dtype=int)
    for number in sample.background:
        hit_x, hit_y = (np.rint(c).astype(int) for c in rays_to_chip(pointing, number, ray, attitude))
        columns, rows = active_pixels(sample, pointing, number)
        hit = (hit_x >= columns[0]) & (hit_x <= columns[1]) & (hit_y >= rows[0]) & (hit_y <= rows[1])
        chip[hit], chipx[hit], chipy[hit] = number, hit_x[hit], hit_y[hit]
    photons = Photons(
        time=time,
        chip=chip,
        chipx=chipx,
        chipy=chipy,
        energy=energy,
        background=np.zeros(count, dtype=bool),
    )
    return photons[chip >= 0]


def _sky_positions(
    pointing: Pointing, source: Source, count: int, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Draw apparent positions of photons on the sky (X, Y, pixel): the shape of the source and the PSF."""
    detector = pointing.detector
    x0 = detector.center - source.east * 60 / detector.pixel
    y0 = detector.center + source.north * 60 / detector.pixel
    # The cumulative distribution of a beta model with beta = 2/3 is 1 - (1 + (r / core)^2)^-1/2. It is
    # inverted for random numbers up to 0.8, which leaves out the wings beyond 5 core radii.
    radius = source.core * np.sqrt((1 - 0.8 * rng.random(count)) ** -2 - 1)
    angle = 2 * np.pi * rng.random(count)
    blur = psf_sigma(pointing, x0, y0) * rng.standard_normal((2, count))
    return (
        x0 + (radius * np.cos(angle) + blur[0]) / detector.pixel,
        y0 + (radius * np.sin(angle) + blur[1]) / detector.pixel,
    )


def _draw_energies(source: Source, count: int, rng: np.random.Generator) -> Array:
    """Draw energies of detected photons, keV: the spectrum of the source times a rough effective area."""
    energy = np.geomspace(LOWEST, HIGHEST, 400)
    if source.temperature:
        spectrum = np.exp(-energy / source.temperature) * energy**-1.4
    else:
        spectrum = energy**-source.photon_index
    area = (1 - np.exp(-((energy / 0.9) ** 2))) / (1 + (energy / 5) ** 4)
    cumulative = np.cumsum(spectrum * area * energy)
    return np.interp(rng.random(count), cumulative / cumulative[-1], energy)


def _background_photons(sample: Sample, chip: int, interval: Interval, rng: np.random.Generator) -> Photons:
    """Simulate the background of a chip: uniform over its pixels and in energy, higher in flares."""
    columns, rows = active_pixels(sample, pointing_of(sample), chip)
    height = pointing_of(sample).detector.chip(chip).ny
    rate = sample.background[chip] * (rows[1] - rows[0] + 1) / height
    # Draw times at the highest rate, then keep each with the probability of the rate at that time.
    highest = max([1.0, *(flare.peak for flare in interval.flares)])
    seconds = interval.span * rng.random(rng.poisson(rate * highest * interval.span))
    seconds = seconds[rng.random(len(seconds)) * highest < flare_factor(interval.flares, seconds)]
    count = len(seconds)
    return Photons(
        time=interval.start + seconds,
        chip=np.full(count, chip),
        chipx=rng.integers(columns[0], columns[1], count, endpoint=True),
        chipy=rng.integers(rows[0], rows[1], count, endpoint=True),
        energy=rng.uniform(LOWEST, HIGHEST, count),
        background=np.ones(count, dtype=bool),
    )
