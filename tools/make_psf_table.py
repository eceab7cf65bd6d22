"""Make the table of PSF radii, chandra_runner/native/psf_radii.csv, from simulated point sources.

    python tools/make_psf_table.py ../shared/data

The sources are those that MARX 5.5.3 put into the observations `OBSERVATIONS`. The tests compare the table
with others (tests/native/test_psf.py).

1. For each source, take the radii of its events around their mean position, within an aperture of 8" up to 5'
   off axis and of 8" (angle / 5')^2 beyond. Enclosed fractions are those of the counts in the aperture, so
   neither the readout streak nor the far wings (some 3 % of the counts) are part of them. Where the source
   of each event is not known, the aperture holds some 0.2 % of background, which is not subtracted.
2. For each enclosed fraction, fit the logarithm of the radius by a few smooth functions of off-axis angle,
   energy and focal plane, with a quantile regression (Koenker & Bassett 1978, Econometrica 46, 33).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from scipy.optimize import linprog

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.geometry import Array, Pointing
from chandra_runner.native.psf import TABLE, focal_plane_of

OBSERVATIONS = (90003, 90007, 90008, 90009, 90011, 90012, 90013, 90014)
PLANES = ("ACIS-I", "ACIS-S", "HRC")
ENERGIES = (0.3, 0.6, 1.5, 3.8, 8.0)
FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97)
ANGLES = (*np.arange(0, 6, 0.5), *range(6, 13), 14, 16, 18, 20, 25, 30)
HRC_ENERGY = 1.5
"""HRC events have no energies: this is the effective energy of its band wide, keV."""
LEAST_COUNTS = 20
MOST_COUNTS = 1000
"""No source counts for more than this: brighter ones are thinned evenly in radius."""
SCALE = 3.5
"""Angle at which the PSF begins to widen, arcmin; of 3, 3.5, 4 and 5, cross-validation prefers 3.5 and 4."""


def main() -> None:
    """Fit the sources, and write the table."""
    data = Path(sys.argv[1])
    samples = [sample for obsid in OBSERVATIONS for sample in _sources(data / "sim", obsid)]
    radius, angle, energy, plane = np.concatenate(samples).T
    terms = _terms(angle, energy, plane)
    print(f"{len(samples)} sources, {len(radius)} events")
    fits = [_quantile_regression(terms, np.log(radius), fraction) for fraction in FRACTIONS]
    TABLE.write_text(_text(np.array(fits)), encoding="ascii")


def _sources(simulations: Path, obsid: int) -> Iterator[Array]:
    """Yield radius (arcsec), angle (arcmin), energy (keV) and focal plane of the events of each source."""
    truth = json.loads((simulations / f"truth/{obsid}.json").read_text())
    (path,) = (simulations / f"{obsid}/primary").glob("*N00?_evt2.fits.gz")
    with EventFile.open(path) as events:
        pointing = Pointing.of(events.header)
        rows = np.concatenate(list(events.chunks()))
    plane = focal_plane_of(pointing)
    energy = np.full(len(rows), HRC_ENERGY) if plane == "HRC" else rows["energy"] / 1000
    origins = simulations / f"truth/{obsid}_origin.npz"
    origin = np.load(origins)["evt2_source"] if origins.exists() else None
    for source in truth["sources"]:
        if source.get("type", "POINT") != "POINT":
            continue
        own = slice(None) if origin is None else origin == source["source_index"]
        position = _sky_position(pointing, source["ra"], source["dec"])
        offset = (np.column_stack([rows["x"], rows["y"]])[own] - position) * pointing.detector.pixel
        angle = np.hypot(*(position - pointing.detector.center)) * pointing.detector.pixel / 60
        if np.count_nonzero(np.hypot(*offset.T) < _aperture(angle)) >= LEAST_COUNTS:
            radius, kept = _radii(offset, _aperture(angle))
            columns = (radius, angle, energy[own][kept], PLANES.index(plane))
            yield _thinned(np.column_stack(np.broadcast_arrays(*columns)))


def _sky_position(pointing: Pointing, ra: float, dec: float) -> Array:
    wcs = WCS(naxis=2)
    degrees = pointing.detector.pixel / 3600
    wcs.wcs.ctype, wcs.wcs.cdelt = ["RA---TAN", "DEC--TAN"], [-degrees, degrees]
    wcs.wcs.crval, wcs.wcs.crpix = [pointing.ra, pointing.dec], [pointing.detector.center] * 2
    return np.array(wcs.wcs_world2pix(ra, dec, 1))


def _aperture(angle: Array | float) -> Array:
    """Return the radius within which the counts are a source's, arcsec."""
    return 8 * np.maximum(1, (np.asarray(angle) / 5) ** 2)


def _radii(offset: Array, aperture: Array) -> tuple[Array, Array]:
    """Return the radii of events around their mean, and which events are in the aperture."""
    center = np.zeros(2)
    for _ in range(20):
        center = offset[np.hypot(*(offset - center).T) < aperture / 2].mean(axis=0)
    radius = np.hypot(*(offset - center).T)
    kept = radius < aperture
    return radius[kept], kept


def _thinned(sample: Array) -> Array:
    ordered = sample[np.argsort(sample[:, 0], kind="stable")]
    count = min(len(ordered), MOST_COUNTS)
    return ordered[((np.arange(count) + 0.5) * len(ordered) / count).astype(int)]


def _terms(angle: Array, energy: Array, plane: Array) -> Array:
    """Return the functions whose sum is the logarithm of a radius, shape (n, 7).

    On axis it depends on the energy (scattering), and for HRC on the blur of the detector, which is added in
    quadrature and so loses with the square of the radius. Off axis it grows like a power of the angle. The
    chips of ACIS-I follow the curved surface of best focus; those of ACIS-S, and HRC, are flat.
    """
    widening = np.log1p((angle / SCALE) ** 2)
    flat = (plane != PLANES.index("ACIS-I")) * -np.expm1(-((angle / SCALE) ** 2))
    blur = (plane == PLANES.index("HRC")) * np.exp(-2 * widening)
    color = np.log(np.clip(energy, ENERGIES[0], ENERGIES[-1]) / HRC_ENERGY)
    return np.column_stack(
        [np.ones_like(angle), widening, flat, blur, color, color**2, color * widening],
    )


def _quantile_regression(terms: Array, values: Array, fraction: float) -> Array:
    """Return the coefficients with which a fraction of the values is below the sum of the terms."""
    # The dual of the linear program has one bounded variable an event; its prices are the coefficients.
    equal = (1 - fraction) * terms.sum(axis=0)
    solution = linprog(-values, A_eq=terms.T, b_eq=equal, bounds=(0, 1), method="highs")
    return -solution.eqlin.marginals


def _text(coefficients: Array) -> str:
    lines = [
        "# Radius (arcsec) that encloses a fraction of the counts of a point source in Chandra's images.",
        "# Made by tools/make_psf_table.py, which says how, from sources simulated with MARX 5.5.3.",
        "# The fraction is that of the counts within the radius of fraction 1, an aperture.",
        "# First line: off-axis angles, arcmin. Then focal plane, energy (keV), fraction, and the radii.",
        f"plane,energy,fraction,{','.join(f'{angle:g}' for angle in ANGLES)}",
    ]
    angles = np.array(ANGLES, dtype=float)
    for number, plane in enumerate(PLANES):
        for energy in ENERGIES:
            terms = _terms(angles, np.full(len(angles), energy), np.full(len(angles), number))
            radii = np.vstack([np.exp(coefficients @ terms.T), _aperture(angles)])
            # Each fraction is fitted by itself; where two radii are out of order, the larger counts.
            radii = np.minimum(np.maximum.accumulate(radii), _aperture(angles))
            for fraction, row in zip((*FRACTIONS, 1), radii, strict=True):
                lines.append(f"{plane},{energy:g},{fraction:g},{','.join(f'{r:.4g}' for r in row)}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
