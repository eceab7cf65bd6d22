"""rate_image: sources in their places, exposures that agree with counts, and the same bytes each time."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from astropy import units as u
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.stages.job import Product
from chandra_runner.stages.outcome import Excluded
from chandra_runner.stages.rate_image import RateImage, run_native

from ...event_files import assert_sound
from ...native.fields import wcs_of
from ..image_jobs import image_job, link_events, made

BANDS = {"90001": "broad", "90002": "broad", "90003": "wide", "90004": "wide"}
ROLES = ("image", "expmap", "rate", "psfmap")


@pytest.fixture(scope="session")
def images(shared_data, tmp_path_factory):
    """The job of a simulated ObsID, done, with the default settings but for one band."""
    done = {}

    def make(obsid):
        if obsid not in done:
            work = tmp_path_factory.mktemp(obsid)
            done[obsid] = image_job(RateImage, shared_data / "sim" / obsid, work, bands=["broad"])
            run_native(done[obsid])
        return done[obsid]

    return make


def true_sources(shared_data):
    for obsid in BANDS:
        truth = json.loads((shared_data / f"sim/truth/{obsid}.json").read_text())
        yield from ((obsid, source) for source in truth["sources"])


def centroid(image, seen, x, y, radius):
    """Mean place of the counts around a place, background taken off, until it stays."""
    around = tuple(
        slice(max(int(c - 4 * radius), 0), min(int(c + 4 * radius), size))
        for c, size in zip((y, x), image.shape, strict=True)
    )
    row, column = np.mgrid[around]
    image, seen = image[around], seen[around]
    ring = (np.hypot(column - x, row - y) > 2 * radius) & (np.hypot(column - x, row - y) < 3 * radius + 2)
    background = image[ring & seen].mean()
    for _ in range(10):
        near = (np.hypot(column - x, row - y) < radius) & seen
        weight = image[near] - background
        x, y = np.average(column[near], weights=weight), np.average(row[near], weights=weight)
    return x, y


def test_every_source_is_in_its_true_place(shared_data, images):
    """Within 1 arcsec, and 2.5 for the one that lies across a chip gap far off the axis."""
    seen_sources = 0
    for obsid, source in true_sources(shared_data):
        job, band = images(obsid), BANDS[obsid]
        image = fits.getdata(made(job, "image", band)).astype(float)
        header = fits.getheader(made(job, "image", band))
        exposure, psf = (fits.getdata(made(job, role, band)) for role in ("expmap", "psfmap"))
        scale = header["CDELT2"] * 3600
        x, y = (float(c) for c in wcs_of(header).world_to_pixel_values(source["ra"], source["dec"]))
        # 90 % of the counts times 1.5; the cluster is judged by what is within 40 arcsec.
        width = 40 if source["name"] == "cluster" else 1.5 * psf[round(y), round(x)]
        found = centroid(image, exposure > 0, x, y, max(width / scale, 3))
        off = np.hypot(found[0] - x, found[1] - y) * scale
        assert off < (2.5 if source["name"] == "off6" else 1.0), (obsid, source["name"], off)
        seen_sources += 1
    assert seen_sources == 19


@pytest.mark.parametrize("obsid", BANDS)
def test_the_rate_times_the_exposure_gives_the_counts(images, obsid):
    job = images(obsid)
    counts, exposure, rate = (fits.getdata(made(job, role, BANDS[obsid])) for role in ROLES[:3])
    np.testing.assert_allclose(rate * exposure, counts, rtol=1e-5)
    assert not counts[exposure == 0].any()
    assert counts.sum() > 2000


def test_a_source_in_a_gap_keeps_its_rate(shared_data, images):
    """pt5 of 90001 was seen for half of the time; by the truth it is as bright as its photons say."""
    job = images("90001")
    header = fits.getheader(made(job, "image", "broad"))
    counts, exposure, rate = (fits.getdata(made(job, role, "broad")) for role in ROLES[:3])
    truth = json.loads((shared_data / "sim/truth/90001.json").read_text())
    by_name = {source["name"]: source for source in truth["sources"]}
    row, column = np.indices(counts.shape)

    def rate_of(name):
        source = by_name[name]
        x, y = wcs_of(header).world_to_pixel_values(source["ra"], source["dec"])
        near, ring = (np.hypot(column - x, row - y) < size for size in (4, 10))
        background = rate[ring & ~near].mean()
        flux = source["photon_flux_0.5_7keV_ph_cm2_s"]
        return (rate[near] - background).sum() / flux, exposure[near].mean() / exposure.max()

    seen_fully, whole = rate_of("pt1")
    seen_half, half = rate_of("pt5")
    assert whole > 0.95
    assert half < 0.6
    assert seen_half == pytest.approx(seen_fully, rel=0.2)


def test_products_carry_the_names_of_fluximage_and_are_sound_files(images):
    job = images("90002")
    names = {p.role: p.path.name for p in job.products if p.role != "plot"}
    assert names == {
        "image": "acisf90002_broad_thresh.img",
        "expmap": "acisf90002_broad_thresh.expmap",
        "rate": "acisf90002_broad_flux.img",
        "psfmap": "acisf90002_broad_thresh.psfmap",
    }
    units = {"image": "count", "expmap": "s", "rate": "count s-1", "psfmap": "arcsec"}
    for role, unit in units.items():
        path = made(job, role, "broad")
        assert_sound(path)
        header = fits.getheader(path)
        assert (header["BUNIT"], header["BAND"], header["OBS_ID"]) == (unit, "broad", "90002")
        assert path.with_name(f"{path.name}.png").read_bytes().startswith(b"\x89PNG")
    history = " ".join(fits.getheader(made(job, "psfmap", "broad"))["HISTORY"])
    assert "PSF radii: ACIS-S, 2.3 keV, MARX 5.5.3 simulations" in history
    assert len([p for p in job.products if p.role == "plot"]) == 4
    assert not job.warnings


@pytest.mark.parametrize("obsid", BANDS)
def test_images_of_one_bin_size_share_their_pixels(images, obsid):
    header = fits.getheader(made(images(obsid), "image", BANDS[obsid]))
    for axis in "12":
        low, step = header[f"CRVAL{axis}P"], header[f"CDELT{axis}P"]
        assert step == (4 if BANDS[obsid] == "broad" else 16)
        assert (low - 0.5) % step == 0


def test_hrc_has_one_band(images):
    job = images("90003")
    assert {p.band for p in job.products} == {"wide"}
    assert made(job, "image", "wide").name == "hrcf90003_wide_thresh.img"
    events = fits.getheader(job.inputs["cleaned_chandra_evts", "events"][0].path, "EVENTS")
    assert fits.getdata(made(job, "image", "wide")).sum() > 0.999 * events["NAXIS2"]


def test_the_same_products_come_out_in_another_directory(shared_data, images, tmp_path):
    first = images("90002")
    again = image_job(RateImage, shared_data / "sim/90002", tmp_path / "elsewhere", bands=["broad"])
    run_native(again)
    for one, other in zip(first.products, again.products, strict=True):
        assert one.path.read_bytes() == other.path.read_bytes(), one.path.name


def test_without_companions_the_exposure_is_nearly_the_same_and_this_is_said(shared_data, images, tmp_path):
    roles = ("asol", "badpix", "mask", "fov")
    extent = "3258.5:6074.5:4,1730.5:6010.5:4"
    job = image_job(RateImage, shared_data / "sim/90002", tmp_path, *roles, bands=["broad"], xygrid=extent)
    run_native(job)
    told = " ".join(job.warnings)
    for words in ("the dither is rebuilt", "no mask file", "no bad-pixel file", "no field-of-view file"):
        assert words in told
        assert words in str(fits.getheader(made(job, "expmap", "broad"))["HISTORY"]).replace("\n", "")
    with_all = image_job(RateImage, shared_data / "sim/90002", tmp_path / "b", bands=["broad"], xygrid=extent)
    run_native(with_all)
    poor, full = (fits.getdata(made(j, "expmap", "broad")) for j in (job, with_all))
    # Bad pixels and the excluded window apart, which only the files tell.
    assert np.quantile(np.abs(poor - full), 0.9) < 0.01 * full.max()


def test_a_list_that_was_cut_to_a_region_has_exposure_there_only(shared_data, tmp_path):
    """ObsID 11843: CIAO cut the events of a source to an ellipse."""
    raw = tmp_path / "11843"
    (raw / "primary").mkdir(parents=True)
    source = shared_data / "real/reference/ltc1/11843_source_evt2.fits.gz"
    (raw / "primary/acisf11843N001_evt2.fits.gz").symlink_to(source)
    job = image_job(RateImage, raw, tmp_path / "work", bands=["0.1:10:2"], acis_bin_size=1, psf_ecf=None)
    run_native(job)
    counts, exposure, rate = (fits.getdata(made(job, role, "0.1-10")) for role in ROLES[:3])
    header = fits.getheader(made(job, "expmap", "0.1-10"))
    assert (header["CRVAL1P"], header["CRVAL2P"], *exposure.shape) == (4111.5, 4073.5, 6, 6)
    energy = fits.getdata(source, "EVENTS")["energy"]
    assert counts.sum() == np.count_nonzero((energy >= 100) & (energy < 10_000)) > 880
    assert exposure[0, 0] == rate[0, 0] == 0
    assert exposure.sum() == pytest.approx(np.pi * 2.54065**2 * exposure.max(), rel=0.002)
    assert in_history("exposure only in the sky region to which the events were cut", header)
    assert not any("region" in warning for warning in job.warnings)


def test_a_region_that_cannot_be_read_is_a_warning_and_in_the_header(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["broad"], acis_bin_size=16)
    with fits.open(job.inputs["cleaned_chandra_evts", "events"][0].path) as hdus:
        hdus["EVENTS"].header.update(DSTYP20="sky(x,y)", DSVAL20="MASK&Circle(4096,4096,9)")
        hdus.writeto(tmp_path / "cut.fits")
    product = link_events(tmp_path / "cut", tmp_path / "cut.fits", "acisf90006")
    job = replace(job, inputs={**job.inputs, ("cleaned_chandra_evts", "events"): (product,)})
    run_native(job)
    words = "the exposure map covers the whole chips, so rates are too low where events were cut away"
    assert any(words in warning for warning in job.warnings)
    for role in ("expmap", "rate"):
        assert in_history(words, fits.getheader(made(job, role, "broad")))


def in_history(words, header):
    """Whether HISTORY has some words; lines are broken anywhere and blanks at their ends are lost."""
    return words.replace(" ", "") in "".join(map(str, header["HISTORY"])).replace(" ", "")


def test_an_xygrid_is_taken_as_it_is(shared_data, tmp_path):
    grid = "3500:4300:2,3900:4500:2"
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["broad"], xygrid=grid)
    run_native(job)
    header = fits.getheader(made(job, "rate", "broad"))
    assert (header["NAXIS1"], header["NAXIS2"]) == (400, 300)
    assert (header["CRVAL1P"], header["CRVAL2P"], header["CDELT1P"]) == (3500, 3900, 2)


def test_a_grid_beside_the_field_is_refused(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["broad"], xygrid="1:99:2,1:99:2")
    with pytest.raises(DataError, match="the image is outside the field of view; check xygrid"):
        run_native(job)


def test_a_size_that_no_machine_can_hold_is_refused(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90003", tmp_path, hrc_bin_size=0.5)
    with pytest.raises(DataError, match="use larger pixels"):
        run_native(job)


def test_without_threshold_and_psf_there_is_neither(shared_data, tmp_path):
    settings = {"bands": ["soft"], "expmap_threshold": 0 * u.percent, "psf_ecf": None}
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, **settings)
    run_native(job)
    names = sorted(p.path.name for p in job.products if p.role != "plot")
    assert names == ["acisf90006_soft.expmap", "acisf90006_soft.img", "acisf90006_soft_flux.img"]


def test_all_of_a_source_is_what_is_in_the_aperture_of_the_table(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["soft"], psf_ecf=1.0)
    run_native(job)
    assert np.nanmin(fits.getdata(made(job, "psfmap", "soft"))) == 8
    assert "no radius encloses all of a source" in " ".join(job.warnings)


def test_psf_maps_have_the_radii_of_their_band_and_none_outside_the_field(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["soft", "hard"], acis_bin_size=32)
    run_native(job)
    smallest = []
    for band in ("soft", "hard"):
        exposure, psf = (fits.getdata(made(job, role, band)) for role in ("expmap", "psfmap"))
        np.testing.assert_array_equal(np.isnan(psf), exposure == 0)
        smallest.append(np.nanmin(psf))
    assert 0.7 < smallest[0] < smallest[1] < 1.1


def test_bands_of_one_run_share_grid_and_exposure(shared_data, tmp_path):
    bands = ["broad", "CSC", "0.3:2.0:0.9"]
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=bands)
    run_native(job)
    names = ["broad", "soft", "medium", "hard", "0.3-2.0"]
    assert list(dict.fromkeys(p.band for p in job.products)) == names
    counts = {name: fits.getdata(made(job, "image", name)).astype(int) for name in names}
    np.testing.assert_array_equal(counts["soft"] + counts["medium"] + counts["hard"], counts["broad"])


def test_a_band_that_was_cut_away_is_told(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["0.1:0.105:0.1"])
    run_native(job)
    assert "no events in 0.1-0.105" in " ".join(job.warnings)


def test_dispersed_events_are_told_where_no_column_tells_the_order(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90005", tmp_path, bands=["broad"])
    run_native(job)
    assert "no column tg_m" in " ".join(job.warnings)


def test_continuous_clocking_has_no_image(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path)
    with fits.open(job.inputs["cleaned_chandra_evts", "events"][0].path) as hdus:
        hdus["EVENTS"].header["READMODE"] = "CONTINUOUS"
        hdus.writeto(tmp_path / "continuous.fits")
    product = link_events(tmp_path / "cc", tmp_path / "continuous.fits", "acisf90006")
    job = replace(job, inputs={**job.inputs, ("cleaned_chandra_evts", "events"): (product,)})
    with pytest.raises(Excluded, match="continuous clocking"):
        run_native(job)


def test_exposures_have_images_of_their_own(shared_data, tmp_path):
    """The two exposures of an interleaved observation share their aspect solution."""
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["broad"])
    both = {}
    for exposure in ("e1", "e2"):
        source = next((shared_data / "sim/90006/primary").glob(f"*_{exposure}_evt2.fits.gz"))
        both[exposure] = replace(
            link_events(tmp_path / exposure, source, f"acisf90006{exposure}"), exposure=exposure
        )
    aspect = [p.path for p in job.inputs["chandra_repro", "asol"]]
    inputs = {
        ("cleaned_chandra_evts", "events"): tuple(both.values()),
        ("chandra_repro", "asol"): tuple(Product("asol", path, e) for e in both for path in aspect),
    }
    job = replace(job, inputs=inputs)
    run_native(job)
    images = {p.exposure: p.path.name for p in job.products if p.role == "image"}
    assert images == {"e1": "acisf90006e1_broad_thresh.img", "e2": "acisf90006e2_broad_thresh.img"}
    seconds = {p.exposure: fits.getdata(p.path).max() for p in job.products if p.role == "expmap"}
    for exposure, product in both.items():
        livetime = fits.getheader(product.path, "EVENTS")["LIVETIME"]
        assert seconds[exposure] == pytest.approx(livetime, rel=1e-3)


def test_a_damaged_mask_is_named_with_its_exposure(shared_data, tmp_path):
    job = image_job(RateImage, shared_data / "sim/90006", tmp_path, bands=["broad"])
    broken = tmp_path / "broken_msk1.fits"
    broken.write_bytes(b"SIMPLE  =                    T" + b" " * 100)
    job = replace(job, inputs={**job.inputs, ("chandra_repro", "mask"): (Product("mask", broken, "E001"),)})
    with pytest.raises(DataError, match=r"broken_msk1.fits"):
        run_native(job)
