"""flux_image: exposure maps with an effective area, and a refusal in time where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.errors import DataError
from chandra_runner.native.effective_area import arf_area
from chandra_runner.stages.flux_image import FluxImage, run_native
from chandra_runner.stages.rate_image import RateImage
from chandra_runner.stages.rate_image import run_native as run_rate_image

from ..image_jobs import image_job, made
from ..jobs import settings_of

GRID = "3500:4300:4,3700:4500:4"


@pytest.fixture
def arf(shared_data):
    return shared_data / "real/calibration/chandra_acis_s.arf"


def test_the_exposure_map_is_seconds_times_area_times_vignetting(shared_data, arf, tmp_path):
    raw = shared_data / "sim/90002"
    flux = image_job(FluxImage, raw, tmp_path / "f", bands=["broad", "hard"], xygrid=GRID, effective_area=arf)
    rate = image_job(RateImage, raw, tmp_path / "r", bands=["broad", "hard"], xygrid=GRID)
    run_native(flux)
    run_rate_image(rate)
    for band, energy in (("broad", 2.3), ("hard", 3.8)):
        ours, seconds = (fits.getdata(made(job, "expmap", band)) for job in (flux, rate))
        both = (ours > 0) & (seconds > 0)
        area = ours[both] / seconds[both]
        assert area.max() == pytest.approx(arf_area(arf, energy), rel=2e-3)
        assert 0.9 < area.min() / area.max() < 0.99
        counts, image = (fits.getdata(made(flux, role, band)) for role in ("image", "flux"))
        np.testing.assert_allclose(image * ours, counts, rtol=1e-5)


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
    told = str(fits.getheader(made(job, "flux", "soft"))["HISTORY"]).replace("\n", "")
    assert f"{arf_area(arf, 0.92):.6g} cm2 at 0.92 keV, from chandra_acis_s.arf" in told
    assert made(job, "flux", "soft").name == "acisf90006_soft_flux.img"


def test_an_executor_without_an_area_says_so(shared_data, monkeypatch, tmp_path):
    monkeypatch.delenv("CALDB", raising=False)
    job = image_job(FluxImage, shared_data / "sim/90006", tmp_path, bands=["hard"])
    with pytest.raises(DataError, match="there is no effective area"):
        run_native(job)


@pytest.mark.parametrize("value", [None, "caldb"])
def test_without_an_area_the_recipe_is_refused_with_the_ways_out(monkeypatch, value):
    monkeypatch.delenv("CALDB", raising=False)
    settings = settings_of(FluxImage, effective_area=value)
    (problem,) = FluxImage.check_native(settings)
    assert problem.setting == ("effective_area",)
    for way in ("ARF", "$CALDB", "engine: ciao"):
        assert way in f"{problem.message} {problem.hint}"


def test_with_an_arf_or_a_caldb_there_is_nothing_to_refuse(monkeypatch, tmp_path):
    monkeypatch.delenv("CALDB", raising=False)
    assert not list(FluxImage.check_native(settings_of(FluxImage, effective_area=tmp_path / "a.arf")))
    monkeypatch.setenv("CALDB", str(tmp_path))
    assert not list(FluxImage.check_native(settings_of(FluxImage)))


def test_a_caldb_without_its_files_is_told(shared_data, monkeypatch, tmp_path):
    monkeypatch.setenv("CALDB", str(tmp_path))
    job = image_job(FluxImage, shared_data / "sim/90006", tmp_path / "w", bands=["soft"])
    with pytest.raises(DataError, match=r"axeffa.*; install the CALDB, or give an ARF file"):
        run_native(job)


def test_validate_refuses_a_flux_image_without_an_area(chandra_run, tmp_path):
    text = "recipe: 1\nobservations: [1]\ndata: data\nproducts: products\narchive: [none]\nengine: native\n"
    (tmp_path / "data").mkdir()
    (tmp_path / "recipe.yaml").write_text(text + "stages:\n  flux_image: {bands: [broad]}\n")
    answer = chandra_run("validate", "recipe.yaml", env={"CALDB": ""})
    assert answer.code == 2
    assert "recipe.yaml:8:" in answer.err
    for way in ("ARF file", "CALDB", "engine: ciao"):
        assert way in answer.err
