"""Count images are those of CFITSIO, and thresholds apply to all images of a band."""

from __future__ import annotations

import shutil
import subprocess

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.count_image import ZerothOrder, apply_exposure_threshold, count_images
from chandra_runner.native.grid import Grid, parse_grid

BANDS = [(500.0, 7000.0), (500.0, 1200.0), (1200.0, 2000.0), (2000.0, 7000.0), (200.0, 400.0)]
REFERENCE_GRID = "3142:5258:4,3278:5238:4"


def events_of(rows, **more):
    """Events at x, y with an energy."""
    names = ["x", "y", "energy", *more]
    events = np.zeros(len(rows), dtype=[(name, ">f4") for name in names])
    for name, column in zip(names, [*np.transpose(rows), *more.values()], strict=True):
        events[name] = column
    return events


def test_count_images_have_counts_where_the_flux_image_of_ciao_has(shared_data):
    flux = fits.getdata(shared_data / "real/reference/754/acisf00754_2.1-10keV_flux.img.gz")
    with EventFile.open(shared_data / "real/754/primary/acisf00754N001_evt2.fits.gz") as file:
        counts = count_images(file.chunks(), parse_grid(REFERENCE_GRID), [(2100.0, 10000.0)])[0]
    assert np.count_nonzero(flux) == 57188
    assert np.count_nonzero((counts > 0) != (flux > 0)) <= 220


@pytest.mark.parametrize("name", ["3591/primary/acisf03591N003", "22130/primary/acisf22130N001"])
@pytest.mark.parametrize("kind", ["full", "cntr"])
def test_count_images_are_those_of_the_archive(shared_data, name, kind):
    """dmcopy made them from the same events of all energies, 0.15 to 15.7 keV, also outside 0.1 to 10 keV."""
    theirs, header = fits.getdata(shared_data / f"real/{name}_{kind}_img2.fits.gz", header=True)
    low_x, low_y, step = (header[key] for key in ("CRVAL1P", "CRVAL2P", "CDELT1P"))
    ny, nx = theirs.shape
    with EventFile.open(shared_data / f"real/{name}_evt2.fits.gz") as file:
        (ours,) = count_images(file.chunks(), Grid(low_x, low_y, step, nx=nx, ny=ny), None)
        if kind == "full":
            assert theirs.sum() == file.nrows
    # The range of the center images ends after 1024 pixels. Where its length was rounded up they have one
    # pixel more, which is empty.
    inside = np.s_[:1024, :1024]
    np.testing.assert_array_equal(ours[inside], theirs[inside])
    assert theirs[inside].sum() == theirs.sum() > 25_000


@pytest.mark.parametrize("form", ["i2", ">i4", ">i2", ">i8"])
def test_bands_of_integer_energies_keep_both_ends(form):
    columns = [("x", ">f4"), ("y", ">f4"), ("energy", form)]
    energies = (499, 500, 1199, 1200, 1201, 2000, 2001)
    events = np.array([(1, 1, energy) for energy in energies], dtype=columns)
    bands = [(500.0, 1200.0), (1200.0, 2000.0), (499.5, 1199.5)]
    assert count_images([events], parse_grid("0:4:4,0:4:4"), bands).ravel().tolist() == [3, 3, 2]


@pytest.mark.skipif(shutil.which("fitscopy") is None, reason="no fitscopy (Debian: libcfitsio-bin)")
def test_count_images_are_those_of_cfitsio(shared_data, tmp_path):
    path = shared_data / "real/754/primary/acisf00754N001_evt2.fits.gz"
    with EventFile.open(path) as file:
        counts = count_images(file.chunks(10_000), parse_grid(REFERENCE_GRID), BANDS)
    for number, (lo, hi) in enumerate(BANDS):
        binned = tmp_path / f"{number}.img"
        select = f"[EVENTS][energy>={lo:g}&&energy<{hi:g}][bin x=3142:5258:4,y=3278:5238:4]"
        subprocess.run(["fitscopy", f"{path}{select}", binned], check=True)
        np.testing.assert_array_equal(counts[number], fits.getdata(binned))


def test_lower_edges_are_included_and_upper_edges_are_not():
    rows = [(0, 0, 500), (4, 0, 1200), (8, 0, 600), (0, 8, 600), (-0.001, 0, 600), (3.999, 7.999, 7000)]
    counts = count_images([events_of(rows)], parse_grid("0:8:4,0:8:4"), [(500.0, 1200.0), (1200.0, 7000.0)])
    np.testing.assert_array_equal(counts, [[[1, 0], [0, 0]], [[0, 1], [0, 0]]])


def test_bands_may_overlap_and_leave_gaps():
    rows = [(1, 1, energy) for energy in (100, 300, 500, 700, 900)]
    bands = [(200.0, 800.0), (400.0, 600.0), (800.0, 1000.0), (200.0, 400.0)]
    counts = count_images([events_of(rows)], parse_grid("0:4:4,0:4:4"), bands)
    assert counts.ravel().tolist() == [3, 1, 1, 1]


def test_events_without_a_position_are_not_counted():
    rows = [(np.nan, 1, 600), (1, np.inf, 600), (1, 1, np.nan), (1, 1, 600)]
    counts = count_images([events_of(rows)], parse_grid("0:4:4,0:4:4"), [(500.0, 700.0)])
    assert counts.sum() == 1


def test_without_events_the_images_are_empty():
    grid = parse_grid("0:8:4,0:4:4")
    assert count_images([], grid, None).tolist() == [[[0, 0]]]
    assert count_images([], grid, [(500.0, 700.0), (1.0, 2.0)]).shape == (2, 1, 2)


def test_without_bands_all_events_are_counted():
    counts = count_images([events_of([(1, 1, 0), (5, 1, np.nan)])], parse_grid("0:8:4,0:4:4"), None)
    assert counts.tolist() == [[[1, 1]]]


def test_dispersed_events_are_left_out():
    events = events_of([(1, 1, 600)] * 4, tg_m=[0, 1, -1, 99])
    grid = parse_grid("0:4:4,0:4:4")
    assert count_images([events], grid, [(500.0, 700.0)], ZerothOrder(99)).sum() == 2
    assert count_images([events], grid, [(500.0, 700.0)], ZerothOrder(None)).sum() == 1


def test_pixels_with_little_exposure_are_set_to_zero():
    images = apply_exposure_threshold(
        np.array([[4, 4, 4]], dtype=np.int32), np.array([[100.0, 1.5, 1.4]]), 0.015
    )
    assert images.seen.tolist() == [[True, True, False]]
    assert images.counts.tolist() == [[4, 4, 0]]
    assert images.exposure.tolist() == [[100, 1.5, 0]]
    np.testing.assert_allclose(images.ratio, [[0.04, 8 / 3, 0]], rtol=1e-6)
    np.testing.assert_array_equal(images.of(np.ones((1, 3))), [[1, 1, np.nan]])


def test_without_a_threshold_only_pixels_without_exposure_are_set_to_zero():
    images = apply_exposure_threshold(np.array([[4, 4]], dtype=np.int32), np.array([[100.0, 0.0]]), 0.0)
    assert images.ratio.tolist() == [[pytest.approx(0.04), 0]]
    assert images.counts.tolist() == [[4, 0]]
