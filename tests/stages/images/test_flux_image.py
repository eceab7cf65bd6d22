"""flux_image: exposure maps with an effective area, and a refusal in time where there is none."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.arf import read_arf
from chandra_runner.native.caldb import quantum_efficiency
from chandra_runner.native.effective_area import vignetting
from chandra_runner.native.exposure_map import exposure_map
from chandra_runner.native.grid import parse_grid
from chandra_runner.native.psf import off_axis_map
from chandra_runner.native.quantum_efficiency import mean_quantum_efficiency
from chandra_runner.stages.flux_image import FluxImage, run_native
from chandra_runner.stages.rate_image import RateImage
from chandra_runner.stages.rate_image import run_native as run_rate_image

from ...caldb import CONTAMINATION, MIRROR, QE, add_uniformity, make_caldb
from ...native.fields import field_of
from ..image_jobs import image_job, made
from ..jobs import settings_of

AIMPOINT = "3800:4300:4,4000:4500:4"
"""A part of ObsID 90002 around the aimpoint, all on chip 7."""
WHOLE = "1000:8000:20,1000:8000:20"
"""All chips, in coarse pixels."""


@pytest.fixture
def arf(shared_data):
    """An ARF of chip 7, 1.2' off axis."""
    return shared_data / "real/reference/spectra/arf/9774.arf"


def made_map(job, role, band):
    return fits.getdata(made(job, role, band)).astype(float)


def history(job, band):
    return str(fits.getheader(made(job, "flux", band))["HISTORY"]).replace("\n", "")


def test_the_exposure_map_is_seconds_times_area_times_vignetting(shared_data, arf, tmp_path):
    raw = shared_data / "sim/90002"
    bands = ["broad", "hard"]
    flux = image_job(FluxImage, raw, tmp_path / "f", bands=bands, xygrid=AIMPOINT, effective_area=arf)
    rate = image_job(RateImage, raw, tmp_path / "r", bands=bands, xygrid=AIMPOINT)
    run_native(flux)
    run_rate_image(rate)
    for band, energy in (("broad", 2.3), ("hard", 3.8)):
        ours, seconds = made_map(flux, "expmap", band), made_map(rate, "expmap", band)
        both = (ours > 0) & (seconds > 0)
        area = ours[both] / seconds[both]
        assert area.max() == pytest.approx(read_arf(arf).area(energy), rel=2e-3)
        assert 0.9 < area.min() / area.max() < 0.99
        counts, image = (fits.getdata(made(flux, role, band)) for role in ("image", "flux"))
        np.testing.assert_allclose(image * ours, counts, rtol=1e-5)


def chip_areas(shared_data, job, band, energy):
    """Area of each chip of ObsID 90002 without vignetting, cm2, in pixels that no other chip sees."""
    field, grid = field_of(shared_data / "sim/90002"), parse_grid(WHOLE)
    seconds = {chip.number: exposure_map(field.pointing, grid, [chip]) for chip in field.chips}
    total = sum(seconds.values())
    mirror = vignetting(energy, off_axis_map(field.pointing, grid, field.mean))
    exposure = made_map(job, "expmap", band)
    areas = {}
    for number, own in seconds.items():
        alone = (own > 0.5 * own.max()) & (own == total) & (exposure > 0)
        areas[number] = exposure[alone] / (own * mirror)[alone]
    return areas


def test_each_chip_has_an_area_of_its_own(shared_data, arf, tmp_path):
    """Front-illuminated chips differ by quantum efficiency and dead area from chip 7, whose ARF this is."""
    raw = shared_data / "sim/90002"
    job = image_job(FluxImage, raw, tmp_path, bands=["broad", "soft"], xygrid=WHOLE, effective_area=arf)
    run_native(job)
    for band, energy, ratio in (("broad", 2.3, 1.26), ("soft", 0.92, 1.52)):
        areas = chip_areas(shared_data, job, band, energy)
        expected = {
            chip: read_arf(arf).area(energy)
            * mean_quantum_efficiency(chip, energy)
            / mean_quantum_efficiency(7, energy)
            for chip in areas
        }
        for chip in (5, 7):
            assert np.median(areas[chip]) == pytest.approx(expected[chip], rel=1e-4)
        for chip in (2, 3, 6, 8):
            assert np.all((areas[chip] > 0.959 * expected[chip]) & (areas[chip] < 0.980 * expected[chip]))
        assert np.median(areas[7]) / np.median(areas[6]) == pytest.approx(ratio / 0.97, rel=0.015)


def test_the_mean_over_a_region_is_not_vignetted_again(shared_data, tmp_path):
    weighted = shared_data / "real/calibration/chandra_acis_s.arf"
    raw = shared_data / "sim/90002"
    job = image_job(FluxImage, raw, tmp_path / "f", bands=["hard"], xygrid=AIMPOINT, effective_area=weighted)
    run_native(job)
    rate = image_job(RateImage, raw, tmp_path / "r", bands=["hard"], xygrid=AIMPOINT)
    run_rate_image(rate)
    seconds, exposure = made_map(rate, "expmap", "hard"), made_map(job, "expmap", "hard")
    np.testing.assert_allclose(exposure, seconds * read_arf(weighted).area(3.8), rtol=1e-5)
    assert "without vignetting, which chandra_acis_s.arf includes" in history(job, "hard")
    told = " ".join(job.warnings)
    assert "made by mkwarf" in told
    assert "ObsID 1669, 9.0 yr before this observation" in told


@pytest.mark.parametrize(
    ("obsid", "name", "message"),
    [
        ("90003", "calibration/chandra_acis_i.arf", "chandra_acis_i.arf is for INSTRUME ACIS"),
        ("90002", "calibration/chandra_acis_i.arf", "chandra_acis_i.arf is for chip 0"),
        ("90005", "reference/spectra/arf/9774.arf", "9774.arf is for GRATING NONE"),
    ],
)
def test_an_arf_of_another_instrument_is_refused(shared_data, tmp_path, obsid, name, message):
    raw, other = shared_data / "sim" / obsid, shared_data / "real" / name
    job = image_job(FluxImage, raw, tmp_path, bands=["broad"], xygrid=AIMPOINT, effective_area=other)
    with pytest.raises(DataError, match=message):
        run_native(job)


def test_the_hrc_has_the_area_of_its_arf(shared_data, tmp_path):
    name = "reference/spectra/24564_hrc/hrcf24564_000N030_r0001_arf3.fits.gz"
    grid, hrc = "16000:16800:32,16000:16800:32", read_arf(shared_data / "real" / name)
    raw = shared_data / "sim/90003"
    job = image_job(FluxImage, raw, tmp_path, xygrid=grid, effective_area=hrc.path)
    run_native(job)
    seconds = fits.getheader(made(job, "expmap", "wide"))["EXPOSURE"]
    assert made_map(job, "expmap", "wide").max() == pytest.approx(seconds * hrc.area(1.5), rel=1e-3)


# The CALDB


def caldb_job(shared_data, tmp_path, caldb, **settings):
    """A job of ObsID 90006, chips 6 and 7, with the calibration files that a plan finds for it."""
    job = image_job(
        FluxImage, shared_data / "sim/90006", tmp_path / "job", bands=["broad"], xygrid=WHOLE, **settings
    )
    return replace(job, calibration=FluxImage.calibration_files(job.settings, caldb))


def test_the_caldb_gives_mirror_times_efficiency_times_contamination(shared_data, tmp_path):
    caldb = make_caldb(tmp_path / "caldb", shared_data, [6, 7])
    job = caldb_job(shared_data, tmp_path, caldb)
    run_native(job)
    told = history(job, "broad")
    for name in (MIRROR, QE, CONTAMINATION):
        assert f"calibration file {name}" in told
    efficiency = quantum_efficiency(caldb / "data/chandra/acis/qe" / QE, 7, 2.3)
    time = sum(fits.getheader(made(job, "expmap", "broad"))[key] for key in ("TSTART", "TSTOP")) / 2
    growth = time / 1e9  # the contamination of tests/caldb.py grows from 0 to its end at 1e9 s
    depth = (2 - 0.2 * 2.3) * 0.4 * growth + (0.1 - 0.1 * 1.3 / 9) * 0.2 * growth
    area = (800 - 50 * 2.3) * efficiency * np.exp(-depth)
    (stated,) = re.findall(r"effective area ([0-9.]+) cm2 at 2.3 keV on chip 7, from the CALDB", told)
    assert float(stated) == pytest.approx(area, rel=1e-4)
    exposure = made_map(job, "expmap", "broad")
    assert exposure.max() < area * fits.getheader(made(job, "expmap", "broad"))["EXPOSURE"] * 1.001
    assert not [warning for warning in job.warnings if "uniform" in warning]


def test_a_uniformity_that_cannot_be_read_is_left_out_and_told(shared_data, tmp_path):
    caldb = make_caldb(tmp_path / "caldb", shared_data, [6, 7])
    add_uniformity(caldb, 3, [1.0, 3.0], np.ones((2, 4, 4)))  # has neither of the chips
    job = caldb_job(shared_data, tmp_path, caldb)
    run_native(job)
    (told,) = [warning for warning in job.warnings if "uniform" in warning]
    assert "the quantum efficiency counts as uniform over each chip: acisD2000-01-29qeuN0007.fits" in told
    assert "qeuN0007" not in history(job, "broad")


def test_the_caldb_applies_only_to_acis_without_a_grating(shared_data, tmp_path):
    for obsid, name in (("90003", "HRC-I"), ("90005", "ACIS with HETG")):
        raw = shared_data / "sim" / obsid
        job = image_job(FluxImage, raw, tmp_path / obsid, effective_area="caldb")
        with pytest.raises(DataError, match=f"caldb does not apply to {name}; give an ARF"):
            run_native(job)


def test_an_arf_needs_no_mirror_from_the_caldb(shared_data, tmp_path):
    caldb = make_caldb(tmp_path, shared_data, [])
    settings = settings_of(FluxImage, effective_area=tmp_path / "a.arf")
    names = [path.name for path in FluxImage.calibration_files(settings, caldb)]
    assert names == [QE, CONTAMINATION]
    assert not FluxImage.calibration_files(settings, None)


@pytest.mark.parametrize("value", [None, "caldb"])
def test_without_an_area_the_recipe_is_refused_with_the_ways_out(tmp_path, value):
    settings = settings_of(FluxImage, effective_area=value)
    for caldb, words in (
        (None, "$CALDB is not set"),
        (tmp_path, "has no calibration files in data/chandra/"),
    ):
        (problem,) = FluxImage.check_native(settings, caldb)
        assert problem.setting == ("effective_area",)
        assert words in problem.message
        for way in ("ARF", "$CALDB", "engine: ciao"):
            assert way in f"{problem.message} {problem.hint}"


def test_with_an_arf_or_a_caldb_there_is_nothing_to_refuse(shared_data, tmp_path):
    assert not list(FluxImage.check_native(settings_of(FluxImage, effective_area=tmp_path / "a.arf"), None))
    caldb = make_caldb(tmp_path, shared_data, [])
    assert not list(FluxImage.check_native(settings_of(FluxImage), caldb))


def test_units_and_source_of_the_area_are_in_the_header(shared_data, arf, tmp_path):
    job = image_job(FluxImage, shared_data / "sim/90006", tmp_path, bands=["soft"], effective_area=arf)
    run_native(job)
    units = {role: fits.getheader(made(job, role, "soft"))["BUNIT"] for role in FluxImage.makes[:4]}
    assert units == {
        "image": "count",
        "expmap": "cm2 s count photon-1",
        "flux": "photon cm-2 s-1",
        "psfmap": "arcsec",
    }
    told = history(job, "soft")
    assert f"{read_arf(arf).area(0.92):.6g} cm2 at 0.92 keV on chip 7, from 9774.arf" in told
    assert "9774.arf was made for 1.25' off axis: divided by the vignetting there" in told
    assert "acis_quantum_efficiency.txt" in told
    assert made(job, "flux", "soft").name == "acisf90006_soft_flux.img"


def test_validate_refuses_a_flux_image_without_an_area(chandra_run, tmp_path):
    text = "recipe: 1\nobservations: [1]\ndata: data\nproducts: products\narchive: [none]\nengine: native\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "recipe.yaml").write_text(text + "stages:\n  flux_image: {bands: [broad]}\n")
    answer = chandra_run("validate", "recipe.yaml", env={"CALDB": ""})
    assert answer.code == 2
    assert "recipe.yaml:8:" in answer.err
    for way in ("ARF file", "CALDB", "engine: ciao"):
        assert way in answer.err
