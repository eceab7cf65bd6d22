"""Exposure maps are exact in their sums and in every pixel, and agree with one made by CIAO."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import make_gti
from chandra_runner.native.count_image import count_images
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.effective_area import vignetting
from chandra_runner.native.exposure_map import exposure_map, mean_attitude, sample_times
from chandra_runner.native.field_of_view import Companions, load_field_of_view
from chandra_runner.native.geometry import (
    Attitude,
    chip_to_focal,
    rays,
    rays_to_chip,
    rays_to_sky,
    sky_to_rays,
)
from chandra_runner.native.grid import Grid, parse_grid
from chandra_runner.native.psf import off_axis_map

from .fields import events_path, field_of

SIMULATED = ["90001", "90002", "90003", "90004"]
FAR_AND_TILTED = {("90002", 2), ("90002", 3)}
"""Chips whose pixels look 0.504 % and 0.511 % smaller than sky pixels: 15' from the aimpoint on chip 7."""


def whole_sky(field):
    """A grid over all sky pixels, with the default size of an image pixel."""
    detector = field.pointing.detector
    step = 4 if detector is ACIS else 16
    return Grid(0.5, 0.5, step, nx=detector.size // step, ny=detector.size // step)


def block_of(field, chip):
    return field.pointing.detector.chip(chip.number).nx // chip.good.shape[1]


def pixel_area(field, chip):
    """Solid angle of a chip's pixel by that of a sky pixel: 0.995 to 0.999."""
    pointing, whole = field.pointing, field.pointing.detector.chip(chip.number)
    mean = mean_attitude(chip.attitude, chip.seconds)
    x, y = rays_to_sky(pointing, rays(chip_to_focal(pointing, chip.number, *whole.corners), mean), mean)
    return abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1))) / 2 / (whole.nx * whole.ny)


@pytest.mark.parametrize("obsid", SIMULATED)
def test_the_map_of_a_chip_sums_to_its_good_pixels_times_its_livetime(shared_data, obsid):
    field = field_of(shared_data / "sim" / obsid)
    grid = whole_sky(field)
    for chip in field.chips:
        good = chip.good.sum(dtype=float) * block_of(field, chip) ** 2
        total = exposure_map(field.pointing, grid, [chip]).sum() * grid.step**2
        assert total == pytest.approx(good * pixel_area(field, chip) * chip.seconds.sum(), rel=5e-5)
        if (obsid, chip.number) not in FAR_AND_TILTED:
            assert total == pytest.approx(good * chip.seconds.sum(), rel=0.005)


@pytest.mark.parametrize("obsid", SIMULATED)
def test_the_exposure_is_the_livetime_inside_a_chip_and_zero_outside_all(shared_data, obsid):
    field = field_of(shared_data / "sim" / obsid)
    grid = whole_sky(field)
    total = exposure_map(field.pointing, grid, field.chips)
    longest = max(chip.seconds.sum() for chip in field.chips)
    assert total.max() == pytest.approx(longest, rel=1e-6)
    header = fits.getheader(events_path(shared_data / "sim" / obsid), "EVENTS")
    assert longest == pytest.approx(header["LIVETIME"], rel=1e-4)
    covered = np.count_nonzero(total) * grid.step**2
    pixels = sum(np.count_nonzero(chip.good) * block_of(field, chip) ** 2 for chip in field.chips)
    assert pixels * 0.97 < covered < pixels * 1.2


@pytest.mark.parametrize(("obsid", "number"), [("90002", 8), ("90001", 0), ("90004", 3)])
def test_every_pixel_equals_the_sum_over_the_whole_dither(shared_data, obsid, number):
    """For places all over a chip: how long did the place fall on a good pixel?"""
    field = field_of(shared_data / "sim" / obsid)
    chip = next(chip for chip in field.chips if chip.number == number)
    pointing, block = field.pointing, block_of(field, chip)
    step = 4 if pointing.detector is ACIS else 16
    mean = mean_attitude(chip.attitude, chip.seconds)
    whole = pointing.detector.chip(number)
    generator = np.random.default_rng(5)
    center_x = generator.uniform(-30, whole.nx + 30, 150)
    center_y = generator.uniform(-30, whole.ny + 30, 150)
    if obsid == "90002":  # half of them around the excluded window
        center_x[:75], center_y[:75] = generator.uniform(380, 540, 75), generator.uniform(280, 460, 75)
    sky = rays_to_sky(pointing, rays(chip_to_focal(pointing, number, center_x, center_y), mean), mean)
    found, expected = [], []
    inside = (np.arange(8) + 0.5) / 8 * step
    for x, y in zip(*sky, strict=True):
        grid = Grid(x, y, step, nx=1, ny=1)
        found.append(exposure_map(pointing, grid, [chip])[0, 0])
        every = slice(None, None, 7)
        names = ("ra", "dec", "roll", "dy", "dz", "dtheta")
        attitude = Attitude(**{name: getattr(chip.attitude, name)[every, None, None] for name in names})
        at_x, at_y = np.meshgrid(x + inside, y + inside)
        ray = sky_to_rays(pointing, at_x, at_y, attitude)
        chipx, chipy = rays_to_chip(pointing, number, ray, attitude)
        column = np.floor((chipx - 0.5) / block).astype(int)
        row = np.floor((chipy - 0.5) / block).astype(int)
        ny, nx = chip.good.shape
        hit = (column >= 0) & (column < nx) & (row >= 0) & (row < ny)
        good = np.where(hit, chip.good[np.clip(row, 0, ny - 1), np.clip(column, 0, nx - 1)], 0)
        weight = chip.seconds[every]
        expected.append(np.average(good.mean(axis=(1, 2)), weights=weight) * chip.seconds.sum())
    away = (np.array(found) - expected) / chip.seconds.sum()
    assert np.ptp(expected) > 0.5 * chip.seconds.sum()
    assert np.abs(away).max() < 0.02
    assert np.sqrt(np.mean(away**2)) < 0.004


def test_an_excluded_window_has_no_exposure(shared_data):
    field = field_of(shared_data / "sim/90002")
    chip = next(chip for chip in field.chips if chip.number == 8)
    mean = mean_attitude(chip.attitude, chip.seconds)
    place = np.array([460.5]), np.array([370.5])  # the middle of columns 401 to 520, rows 301 to 440
    x, y = rays_to_sky(field.pointing, rays(chip_to_focal(field.pointing, 8, *place), mean), mean)
    grid = Grid(x[0] - 120, y[0] - 120, 4, nx=60, ny=60)
    exposure = exposure_map(field.pointing, grid, [chip])
    assert exposure[30, 30] == 0
    assert exposure[0, 0] == pytest.approx(chip.seconds.sum(), rel=0.03)


def test_bad_pixels_lower_the_map(shared_data):
    field = field_of(shared_data / "sim/90001")
    grid = whole_sky(field)
    chip = field.chips[0]
    healthy = replace(chip, good=np.ones_like(chip.good))
    lower = exposure_map(field.pointing, grid, [healthy]) - exposure_map(field.pointing, grid, [chip])
    missing = (1 - chip.good.astype(float)).sum() * pixel_area(field, chip) * chip.seconds.sum()
    assert lower.min() > -1e-6 * chip.seconds.sum()
    assert lower.sum() * grid.step**2 == pytest.approx(missing, rel=0.01)


def test_a_part_of_the_field_has_the_same_exposure(shared_data):
    """The image of a user's own grid is a cut-out, wherever its edges are."""
    field = field_of(shared_data / "sim/90002")
    whole = exposure_map(field.pointing, Grid(3000.5, 3000.5, 4, nx=250, ny=250), field.chips)
    part = exposure_map(field.pointing, Grid(3400.5, 3200.5, 4, nx=40, ny=60), field.chips)
    np.testing.assert_allclose(part, whole[50:110, 100:140], rtol=1e-9)
    beside = exposure_map(field.pointing, Grid(0.5, 0.5, 4, nx=20, ny=20), field.chips)
    assert not beside.any()


def test_finer_pixels_have_the_same_exposure_on_average(shared_data):
    field = field_of(shared_data / "sim/90001")
    coarse = exposure_map(field.pointing, Grid(3000.5, 3000.5, 8, nx=50, ny=50), field.chips)
    fine = exposure_map(field.pointing, Grid(3000.5, 3000.5, 0.5, nx=800, ny=800), field.chips)
    averaged = fine.reshape(50, 16, 50, 16).mean(axis=(1, 3))
    assert np.abs(averaged - coarse).max() < 0.005 * coarse.max()


def test_the_exposure_map_of_flight_data_is_that_of_ciao(shared_data):
    """ObsID 754: counts by CIAO's flux image are CIAO's exposure map."""
    flux = fits.getdata(shared_data / "real/reference/754/acisf00754_2.1-10keV_flux.img.gz").astype(float)
    grid = parse_grid("3142:5258:4,3278:5238:4")
    with EventFile.open(events_path(shared_data / "real/754")) as events:
        field = load_field_of_view(events, Companions())
        counts = count_images(events.chunks(), grid, [(2100.0, 10000.0)])[0]
    assert "no aspect solution" in field.notes[0]
    seconds = exposure_map(field.pointing, grid, field.chips)
    assert counts[seconds == 0].sum() == 0
    ours = seconds * vignetting(2.5, off_axis_map(field.pointing, grid, field.mean))
    lit = (flux > 0) & (counts > 0)
    theirs = np.divide(counts, flux, out=np.zeros(flux.shape), where=lit)
    high = lit & (theirs > 0.5 * theirs.max())

    def sums(pixels):
        squares = np.where(high, pixels, 0)[: 7 * 70, : 7 * 75]
        return squares.reshape(70, 7, 75, 7).sum(axis=(1, 3))

    some = sums(np.ones(flux.shape)) > 0
    ratio = sums(theirs)[some] / sums(ours)[some]
    constant = np.median(ratio)
    assert constant == pytest.approx(224, abs=3)  # cm2
    low5, low16, high84, high95 = np.percentile(ratio / constant, [5, 16, 84, 95])
    assert 0.97 < low16 < high84 < 1.03
    assert 0.95 < low5 < high95 < 1.05


def test_samples_cover_the_good_times():
    gti = make_gti([0, 10.0, 20.0], [2.5, 10.2, 23.0])
    middle, length = sample_times(gti)
    assert length.sum() == pytest.approx(gti.total())
    assert length.max() <= 1
    np.testing.assert_allclose(middle[:4], [2.5 / 6, 1.25, 2.5 * 5 / 6, 10.1])


def test_slew_data_are_refused(shared_data):
    field = field_of(shared_data / "sim/90002")
    chip = field.chips[0]
    slew = replace(chip.attitude, dec=chip.attitude.dec + np.linspace(0, 5, len(chip.seconds)))
    with pytest.raises(DataError, match="slew"):
        exposure_map(field.pointing, whole_sky(field), [replace(chip, attitude=slew)])
