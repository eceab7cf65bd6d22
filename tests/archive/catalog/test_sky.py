"""Places on the sky: separations and boxes, against astropy."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.units import deg

from chandra_runner.archive.catalog.sky import Box, Position, box_around


def test_separations_are_those_of_astropy() -> None:
    random = np.random.default_rng(1)
    ra, dec = random.uniform(0, 360, (2, 200)), np.degrees(np.arcsin(random.uniform(-1, 1, (2, 200))))
    ra[1, :100], dec[1, :100] = ra[0, :100] + 1e-5, dec[0, :100] + 1e-5
    theirs = SkyCoord(ra[0], dec[0], unit="deg").separation(SkyCoord(ra[1], dec[1], unit="deg")).deg
    pairs = zip(*ra, *dec, strict=True)
    ours = [Position(a, c).separation(Position(b, d)) for a, b, c, d in pairs]
    # Two right ascensions near 360 deg are known to 6e-14 deg each, and so is their difference.
    np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=2e-13)


@pytest.mark.parametrize("dec", [0.0, 26.6, -45.0, 80.0, -88.9, 89.5, 90.0, -90.0])
@pytest.mark.parametrize("ra", [0.0, 0.1, 207.2, 359.95])
@pytest.mark.parametrize("radius", [0.01, 1.0, 30.0])
def test_a_box_holds_its_cone_and_touches_it(ra: float, dec: float, radius: float) -> None:
    box = box_around(Position(ra, dec), radius)
    edge = SkyCoord(ra, dec, unit="deg").directional_offset_by(np.arange(0, 360, 0.05) * deg, radius * deg)
    inside = (edge.dec.deg >= box.south) & (edge.dec.deg <= box.north) & _between(edge.ra.deg, box)
    assert inside.all()
    if box.west is not None and box.east is not None:
        widest = np.max(np.abs((edge.ra.deg - ra + 180) % 360 - 180))
        assert (box.east - box.west) % 360 == pytest.approx(2 * widest, rel=1e-3)


def _between(ra: np.ndarray, box: Box) -> np.ndarray:
    if box.west is None or box.east is None:
        return np.ones(len(ra), bool)
    if box.west <= box.east:
        return (ra >= box.west) & (ra <= box.east)
    return (ra >= box.west) | (ra <= box.east)
