"""Commands: what the tools are called with for every instrument and mode."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from astropy import units as u

from chandra_runner.ciao.call import Call, ListFile, Step
from chandra_runner.ciao.session import TEMPORARY
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.stages.chandra_repro import ChandraRepro
from chandra_runner.stages.chandra_repro.ciao_commands import output_directory, reprocess_calls
from chandra_runner.stages.chandra_repro.ciao_inputs import input_files, missing_kinds
from chandra_runner.stages.cleaned_chandra_evts import CleanedChandraEvts
from chandra_runner.stages.cleaned_chandra_evts.ciao_commands import filter_call, good_time_call
from chandra_runner.stages.deflare import Deflare
from chandra_runner.stages.deflare.ciao_commands import deflare_call, light_curve_call
from chandra_runner.stages.images.ciao_commands import FluximageFiles, fluximage_call
from chandra_runner.stages.images.units import FLUX, RATE
from chandra_runner.stages.product_names import ProductNames
from chandra_runner.stages.rate_image import RateImage

from .jobs import settings_of

NAMES = ProductNames("e")
IMAGES = {"bands": ["broad", "0.3:2.0:0.9"], "acis_bin_size": 4.0, "hrc_bin_size": 16.0, "psf_ecf": 0.9}
CUTS = {"lo_en": 0.5 * u.keV, "hi_en": 7 * u.keV, "allowed_grades": [4, 0, 2]}
FILES = {
    kind: (f"primary/acisf00493_000N001_{kind}.fits.gz",)
    for kind in ("evt1", "evt2", "flt1", "bpix1", "msk1", "mtl1", "stat1", "pbk0", "asol1", "fov1")
}


def observation(*exposures: str, **fields: Any) -> Observation:
    """An ACIS observation."""
    stems = {"E000": "acisf00493_000", "E001": "acisf00493_001", "e1": "acisf00493e1", "e2": "acisf00493e2"}
    several = len(exposures) > 1
    values: dict[str, Any] = dict.fromkeys(
        ("ra_nom", "dec_nom", "roll_nom", "sim_x", "sim_y", "sim_z"), None
    ) | {
        "obsid": 493,
        "instrument": "ACIS",
        "detector": "ACIS-0123",
        "grating": "NONE",
        "obs_mode": "POINTING",
        "datamode": "FAINT",
        "readmode": "TIMED",
        "target": "",
        "active": True,
        "reason": "",
        "notes": (),
        "exposures": tuple(
            Exposure(name, stems[name] if several else "acisf00493", FILES) for name in exposures or ("E001",)
        ),
    }
    return Observation(**values | fields)


def parameters(step: Step) -> dict[str, str]:
    """Values of a call's parameters by name."""
    assert isinstance(step, Call)
    return dict(argument.split("=", 1) for argument in step.arguments)


def test_an_observation_is_reprocessed_by_one_call() -> None:
    (step,) = reprocess_calls(observation(), settings_of(ChandraRepro))
    said = parameters(step)
    assert (said["indir"], said["outdir"], said["root"]) == ("in", "out", "")
    assert (said["set_ardlib"], said["cleanup"], said["clobber"], said["mode"]) == ("no", "yes", "yes", "h")
    assert said["badpixel"] == "yes"


def test_interleaved_exposures_are_left_to_chandra_repro() -> None:
    both = observation("e1", "e2")
    assert len(reprocess_calls(both, settings_of(ChandraRepro))) == 1
    assert {output_directory(both, exposure) for exposure in both.exposures} == {"out"}


def test_observing_intervals_are_taken_apart_first() -> None:
    several = observation("E000", "E001")
    split, *steps = reprocess_calls(several, settings_of(ChandraRepro))
    assert isinstance(split, Call)
    assert split.argv == ("splitobs", "indir=in", "outroot=obi", "clobber=yes", "mode=h")
    said = [parameters(step) for step in steps]
    assert [(s["indir"], s["outdir"], s["root"]) for s in said] == [
        ("obi_000", "out_000", "acisf00493_000"),
        ("obi_001", "out_001", "acisf00493_001"),
    ]
    assert [output_directory(several, exposure) for exposure in several.exposures] == ["out_000", "out_001"]


@pytest.mark.parametrize(
    ("fields", "settings", "expected"),
    [
        ({"datamode": "VFAINT"}, {"check_very_faint": True}, {"check_vf_pha": "yes"}),
        ({"datamode": "FAINT"}, {"check_very_faint": True}, {"check_vf_pha": "no"}),
        ({"readmode": "CONTINUOUS"}, {}, {"badpixel": "no", "pix_adj": "none"}),
        ({"readmode": "CONTINUOUS"}, {"pix_adj": "edser"}, {"pix_adj": "edser"}),
        ({"instrument": "HRC"}, {"pix_adj": "edser"}, {"pix_adj": "default"}),
        ({"instrument": "HRC"}, {"pix_adj": "randomize"}, {"pix_adj": "randomize"}),
        (
            {},
            {"destreak": False, "asol_update": False, "grating_pi_filter": False},
            {"destreak": "no", "asol_update": "no", "pi_filter": "no"},
        ),
    ],
)
def test_modes_and_settings_change_the_call(
    fields: dict[str, Any], settings: dict[str, Any], expected: dict[str, str]
) -> None:
    (step,) = reprocess_calls(observation(**fields), settings_of(ChandraRepro, **settings))
    assert expected.items() <= parameters(step).items()


def test_files_go_where_chandra_repro_looks_for_them() -> None:
    paths = [path for found in FILES.values() for path in found]
    extra = ["secondary/acisf456N001_3_bias0.fits.gz", "primary/acisf00493N001_full_img2.fits.gz", "oif.fits"]
    acis = input_files(observation(), [*paths, *extra])
    assert acis["in/secondary/acisf00493_000N001_evt1.fits"] == "primary/acisf00493_000N001_evt1.fits.gz"
    assert acis["in/primary/acisf00493_000N001_bpix1.fits"] == "primary/acisf00493_000N001_bpix1.fits.gz"
    assert "in/secondary/acisf456N001_3_bias0.fits" in acis
    assert len(acis) == len(paths) + 1
    hrc = input_files(observation(instrument="HRC"), paths)
    assert "in/secondary/acisf00493_000N001_bpix1.fits" in hrc


def test_what_chandra_repro_cannot_do_without_is_known_before() -> None:
    bias = ["secondary/acisf456N001_3_bias0.fits.gz"]
    timed = observation()
    (exposure,) = timed.exposures
    assert list(missing_kinds(timed, exposure, bias)) == []
    assert list(missing_kinds(timed, exposure, [])) == ["bias0"]
    without = replace(exposure, files={k: v for k, v in FILES.items() if k not in ("pbk0", "asol1", "mtl1")})
    assert list(missing_kinds(timed, without, bias)) == ["mtl1", "pbk0", "asol1"]
    on_board = replace(without, files={**without.files, "osol1": ("x",)})
    assert list(missing_kinds(observation(readmode="CONTINUOUS"), on_board, [])) == ["mtl1"]
    assert list(missing_kinds(observation(instrument="HRC"), exposure, [])) == ["dtf1"]


def test_the_light_curve_of_hrc_has_no_energies() -> None:
    acis = parameters(light_curve_call(NAMES, settings_of(Deflare), hrc=False))
    assert acis["infile"] == "e_repro_evt2.fits[energy=500:7000][bin time=::200]"
    assert acis["opt"] == "ltc1"
    assert (
        parameters(light_curve_call(NAMES, settings_of(Deflare), hrc=True))["infile"]
        == "e_repro_evt2.fits[bin time=::200]"
    )


def test_energies_are_exact() -> None:
    said = parameters(light_curve_call(NAMES, settings_of(Deflare, lc_lo_en=1.005 * u.keV), hrc=False))
    assert said["infile"].startswith("e_repro_evt2.fits[energy=1005:7000]")


def test_each_method_of_deflare_has_its_own_parameters() -> None:
    sigma = parameters(deflare_call(NAMES, settings_of(Deflare)))
    assert (sigma["method"], sigma["nsigma"], sigma["minlength"]) == ("sigma", "3", "3")
    assert not {"mean", "scale", "clobber"} & sigma.keys()
    chosen = settings_of(Deflare, method="clean", mean=0.25 * u.ct / u.s, scale=1.5)
    cleaned = parameters(deflare_call(NAMES, chosen))
    expected = {"mean": "0.25", "stddev": "0", "scale": "1.5", "minfrac": "0.1", "plot": "no"}
    assert expected.items() <= cleaned.items()
    assert "minlength" not in cleaned


@pytest.mark.parametrize(
    ("settings", "hrc", "status", "infile"),
    [
        ({}, False, True, "e_repro_evt2.fits[EVENTS][energy=500:7000,grade=0,2,4,status=0]"),
        ({"lo_en": None, "hi_en": None}, False, True, "e_repro_evt2.fits[EVENTS][grade=0,2,4,status=0]"),
        ({"status_zero": False}, False, True, "e_repro_evt2.fits[EVENTS][energy=500:7000,grade=0,2,4]"),
        ({}, False, False, "e_repro_evt2.fits[EVENTS][energy=500:7000,grade=0,2,4]"),
        ({}, True, True, "e_repro_evt2.fits[EVENTS][status=0]"),
        ({"status_zero": False}, True, True, "e_repro_evt2.fits[EVENTS]"),
    ],
)
def test_events_are_cut_and_then_cut_by_time(
    settings: dict[str, Any], hrc: bool, status: bool, infile: str
) -> None:
    chosen = settings_of(CleanedChandraEvts, **(CUTS | settings))
    first, second = filter_call(NAMES, chosen, hrc=hrc, has_status=status), good_time_call(NAMES)
    assert parameters(first)["infile"] == infile
    said = parameters(second)
    assert (said["infile"], said["outfile"]) == (
        "e_filtered_evt2.fits[EVENTS][@e_deflare_gti.fits]",
        "e_clean_evt2.fits",
    )


def image_call(settings: dict[str, Any], asol: tuple[str, ...] = ("a.fits",), **more: Any) -> list[Step]:
    """The steps that make images."""
    files = FluximageFiles(events="c.fits", root="acisf00493", asol=asol, badpix="b.fits")
    chosen = {"hrc": False, "units": RATE, "cores": 2} | more
    return list(fluximage_call(files, settings_of(RateImage, **(IMAGES | settings)), **chosen))


def test_images_are_made_reproducibly_on_the_cores_that_there_are() -> None:
    (step,) = image_call({})
    said = parameters(step)
    assert said["bands"] == "broad,0.3:2.0:0.9"
    expected = {
        "binsize": "4",
        "maskfile": "NONE",
        "badpixfile": "b.fits",
        "units": "time",
        "expmapthresh": "1.5%",
        "psfecf": "0.9",
        "random": "1",
        "parallel": "yes",
        "nproc": "2",
        "background": "none",
        "tmpdir": TEMPORARY,
    }
    assert expected.items() <= said.items()
    assert not {"xygrid", "dtffile"} & said.keys()


def test_images_of_hrc_have_one_band_and_a_dead_time_file() -> None:
    (step,) = image_call({}, hrc=True, units=FLUX, cores=1)
    expected = {"bands": "wide", "binsize": "16", "dtffile": "NONE", "units": "default", "parallel": "no"}
    assert expected.items() <= parameters(step).items()


def test_a_grid_takes_the_place_of_a_bin_size_and_psf_maps_can_be_left_out() -> None:
    (step,) = image_call({"xygrid": "3142:5258:4,3278:5238:4", "psf_ecf": None})
    said = parameters(step)
    assert said["xygrid"] == "3142:5258:4,3278:5238:4"
    assert not {"binsize", "psfecf"} & said.keys()


def test_many_aspect_solutions_are_given_as_a_list() -> None:
    listed, step = image_call({}, tuple(f"pcadf{number:05d}N001_asol1.fits" for number in range(99)))
    assert isinstance(listed, ListFile)
    assert parameters(step)["asolfile"] == "@-asol.lis"
