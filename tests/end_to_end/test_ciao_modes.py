"""Modes that few observations have, and which engine runs where."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from chandra_runner.ciao.installation import Installation
from chandra_runner.errors import SiteError
from chandra_runner.planning.plan import make_plan
from chandra_runner.recipe.recipe import load_recipe
from chandra_runner.stages.deflare import Deflare

from ..ciao_standin.fixture import Ciao
from ..ciao_standin.samples import write_complete
from ..command_line import Run

OBSID = 99002
HEAD = f"recipe: 1\nobservations: [{OBSID}]\narchive: none\ndata: data\nproducts: products\nengine: ciao\n"


def rewrite(raw: Path, kinds: tuple[str, ...], **keywords: Any) -> Iterator[Path]:
    """Set keywords in the extensions of raw files."""
    for path in sorted(raw.rglob("*.fits.gz")):
        if path.name.endswith(tuple(f"_{kind}.fits.gz" for kind in kinds)):
            with fits.open(path) as hdus:
                for hdu in hdus[1:]:
                    hdu.header.update(keywords)
                hdus.writeto(path, overwrite=True)
            yield path


def test_continuous_clocking_keeps_the_archives_bad_pixels_and_has_no_images(
    tmp_path: Path, ciao: Ciao, chandra_run: Run
) -> None:
    raw = write_complete(OBSID, tmp_path / "data")
    assert list(rewrite(raw, ("evt1", "evt2"), READMODE="CONTINUOUS", DATAMODE="CC33_FAINT"))
    (tmp_path / "recipe.yaml").write_text(HEAD + "stages:\n  rate_image: {}\n")
    answer = chandra_run("recipe.yaml", "--json", env=ciao.environment)
    assert answer.code == 0, answer.out
    assert answer.outcomes[OBSID, "cleaned_chandra_evts"] == "done"
    assert answer.outcomes[OBSID, "rate_image"] == "excluded"
    (first, *_) = ciao.calls
    assert (first.parameters["badpixel"], first.parameters["pix_adj"]) == ("no", "none")
    made = tmp_path / "products" / str(OBSID) / "chandra_repro"
    (archived,) = raw.rglob("*_bpix1.fits.gz")
    assert [path.name for path in made.glob("*bpix1*")] == [archived.name.removesuffix(".gz")]
    header = fits.getheader(made / f"acisf{OBSID}_repro_evt2.fits", "EVENTS")
    assert header["BPIXFILE"] == archived.name.removesuffix(".gz")


def test_without_guide_stars_the_on_board_aspect_solution_is_taken(
    tmp_path: Path, ciao: Ciao, chandra_run: Run
) -> None:
    raw = write_complete(OBSID, tmp_path / "data")
    (raw / "oif.fits").unlink()
    (aspect,) = rewrite(raw, ("asol1",), CONTENT="OBCSOL")
    (raw / "secondary" / "aspect").mkdir(exist_ok=True)
    on_board = raw / "secondary" / "aspect" / "pcadf000000001N001_osol1.fits.gz"
    aspect.rename(on_board)
    assert list(rewrite(raw, ("evt1", "evt2"), ASPTYPE="OBC"))
    (tmp_path / "recipe.yaml").write_text(HEAD + "stages:\n  cleaned_chandra_evts: {}\n")
    answer = chandra_run("recipe.yaml", "--json", env=ciao.environment)
    assert answer.code == 0, answer.out
    made = tmp_path / "products" / str(OBSID) / "chandra_repro"
    assert [path.name for path in made.glob("pcad*")] == [on_board.name.removesuffix(".gz")]


def test_ciao_is_refused_for_stages_without_its_executor(
    tmp_path: Path, ciao: Ciao, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "recipe.yaml").write_text(HEAD + "stages:\n  deflare: {}\n")
    monkeypatch.setattr(Deflare, "executors", {"native": Deflare.executors["native"]})
    with pytest.raises(SiteError, match="deflare cannot run with engine: ciao"):
        make_plan(load_recipe(tmp_path / "recipe.yaml"), ciao=Installation(ciao.path))


def test_an_effective_area_is_asked_for_only_where_the_native_engine_would_run(
    tmp_path: Path, ciao: Ciao, chandra_run: Run
) -> None:
    (tmp_path / "recipe.yaml").write_text(HEAD + "stages:\n  flux_image: {}\n")
    without = {"ASCDS_INSTALL": "", "CALDB": "", "PATH": "/usr/bin:/bin"}
    environment = {**ciao.environment, "CALDB": ""}
    assert chandra_run("validate", "recipe.yaml", env=environment).code == 0
    assert chandra_run("validate", "recipe.yaml", "--engine", "auto", env=environment).code == 0
    for engine, where in (("native", environment), ("auto", without)):
        answer = chandra_run("validate", "recipe.yaml", "--engine", engine, env=where)
        assert answer.code == 2
        assert "there is no effective area" in answer.err
