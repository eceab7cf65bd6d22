"""Exposure maps are exact in their sums and in every pixel, and agree with one made by CIAO."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits
from scipy.ndimage import uniform_filter

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import make_gti, read_gtis
from chandra_runner.fits.reader import read_hdus
from chandra_runner.native.aspect import read_aspect
from chandra_runner.native.count_image import count_images
from chandra_runner.native.detectors import ACIS
from chandra_runner.native.effective_area import vignetting
from chandra_runner.native.exposure_map import ChipExposure, exposure_map, mean_attitude, sample_times
from chandra_runner.native.field_of_view import Companions, load_field_of_view
from chandra_runner.native.geometry import (
    Attitude,
    Pointing,
    chip_to_focal,
    rays,
    rays_to_chip,
    rays_to_sky,
    sky_to_rays,
)
from chandra_runner.native.good_pixels import good_fraction, read_bad_pixels, read_mask
from chandra_runner.native.grid import Grid, parse_grid
from chandra_runner.native.psf import off_axis_map
from chandra_runner.regions.region import parse_region

from .fields import companions, events_path, field_of

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


@pytest.fixture(scope="module")
def flight(shared_data):
    """ObsID 22136 on the archive's own image: counts, exposure, and exposure of each chip, s."""
    directory = shared_data / "real/22136"
    image = directory / "primary/acisf22136N001_full_img2.fits.gz"
    counts, header = fits.getdata(image, header=True)
    pointing, good_times = Pointing.of(header), read_gtis(read_hdus(image)[1:])
    files = companions(directory)
    aspect = read_aspect(files.asol)
    bad, masks = read_bad_pixels(files.badpix, ACIS), read_mask(files.mask, ACIS)
    grid = Grid(header["CRVAL1P"], header["CRVAL2P"], 8, nx=header["NAXIS1"], ny=header["NAXIS2"])
    of_chips = []
    for chip, gti in good_times.by_chip.items():
        middle, length = sample_times(gti)
        good = good_fraction(ACIS.chip(chip), masks[chip], bad[chip])
        exposed = ChipExposure(chip, aspect.at(middle), length * header["DTCOR"], good)
        of_chips.append(exposure_map(pointing, grid, [exposed]))
    return counts, sum(of_chips), of_chips


def test_no_count_of_a_flight_observation_lies_where_there_is_no_exposure(flight):
    counts, exposure, _ = flight
    assert counts.sum() == 172_887
    assert counts[exposure == 0].sum() == 0


def test_counts_by_exposure_are_the_same_at_the_edges_of_flight_chips_as_inside(flight):
    """Between 30 % and 100 % of the exposure, chip by chip, without sources."""
    counts, exposure, of_chips = flight
    steps = [0.3, 0.5, 0.7, 0.9, 1.001]
    found, expected = np.zeros((2, len(steps) - 1))
    for seconds in of_chips:
        # Chips differ in their background, so only pixels that no other chip saw are used, and each chip is
        # compared with its own mean. A source is where 7 x 7 pixels have 1.5 times that.
        alone = (seconds > 0) & (exposure - seconds < 1e-6 * exposure.max())
        here = np.where(alone, seconds, 0) / exposure.max()
        events = np.where(alone, counts, 0).astype(float)
        near = events.sum() / here.sum() * uniform_filter(here, 7)
        quiet = alone & (uniform_filter(events, 7) < 1.5 * near)
        mean = events[quiet].sum() / here[quiet].sum()
        found += np.histogram(here[quiet], steps, weights=events[quiet])[0]
        expected += mean * np.histogram(here[quiet], steps, weights=here[quiet])[0]
    # The fewest counts are 2,300: 2.1 % by chance.
    assert found.min() > 2000
    np.testing.assert_allclose(found / expected, 1, atol=0.05)


@pytest.mark.parametrize("step", [1, 4, 8])
def test_counts_by_exposure_are_the_same_at_the_edge_of_a_cut_as_inside(shared_data, step):
    """A pixel that the edge of the region divides has the exposure of the part that is inside."""
    field = field_of(shared_data / "sim/90001")
    region = parse_region("Ellipse(4100,4100,120.3,80.7,25)&!Circle(4120,4090,30.4)")
    cut = [replace(chip, region=region) for chip in field.chips]
    grid = Grid.cover(region.extent, step)
    exposure = exposure_map(field.pointing, grid, cut)
    whole = exposure_map(field.pointing, grid, field.chips)
    # Events that are evenly spread over the sky, of which those inside the region are left.
    random = np.random.default_rng(4)
    x = grid.x0 + random.uniform(0, grid.nx * step, 400_000)
    y = grid.y0 + random.uniform(0, grid.ny * step, 400_000)
    kept = region.contains(x, y)
    events = np.rec.fromarrays([x[kept], y[kept]], names="x,y")
    (counts,) = count_images([events], grid, None)
    part = exposure / whole
    edge = (part > 0) & (part < 0.999)
    # Parts of less than 1/64 of a pixel can be missed: the default threshold is 1.5 %, about the same.
    assert counts[part == 0].sum() <= 1e-4 * counts.sum()
    density = 400_000 / (grid.nx * grid.ny)
    assert counts[edge].sum() / part[edge].sum() == pytest.approx(density, rel=0.03)
    assert counts[~edge].sum() / part[~edge].sum() == pytest.approx(density, rel=0.03)
    assert part.sum() * step**2 == pytest.approx(np.pi * (120.3 * 80.7 - 30.4**2), rel=0.002)


def test_a_list_that_ciao_cut_has_exposure_in_its_region_only(shared_data):
    """Three source lists, with neither aspect solution nor other files."""
    for obsid, chip, area in (("11843", 3, 20.279), ("15043", 7, 20.279)):
        with EventFile.open(shared_data / f"real/reference/ltc1/{obsid}_source_evt2.fits.gz") as events:
            field = load_field_of_view(events, Companions())
            grid = Grid.cover(field.extent, 1)
            (counts,) = count_images(events.chunks(), grid, None)
        exposure = exposure_map(field.pointing, grid, field.chips)
        livetime = events.header[f"LIVTIME{chip}"]
        assert counts[exposure > 0].sum() == events.nrows
        assert exposure.max() == pytest.approx(livetime, rel=1e-6)
        assert exposure.sum() == pytest.approx(area * livetime, rel=0.002)


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
