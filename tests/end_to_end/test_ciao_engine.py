"""All kinds of observations through CIAO's tools: roles and layout as natively, commands as documented."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from itertools import product
from pathlib import Path

import pytest
from astropy.io import fits

from chandra_runner.planning.manifest import Manifest, read_manifest

from ..ciao_standin.fixture import Ciao, install
from ..ciao_standin.knobs import Call
from ..command_line import Answer, run_in_process

STAGES = ("chandra_repro", "deflare", "cleaned_chandra_evts", "flux_image", "rate_image")
OBSIDS = tuple(range(90001, 90010))
EXCLUDED = {90008: "oif.fits lists no aspect solution", 90009: "oif.fits lists no EVT1"}
FLUX_TOO = (90001, 90003, *EXCLUDED)
"""With flux images, too: for others, flux_image calls the same tools as rate_image."""
WITHOUT_IMAGES = (90002, 90004)
"""ACIS-S and HRC-S: their images are made as those of ACIS-I and HRC-I."""
IMAGES = tuple(obsid for obsid in OBSIDS if obsid not in WITHOUT_IMAGES)
RECIPE = """recipe: 1
observations: [90001, 90002, 90003, 90004, 90005, 90006, 90007, 90008, 90009]
data: data
archive: none
stages:
  deflare: {time_bin_size: 100 s}
  cleaned_chandra_evts: {lo_en: 0.5 keV, hi_en: 7 keV}
  flux_image: {bands: [broad], acis_bin_size: 16, hrc_bin_size: 64, effective_area: any.arf}
  rate_image: {bands: [broad], acis_bin_size: 16, hrc_bin_size: 64}
per_observation:
  90001: {rate_image: {bands: [broad, "0.3:2.0:0.9"]}}
"""
SHOWN = {90001: "ACIS", 90003: "HRC", 90005: "ACIS with HETG", 90006: "interleaved", 90007: "two intervals"}
DOCS = Path(__file__).parents[2] / "docs" / "ciao.md"
START = "<!-- recorded with CHANDRA_RUNNER_WRITE_DOCS=1 by tests/end_to_end/test_ciao_engine.py -->\n"


def chandra_run(directory: Path, *arguments: str, **environment: str) -> Answer:
    """Call ``chandra-run`` in a directory; it succeeds."""
    answer = run_in_process(directory, arguments, environment)
    assert answer.code == 0, answer.err
    return answer


class Reduced:
    """All nine simulated observations, reduced with both engines."""

    def __init__(self, directory: Path, shared_data: Path) -> None:
        self.directory = directory
        self.ciao: Ciao = install(directory / "ciao")
        (directory / "data").mkdir()
        for obsid in OBSIDS:
            (directory / "data" / str(obsid)).symlink_to(shared_data / "sim" / str(obsid))
        # One area for all instruments: a table that does not say what it was made for.
        arf = fits.getdata(shared_data / "real" / "calibration" / "chandra_acis_i.arf", "SPECRESP")
        fits.BinTableHDU(arf, name="SPECRESP").writeto(directory / "any.arf")
        (directory / "recipe.yaml").write_text(RECIPE)
        for engine in ("ciao", "native"):
            where = ("--engine", engine, "--products", engine + "_products", "--cores", "2")
            for obsids, last in (
                (WITHOUT_IMAGES, STAGES[2]),
                (IMAGES, "rate_image"),
                (FLUX_TOO, "flux_image"),
            ):
                some = ("--only", ",".join(map(str, obsids)), "--stage", last)
                chandra_run(directory, "recipe.yaml", *where, *some, **self.ciao.environment)
        self.calls = self.ciao.calls

    def manifest(self, engine: str, obsid: int, stage: str) -> Manifest:
        """What was made of an observation."""
        made = read_manifest(self.directory / f"{engine}_products" / str(obsid) / stage)
        assert made is not None
        return made

    def calls_of(self, obsid: int) -> list[Call]:
        """The calls for one observation."""
        return [call for call in self.calls if f"/scratch/{obsid}/" in call.cwd]


@pytest.fixture(scope="module")
def reduced(tmp_path_factory: pytest.TempPathFactory, shared_data: Path) -> Reduced:
    """Made once: it takes a while."""
    return Reduced(tmp_path_factory.mktemp("reduced"), shared_data)


@pytest.mark.parametrize(
    ("obsid", "stage"),
    [
        (obsid, stage)
        for obsid, stage in product(OBSIDS, STAGES)
        if obsid not in EXCLUDED
        and (stage != "flux_image" or obsid in FLUX_TOO)
        and (stage != "rate_image" or obsid in IMAGES)
    ],
)
def test_roles_and_names_are_those_of_the_native_engine(reduced: Reduced, obsid: int, stage: str) -> None:
    ciao, native = (reduced.manifest(engine, obsid, stage) for engine in ("ciao", "native"))
    assert (ciao.engine, ciao.outcome, native.outcome) == ("ciao", "done", "done")
    ours, theirs = (
        {(out.role, out.exposure, out.band, out.path) for out in made.outputs} for made in (native, ciao)
    )
    assert ours <= theirs
    gratings = {"pha2", "arf", "rmf"}
    assert {role for role, *_ in theirs - ours} == (
        gratings if (obsid, stage) == (90005, "chandra_repro") else set()
    )
    assert {"CIAO", "contrib", "CALDB"} <= ciao.versions.keys()


@pytest.mark.parametrize("obsid", EXCLUDED)
def test_what_cannot_be_reduced_is_excluded_before_any_tool_is_called(reduced: Reduced, obsid: int) -> None:
    for stage in STAGES:
        made = reduced.manifest("ciao", obsid, stage)
        assert (made.outcome, made.reason) == ("excluded", EXCLUDED[obsid])
    assert not reduced.calls_of(obsid)


@pytest.mark.parametrize("obsid", [obsid for obsid in OBSIDS if obsid not in EXCLUDED])
def test_links_in_headers_lead_to_files_beside_the_events(reduced: Reduced, obsid: int) -> None:
    from astropy.io import fits

    directory = reduced.directory / "ciao_products" / str(obsid) / "chandra_repro"
    for out in reduced.manifest("ciao", obsid, "chandra_repro").outputs:
        assert not (directory / out.path).is_symlink()
        if out.role == "events":
            header = fits.getheader(directory / out.path, "EVENTS")
            for keyword in ("ASOLFILE", "BPIXFILE", "MASKFILE"):
                assert (directory / header[keyword]).is_file()


def test_every_task_had_parameter_files_of_its_own(reduced: Reduced) -> None:
    private = {}
    for call in reduced.calls:
        user, system = call.environment["PFILES"].split(";")
        assert user == f"{call.cwd}/pfiles"
        assert system == reduced.ciao.environment["PFILES"].split(";")[1]
        assert call.environment["ASCDS_WORK_PATH"].startswith(call.cwd)
        private.setdefault(user, set()).add(Path(call.cwd).parts[-3].partition("-")[0])
    assert all(len(stages) == 1 for stages in private.values())


def test_nothing_is_left_of_the_work(reduced: Reduced) -> None:
    state = reduced.directory / "ciao_products" / ".chandra-run"
    assert not list((state / "scratch").iterdir())


@pytest.mark.parametrize(
    ("obsids", "last"), [((90003, 90005, 90007), "cleaned_chandra_evts"), ((90006,), "rate_image")]
)
def test_the_exported_script_makes_the_same_calls(
    reduced: Reduced, obsids: tuple[int, ...], last: str
) -> None:
    # As many cores for each task as in the runs above.
    some = ("--only", ",".join(map(str, obsids)), "--stage", last, "--cores", str(min(2, len(obsids))))
    script = chandra_run(reduced.directory, "export", "recipe.yaml", *some).out
    (reduced.directory / "all.sh").write_text(script)
    before = len(reduced.ciao.calls)
    done = subprocess.run(
        ["bash", "all.sh"],
        cwd=reduced.directory,
        env={**os.environ, **reduced.ciao.environment, "OUT": str(reduced.directory / "exported")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    exported = reduced.ciao.calls[before:]
    stages = [stage for stage in STAGES if stage == last or stage not in ("flux_image", "rate_image")]
    for obsid in obsids:
        again = [(c.tool, c.argv) for c in exported if f"/exported/{obsid}/" in c.cwd]
        made = [c for c in reduced.calls_of(obsid) if any(f"/{stage}-" in c.cwd for stage in stages)]
        assert again == [(c.tool, c.argv) for c in made]
        for stage in stages:
            for out in reduced.manifest("ciao", obsid, stage).outputs:
                if out.role != "plot":
                    assert (reduced.directory / "exported" / str(obsid) / stage / out.path).is_file()


def test_the_plan_shows_the_commands(reduced: Reduced) -> None:
    forced = ("--only", "90003", "--force", "deflare", "--stage", "deflare", "--cores", "1")
    arguments = ("plan", "recipe.yaml", "--engine", "ciao", "--products", "ciao_products", *forced)
    brief = chandra_run(reduced.directory, *arguments, **reduced.ciao.environment).out
    full = chandra_run(reduced.directory, *arguments, "-v", **reduced.ciao.environment).out
    assert "dmextract" not in brief
    assert "        dmextract \\\n            infile='hrcf90003_repro_evt2.fits[bin time=::100]'" in full
    assert "chandra_repro indir" not in full


def table(calls: Sequence[Call]) -> str:
    """The calls of one observation as a table."""
    rows = [f"| `{call.tool}` | `{' '.join(call.argv).replace('|', chr(92) + '|')}` |" for call in calls]
    return "\n".join(["| tool | arguments |", "|---|---|", *rows]) + "\n"


def test_the_calls_in_the_docs_are_those_that_were_made(reduced: Reduced) -> None:
    parts = [f"\n### {title} ({obsid})\n\n{table(reduced.calls_of(obsid))}" for obsid, title in SHOWN.items()]
    head, _, shown = DOCS.read_text(encoding="utf-8").partition(START)
    if os.environ.get("CHANDRA_RUNNER_WRITE_DOCS"):
        DOCS.write_text(head + START + "".join(parts), encoding="utf-8")
    else:
        assert shown == "".join(parts)
