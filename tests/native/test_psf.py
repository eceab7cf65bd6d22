"""PSF radii are those of simulated sources."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.wcs import WCS

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.detectors import ACIS, HRC_I
from chandra_runner.native.geometry import Attitude, Pointing
from chandra_runner.native.grid import parse_grid
from chandra_runner.native.psf import focal_plane_of, off_axis_map, psf_radius

Measured = dict[str, dict[str, float]]


def sky_position(pointing: Pointing, source: dict[str, Any]) -> np.ndarray:
    """X and Y of a source, pixel."""
    wcs, detector = WCS(naxis=2), pointing.detector
    wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [detector.center] * 2
    wcs.wcs.crval = [pointing.ra, pointing.dec]
    wcs.wcs.cdelt = [-detector.pixel / 3600, detector.pixel / 3600]
    return np.array(wcs.wcs_world2pix(source["ra"], source["dec"], 1))


def measure(shared_data: Path, obsid: int, keep: tuple[float, float] = (0, 1e9)) -> Measured:
    """Radii of 39.3 and 90 % of each point source of a simulation, with angle and median energy.

    The background is that of a ring. None of these sources was used for the table.
    """
    truth = json.loads((shared_data / f"sim/truth/{obsid}.json").read_text())
    (path,) = (shared_data / f"sim/{obsid}/primary").glob("*N001_evt2.fits.gz")
    with EventFile.open(path) as events:
        pointing, rows = Pointing.of(events.header), np.concatenate(list(events.chunks()))
    hrc = focal_plane_of(pointing) == "HRC"
    energy = np.full(len(rows), 1500.0) if hrc else rows["energy"]
    rows, energy = (column[(energy >= keep[0]) & (energy < keep[1])] for column in (rows, energy))
    sky, found = np.column_stack([rows["x"], rows["y"]]), {}
    for source in (s for s in truth["sources"] if s.get("type") != "BETA"):
        place = sky_position(pointing, source)
        angle = float(np.hypot(*(place - pointing.detector.center))) * pointing.detector.pixel / 60
        offset, size = (sky - place) * pointing.detector.pixel, 8 * max(1.0, (angle / 5) ** 2)
        for _ in range(5):
            offset = offset - offset[np.hypot(*offset.T) < size / 2].mean(axis=0)
        radius = np.hypot(*offset.T)
        density = np.count_nonzero((radius > 1.2 * size) & (radius < 2 * size)) / (2.56 * np.pi * size**2)
        inside = np.sort(radius[radius < size])
        net = np.arange(1, len(inside) + 1) - density * np.pi * inside**2
        found[source["name"]] = {
            "angle": angle,
            "energy": float(np.median(energy[radius < size])) / 1000,
            "r39": float(inside[np.argmax(net > 0.393 * net[-1])]),
            "r90": float(inside[np.argmax(net > 0.9 * net[-1])]),
        }
    return found


def error(plane: str, fraction: float, energy: float, source: dict[str, float]) -> float:
    """Relative error of the table's radius."""
    radius = psf_radius(plane, fraction, energy, np.array([source["angle"]]))[0]
    return float(radius / source["r39" if fraction == 0.393 else "r90"] - 1)


@pytest.mark.parametrize(("obsid", "plane", "number"), [(90001, "ACIS-I", 5), (90002, "ACIS-S", 7)])
def test_acis_radii_are_those_of_sources_that_the_table_has_not_seen(
    shared_data: Path, obsid: int, plane: str, number: int
) -> None:
    sources = measure(shared_data, obsid)
    assert len(sources) == number
    for name, source in sources.items():
        for fraction in (0.393, 0.9):
            limit = 0.1 if source["angle"] < 5 else 0.15
            assert abs(error(plane, fraction, source["energy"], source)) < limit, (name, fraction, source)


def test_hrc_radii_are_right_on_the_axis_and_within_20_percent_at_3_arcmin(shared_data: Path) -> None:
    sources = measure(shared_data, 90004)
    for fraction in (0.393, 0.9):
        assert abs(error("HRC", fraction, 1.5, sources["s1"])) < 0.1
        assert abs(error("HRC", fraction, 1.5, sources["s2"])) < 0.2


def test_hard_photons_are_scattered_farther(shared_data: Path) -> None:
    radii = []
    for band in ((500, 2000), (4000, 7000)):
        source = measure(shared_data, 90002, band)["bright"]
        assert abs(error("ACIS-S", 0.9, source["energy"], source)) < 0.1
        radii.append(source["r90"])
    assert radii[1] > 1.4 * radii[0]


def test_larger_fractions_need_larger_radii_everywhere() -> None:
    fractions, angles = np.linspace(0.001, 1, 60), np.linspace(0, 40, 90)
    for plane in ("ACIS-I", "ACIS-S", "HRC"):
        for energy in (0.1, 1.0, 2.3, 10.0):
            radii = np.array([psf_radius(plane, fraction, energy, angles) for fraction in fractions])
            assert (np.diff(radii, axis=0) >= 0).all()
            assert (np.diff(radii, axis=1) >= 0).all()
            assert (radii > 0).all()
    aperture = psf_radius("HRC", 1.0, 1.5, np.array([0.0, 5.0, 10.0]))
    np.testing.assert_allclose(aperture, [8, 8, 32])


@pytest.mark.parametrize(
    ("detector", "sim_z", "plane"),
    [(ACIS, -233.6, "ACIS-I"), (ACIS, -190.1, "ACIS-S"), (ACIS, -182.1, "ACIS-S"), (HRC_I, 126.98, "HRC")],
)
def test_the_array_at_the_aimpoint_follows_from_the_position_of_the_instruments(
    detector: Any, sim_z: float, plane: str
) -> None:
    assert focal_plane_of(Pointing(detector, (-0.7, 0.0, sim_z), 10.0, -60.0, 30.0)) == plane


def test_the_off_axis_angle_is_zero_at_the_pointing() -> None:
    pointing = Pointing(ACIS, (-0.7, 0.0, -190.0), 10.0, -60.0, 30.0)
    grid = parse_grid("4094.5:4098.5:1,4094.5:4098.5:1")
    angle = off_axis_map(pointing, grid, Attitude(10.0, -60.0 + 1 / 3600, 30.0))
    # One arcsec to the north is 2.03 pixels up, at y = 4098.53; the first rows' pixels are at 4095 and 4098.
    assert np.unravel_index(angle.argmin(), grid.shape) in [(3, 1), (3, 2)]
    assert angle[0, 1] * 60 == pytest.approx(np.hypot(0.5, 3.5325) * 0.492, rel=1e-3)
