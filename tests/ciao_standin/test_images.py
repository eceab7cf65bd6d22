"""The stand-in's fluximage: what it makes and what it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from .conftest import Tool

Synthetic = Callable[[int], Path]
_ARGUMENTS = ("infile=evt2.fits", "outroot=im", "binsize=8", "random=1", "mode=h")


@pytest.fixture
def reprocessed(synthetic: Synthetic, tmp_path: Path) -> Callable[[int], None]:
    """Puts the archive's level 2 and what belongs to it into the current directory, unpacked by nobody."""

    def prepare(obsid: int) -> None:
        for path in synthetic(obsid).glob("*/*.fits.gz"):
            with fits.open(path) as hdus:
                kind = path.name.removesuffix(".fits.gz").rpartition("_")[2]
                name = "evt2.fits" if kind == "evt2" else path.name.removesuffix(".gz")
                hdus.writeto(tmp_path / name)

    return prepare


def _pixels(name: str) -> np.ndarray:
    return np.asarray(fits.getdata(name))


def test_the_images_of_every_band(tool: Tool, reprocessed: Callable[[int], None]) -> None:
    reprocessed(99002)
    said = tool("fluximage", *_ARGUMENTS, "bands=broad,0.3:2.0:0.9", "psfecf=0.9", "units=time")
    assert said.code == 0, said.err
    endings = ("_thresh.img", "_thresh.expmap", "_flux.img", "_thresh.psfmap")
    expected = {f"im_{band}{ending}" for band in ("broad", "0.3-2.0") for ending in endings}
    assert {path.name for path in Path().glob("im_*")} == expected
    events = fits.getdata("evt2.fits", "EVENTS")
    energies = (events["energy"] >= 500) & (events["energy"] < 7000)
    counts, exposure = _pixels("im_broad_thresh.img"), _pixels("im_broad_thresh.expmap")
    assert 0.98 * energies.sum() < counts.sum() <= energies.sum()
    livetime = fits.getval("evt2.fits", "LIVETIME", "EVENTS")
    assert exposure.max() == pytest.approx(livetime, rel=0.01)
    seen = exposure > 0
    assert _pixels("im_broad_flux.img")[seen] == pytest.approx(counts[seen] / exposure[seen], rel=1e-5)
    assert fits.getval("im_broad_thresh.expmap", "BUNIT") == "s"


def test_units_and_names_without_threshold(tool: Tool, reprocessed: Callable[[int], None]) -> None:
    reprocessed(99002)
    assert tool("fluximage", *_ARGUMENTS, "bands=soft", "expmapthresh=0").code == 0
    names = {path.name for path in Path().glob("im_*")}
    assert names == {"im_soft.img", "im_soft.expmap", "im_soft_flux.img"}
    assert fits.getval("im_soft.expmap", "BUNIT") == "cm**2 s count/photon"
    assert fits.getval("im_soft_flux.img", "BUNIT") == "photon/cm**2/s"


def test_the_one_band_of_hrc(tool: Tool, reprocessed: Callable[[int], None]) -> None:
    reprocessed(99003)
    arguments = (*_ARGUMENTS[:2], "binsize=64", "background=none", "mode=h")
    assert tool("fluximage", *arguments, "bands=wide").code == 0
    assert _pixels("im_wide_thresh.img").sum() > 0
    assert "energy band 'wide' only" in tool("fluximage", *arguments, "bands=broad", "clobber=yes").err


def test_a_grid_of_ones_own(tool: Tool, reprocessed: Callable[[int], None]) -> None:
    reprocessed(99002)
    assert tool("fluximage", *_ARGUMENTS, "xygrid=4000:4100:2,4000:4080:2", "bands=soft").code == 0
    assert _pixels("im_soft_thresh.img").shape == (40, 50)
    assert tool("fluximage", *_ARGUMENTS, "xygrid=4000:4100", "clobber=yes").code == 1


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("bands=purple", "unknown energy band 'purple'"),
        ("bands=0.5:7.0", "unknown energy band '0.5:7.0'"),
        ("bands=7.0:0.5:2.3", "upside down"),
        ("bands=0.05:7.0:2.3", "not within 0.1 and 10.0 keV"),
        ("bands=0.5:7.0:8", "not within"),
        ("bands=CSC,soft", "has a band twice"),
        ("psfecf=0", "psfecf must be greater than 0"),
        ("psfecf=1.1", "1.1 is not from 0"),
        ("units=counts", "'counts' is none of default|area|time"),
        ("expmapthresh=little", "is no fraction"),
        ("random=-1", "-1 is not from 0"),
        ("tmpdir=/nowhere", "is no directory"),
        ("asolfile=none.fits", "Could not open file 'none.fits'"),
        ("asolfile=@none.lis", "Could not open file 'none.lis'"),
        ("outroot=none/im", "could not create file"),
    ],
)
def test_refusals(tool: Tool, reprocessed: Callable[[int], None], argument: str, message: str) -> None:
    reprocessed(99002)
    others = [a for a in _ARGUMENTS if a.partition("=")[0] != argument.partition("=")[0]]
    said = tool("fluximage", *others, argument)
    assert said.code == 1
    assert "# fluximage (07 May 2024): ERROR " in said.err
    assert message in said.err


def test_refusal_of_an_existing_image(tool: Tool, reprocessed: Callable[[int], None]) -> None:
    reprocessed(99002)
    Path("im_soft_flux.img").write_text("mine")
    assert "clobber is set to no" in tool("fluximage", *_ARGUMENTS, "bands=soft").err


def test_refusal_of_hrc_i_background(tool: Tool, reprocessed: Callable[[int], None]) -> None:
    reprocessed(99003)
    assert "no HRC-I background file" in tool("fluximage", *_ARGUMENTS).err


def test_refusal_without_the_aspect_solution_that_the_header_names(
    tool: Tool, reprocessed: Callable[[int], None]
) -> None:
    reprocessed(99002)
    Path("pcadf99002_000N001_asol1.fits").unlink()
    said = tool("fluximage", *_ARGUMENTS)
    assert "ASOLFILE=pcadf99002_000N001_asol1.fits from evt2.fits not found" in said.err


@pytest.mark.parametrize("kind", ["bpix1", "msk1"])
def test_refusal_of_another_observations_file(
    tool: Tool, reprocessed: Callable[[int], None], kind: str
) -> None:
    reprocessed(99002)
    fits.setval(f"acisf99002_000N001_{kind}.fits", "OBS_ID", value="754", ext=1)
    assert f"OBS_ID of acisf99002_000N001_{kind}.fits is 754" in tool("fluximage", *_ARGUMENTS).err


def test_files_of_a_list(tool: Tool, reprocessed: Callable[[int], None]) -> None:
    """Names are relative to where the list is, but for a list with a minus."""
    reprocessed(99002)
    Path("lists").mkdir()
    shutil.move("pcadf99002_000N001_asol1.fits", "lists")
    Path("lists/asol.lis").write_text("pcadf99002_000N001_asol1.fits\n")
    assert tool("fluximage", *_ARGUMENTS, "bands=soft", "asolfile=@lists/asol.lis").code == 0
    assert tool("fluximage", *_ARGUMENTS, "bands=hard", "asolfile=@-lists/asol.lis").code == 1
