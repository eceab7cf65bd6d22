"""From a recipe to cleaned events, on real and simulated observations, as a user runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest
from astropy.io import fits

from chandra_runner.resources import resource

from ..command_line import Answer, run_in_process

REAL = (754, 28229)
SIMULATED = tuple(range(90001, 90010))
EXCLUDED = {90008: "oif.fits lists no aspect solution", 90009: "oif.fits lists no EVT1"}
RECIPE = f"""\
recipe: 1
title: All that there is
observations: {[*REAL, *SIMULATED]}
data: data
products: products
archive: [none]
stages:
  cleaned_chandra_evts: {{lo_en: 0.5 keV, hi_en: 7 keV}}
per_observation:
  90007: {{deflare: {{time_bin_size: 100 s}}}}
"""
STAGES = {"download", "prepare_chandra_info", "chandra_repro", "deflare", "cleaned_chandra_evts"}
WRITTEN = {"events", "gti", "lightcurve"}
EXPOSURES = {90006: {"e1", "e2"}, 90007: {"E000", "E001"}}


def listing(directory: Path) -> list[tuple[str, int, int]]:
    """Names, sizes and times of all files."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file())
    return [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in files]


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Path:
    """A directory with the recipe and links to the data."""
    directory = tmp_path_factory.mktemp("project with a space [1]")
    (directory / "data").mkdir()
    for obsid in (*REAL, *SIMULATED):
        source = shared_data / ("real" if obsid in REAL else "sim") / str(obsid)
        (directory / "data" / str(obsid)).symlink_to(source.resolve())
    (directory / "recipe.yaml").write_text(RECIPE)
    return directory


def reduce(project: Path, *options: str) -> Answer:
    """Run the recipe."""
    return run_in_process(project, ("recipe.yaml", *options))


@pytest.fixture(scope="session")
def first(project: Path, shared_data: Path) -> Answer:
    """The answer of the first run, over raw data that stay as they were."""
    before = listing(shared_data / "sim")
    answer = reduce(project, "--json", "--cores", "2")
    assert listing(shared_data / "sim") == before
    return answer


def test_all_observations_are_cleaned_but_those_whose_oif_says_they_are_not_active(first: Answer) -> None:
    assert first.code == 0, first.err
    for obsid in (*REAL, *SIMULATED):
        outcomes = {stage: o for (one, stage), o in first.outcomes.items() if one == obsid}
        assert set(outcomes) == STAGES
        later = STAGES - {"download"}
        if obsid in EXCLUDED:
            assert {outcomes[stage] for stage in later} == {"excluded"}
            assert first.reasons(obsid, "cleaned_chandra_evts") == EXCLUDED[obsid]
        else:
            assert set(outcomes.values()) == {"done"}


def test_a_second_run_does_nothing_and_says_so(first: Answer, project: Path) -> None:
    before = listing(project / "products")
    answer = reduce(project)
    assert answer.code == 0
    assert "nothing to do" in answer.out
    changed = set(listing(project / "products")) - set(before)
    assert not changed


def test_every_exposure_has_its_products(first: Answer, project: Path) -> None:
    for obsid in {*REAL, *SIMULATED} - set(EXCLUDED):
        for stage, role in (
            ("chandra_repro", "events"),
            ("deflare", "gti"),
            ("cleaned_chandra_evts", "events"),
        ):
            manifest = json.loads((project / f"products/{obsid}/{stage}/manifest.json").read_text())
            exposures = {out["exposure"] for out in manifest["outputs"] if out["role"] == role}
            assert exposures == EXPOSURES.get(obsid, {"E001"})


def test_manifests_follow_their_schema(first: Answer, project: Path) -> None:
    schema = json.loads(resource("schemas", "manifest.schema.json").read_text())
    manifests = sorted((project / "products").glob("*/*/manifest.json"))
    assert len(manifests) == len(STAGES) * (len(REAL) + len(SIMULATED))
    for path in manifests:
        jsonschema.Draft7Validator(schema).validate(json.loads(path.read_text()))


def test_headers_of_cleaned_events_lead_to_the_files_that_go_with_them(first: Answer, project: Path) -> None:
    for obsid in set(SIMULATED) - set(EXCLUDED):
        for events in (project / f"products/{obsid}/cleaned_chandra_evts").glob("*_evt2.fits"):
            header = fits.getheader(events, "EVENTS")
            keywords = ["ASOLFILE", "BPIXFILE", "MASKFILE", "FLTFILE"]
            for keyword in keywords + ["DTFFILE"] * (header["INSTRUME"] == "HRC"):
                assert (events.parent / header[keyword]).is_file(), (events.name, keyword)


def written(project: Path) -> list[Path]:
    """FITS files that the stages wrote; what they passed through is the archive's own."""
    paths = []
    for manifest in sorted((project / "products").glob("*/*/manifest.json")):
        outputs = json.loads(manifest.read_text())["outputs"]
        paths += [manifest.parent / out["path"] for out in outputs if out["role"] in WRITTEN]
    return paths


@pytest.mark.skipif(not shutil.which("fitsverify"), reason="fitsverify is not installed")
def test_fitsverify_finds_no_fault_in_any_product(first: Answer, project: Path) -> None:
    assert len(written(project)) > 50
    for path in written(project):
        # The name alone: CFITSIO takes brackets in a path for a filter.
        command = ["fitsverify", "-q", path.name]
        said = subprocess.run(command, cwd=path.parent, capture_output=True, text=True).stdout
        assert said.startswith("verification OK"), said


def test_checksums_hold_and_no_file_says_when_it_was_made(first: Answer, project: Path) -> None:
    for path in written(project):
        with fits.open(path, checksum=True) as file:  # a checksum that is wrong is a warning, and so an error
            for hdu in file:
                assert "CHECKSUM" in hdu.header
                assert "DATASUM" in hdu.header


def test_products_made_again_are_the_same_bytes(first: Answer, project: Path) -> None:
    answer = reduce(project, "--json", "--products", "again", "--cores", "1", "--only", "90002,90006")
    assert answer.code == 0
    for path in sorted((project / "again").glob("*/*/*.fits")):
        other = project / "products" / path.relative_to(project / "again")
        assert path.read_bytes() == other.read_bytes(), path


def test_method_clean_on_a_field_full_of_flare_fails_with_the_message_of_ciao(
    first: Answer, project: Path
) -> None:
    clean = RECIPE.replace("stages:\n", "stages:\n  deflare: {method: clean}\n")
    (project / "clean.yaml").write_text(clean)
    options = ("--only", "90002", "--json", "--products", "clean products")
    answer = run_in_process(project, ("clean.yaml", *options))
    assert answer.code == 1
    assert answer.outcomes[90002, "deflare"] == "failed"
    assert answer.outcomes[90002, "cleaned_chandra_evts"] == "blocked"
    expected = "Unable to calculate an initial GTI mean rate level via sigma clipping"
    assert expected in answer.reasons(90002, "deflare")
