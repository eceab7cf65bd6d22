"""The stand-in makes what CIAO's tools make, where they make it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits

from chandra_runner.fits.gti import make_gti

from ..event_files import acis_columns, write_events
from .conftest import Tool
from .fixture import Ciao

Synthetic = Callable[[int], Path]


def _names(directory: str, pattern: str = "*") -> set[str]:
    return {path.name for path in Path(directory).glob(pattern)}


def _rows(path: Path | str) -> int:
    return int(fits.getheader(path, "EVENTS")["NAXIS2"])


def _reprocess(tool: Tool, *arguments: str) -> None:
    said = tool("chandra_repro", "indir=in", "outdir=out", "set_ardlib=no", "mode=h", *arguments)
    assert said.code == 0, said.err


def _one(pattern: str) -> Path:
    (path,) = Path().glob(pattern)
    return path


@pytest.mark.parametrize("obsid", [90001, 90002, 90005])
def test_level_2_of_simulated_acis_obsids(tool: Tool, shared_data: Path, obsid: int) -> None:
    """The archive's own level 2 has the same number of rows."""
    shutil.copytree(shared_data / "sim" / str(obsid), "in", copy_function=shutil.copyfile)
    archived = _rows(_one("in/primary/*_evt2.fits.gz"))
    _reprocess(tool)
    assert _rows(_one("out/*_repro_evt2.fits")) == archived


@pytest.mark.parametrize("obsid", [90003, 90004])
def test_level_2_of_simulated_hrc_obsids(tool: Tool, shared_data: Path, obsid: int) -> None:
    """The archive's is of status 0; chandra_repro lets some bits through."""
    shutil.copytree(shared_data / "sim" / str(obsid), "in", copy_function=shutil.copyfile)
    archived = _rows(_one("in/primary/*_evt2.fits.gz"))
    _reprocess(tool)
    status = fits.getdata(_one("out/*_repro_evt2.fits"), "EVENTS")["status"]
    assert np.count_nonzero(~status.any(axis=1)) == archived < len(status)


def test_spectra_of_gratings(tool: Tool, shared_data: Path) -> None:
    shutil.copytree(shared_data / "sim" / "90005", "in", copy_function=shutil.copyfile)
    _reprocess(tool)
    assert "acisf90005_repro_pha2.fits" in _names("out")
    assert {f"acisf90005_repro_{arm}_{order}1.arf" for arm in ("heg", "meg") for order in "mp"} == _names(
        "out/tg", "*.arf"
    )


def test_the_files_of_acis(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    _reprocess(tool)
    stem = "acisf99002_000N001"
    assert _names("out") == {
        *(f"acisf99002_repro_{product}.fits" for product in ("evt2", "bpix1", "fov1", "flt2")),
        *(f"{stem}_{kind}.fits" for kind in ("bpix1", "fov1", "msk1", "mtl1", "stat1", "pbk0")),
        "pcadf99002_000N001_asol1.fits",
        "acisf99002_asol1.lis",
    }
    header = fits.getheader("out/acisf99002_repro_evt2.fits", "EVENTS")
    links = [header[key] for key in ("ASOLFILE", "BPIXFILE", "MASKFILE", "FLTFILE")]
    assert set(links) <= _names("out")
    assert header["BPIXFILE"] == "acisf99002_repro_bpix1.fits"
    assert header["CREATOR"] == "dmcopy - Version CIAO 4.16.0"


def test_the_files_of_hrc(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99003), "in")
    _reprocess(tool)
    assert {"hrcf99003_repro_evt2.fits", "hrcf99003_000N001_dtf1.fits"} <= _names("out")
    header = fits.getheader("out/hrcf99003_repro_evt2.fits", "EVENTS")
    assert header["EXPOSURE"] == pytest.approx(header["ONTIME"] * header["DTCOR"])


def test_both_exposures_of_interleaved_mode(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99004), "in")
    _reprocess(tool)
    events = {f"acisf99004{cycle}_repro_evt2.fits" for cycle in ("e1", "e2")}
    assert events == _names("out", "*_evt2.fits")
    masks = {fits.getval(Path("out") / name, "MASKFILE", "EVENTS") for name in events}
    assert masks == {f"acisf99004_000N001_{cycle}_msk1.fits" for cycle in ("e1", "e2")}


def test_a_directory_for_each_interval(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99005), "in")
    assert tool("splitobs", "indir=in", "outroot=part", "mode=h").code == 0
    assert _names(".", "part*") == {"part_000", "part_001"}
    for obi in ("000", "001"):
        split = ("indir=part_" + obi, f"outdir=out{obi}", f"root=acisf99005_{obi}", "set_ardlib=no")
        assert tool("chandra_repro", *split, "mode=h").code == 0
        assert f"acisf99005_{obi}_repro_evt2.fits" in _names(f"out{obi}")


def test_no_new_bad_pixels_in_continuous_clocking(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    fits.setval(_one("in/secondary/*_evt1.fits.gz"), "READMODE", value="CONTINUOUS", extname="EVENTS")
    _reprocess(tool)
    assert "acisf99002_repro_bpix1.fits" not in _names("out")
    badpix = fits.getval("out/acisf99002_repro_evt2.fits", "BPIXFILE", "EVENTS")
    assert badpix == "acisf99002_000N001_bpix1.fits"


def test_the_solution_made_on_board_where_there_were_no_guide_stars(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    fits.setval(_one("in/secondary/*_evt1.fits.gz"), "ASPTYPE", value="OBC", extname="EVENTS")
    aspect = Path("in/secondary/aspect")
    aspect.mkdir()
    _one("in/primary/*_asol1.fits.gz").rename(aspect / "pcadf655000000N001_osol1.fits.gz")
    said = tool("chandra_repro", "indir=in", "outdir=out", "mode=h")
    assert (said.code, "Could not locate asol1" in said.err) == (0, False)
    assert fits.getval("out/acisf99002_repro_evt2.fits", "ASOLFILE", "EVENTS").endswith("_osol1.fits")


def test_one_corrected_aspect_solution_of_several_old_ones(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    whole = _one("in/primary/*_asol1.fits.gz")
    fits.setval(whole, "CONTENT", value="ASPSOL", ext=1)
    shutil.copy(whole, whole.with_name("pcadf655000999N001_asol1.fits.gz"))
    _reprocess(tool)
    assert _names("out", "*asol1.fits") == {"pcadf99002_repro_asol1.fits"}


def test_a_field_of_view_where_the_archive_has_none(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    archived = fits.getdata(_one("in/primary/*_fov1.fits.gz"), "FOV")
    _one("in/primary/*_fov1.fits.gz").unlink()
    _reprocess(tool)
    made = fits.getdata("out/acisf99002_repro_fov1.fits", "FOV")
    assert np.nanmin(made["X"]) == pytest.approx(np.nanmin(archived["X"]), abs=60)


def test_nothing_of_a_directory_without_level_1(tool: Tool, synthetic: Synthetic) -> None:
    """Which the tool takes for no failure."""
    shutil.copytree(synthetic(99002), "in")
    _one("in/secondary/*_evt1.fits.gz").unlink()
    said = tool("chandra_repro", "indir=in", "outdir=out", "mode=h")
    assert said.code == 0
    assert "Unable to locate level=1 event file" in said.out
    assert not Path("out").exists()


def test_raw_data_unpacked_where_they_are(tool: Tool, synthetic: Synthetic) -> None:
    """What a careless caller does to an archive."""
    shutil.copytree(synthetic(99002), "raw")
    Path("in").symlink_to("raw")
    _reprocess(tool)
    assert _names("raw/secondary") >= {"acisf99002_000N001_evt1.fits"}
    assert not _names("raw/secondary", "*_evt1.fits.gz")


def test_ardlib_of_the_user_only_when_told_to(tool: Tool, ciao: Ciao, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    ardlib = Path(ciao.environment["PFILES"].partition(";")[0]) / "ardlib.par"
    _reprocess(tool)
    assert not ardlib.exists()
    assert tool("chandra_repro", "indir=in", "outdir=again", "mode=h").code == 0
    assert "acisf99002_repro_bpix1.fits" in ardlib.read_text()


def test_a_parameter_file_of_each_call(tool: Tool, ciao: Ciao, tmp_path: Path) -> None:
    write_events(tmp_path / "in.fits")
    tool("dmcopy", "infile=in.fits", "outfile=out.fits", "clobber=yes", "mode=h")
    left = (Path(ciao.environment["PFILES"].partition(";")[0]) / "dmcopy.par").read_text()
    assert "outfile,f,a,out.fits" in left
    assert "clobber,b,h,no" in left


def test_events_inside_filters(tool: Tool, tmp_path: Path) -> None:
    """The upper edge of an energy is left out, both ends of a range of grades are kept."""
    columns = acis_columns()
    energy, grade, status = (columns[name][1] for name in ("energy", "grade", "status"))
    energy[:4] = [500, 7000, 6999, 499.9]
    write_events(tmp_path / "in.fits", columns)
    said = tool("dmcopy", "in.fits[EVENTS][energy=500:7000,grade=0,2:4,6,status=0]", "out.fits", "mode=h")
    assert said.code == 0, said.err
    chosen = (energy >= 500) & (energy < 7000) & np.isin(grade, [0, 2, 3, 4, 6]) & ~status.any(axis=1)
    time, chips = columns["time"][1], columns["ccd_id"][1]
    gti = {7: make_gti(1000, 1400), 6: make_gti([1100, 1600], [1500, 1900])}
    chosen &= np.where(chips == 7, gti[7].contains(time), gti[6].contains(time))
    assert np.array_equal(fits.getdata("out.fits", "EVENTS")["time"], time[chosen])


def test_events_with_single_status_bits(tool: Tool, tmp_path: Path) -> None:
    write_events(tmp_path / "in.fits")
    mask = "x" * 27 + "0" + "x" * 4  # the bit that some events have
    tool("dmcopy", f"in.fits[EVENTS][status={mask}]", "bit.fits", "mode=h")
    tool("dmcopy", "in.fits[EVENTS][status=0]", "all.fits", "mode=h")
    tool("dmcopy", "in.fits[EVENTS][status=" + "x" * 32 + "]", "none.fits", "mode=h")
    assert _rows("bit.fits") == _rows("all.fits") < _rows("none.fits")


def test_good_times_without_the_flares(tool: Tool, synthetic: Synthetic) -> None:
    (events,) = synthetic(99001).glob("primary/*_evt2.fits.gz")
    assert tool("dmextract", f"{events}[energy=500:7000][bin time=::200]", "lc.fits", "opt=ltc1").code == 0
    curve = fits.getdata("lc.fits", "LIGHTCURVE")
    energy = fits.getdata(events, "EVENTS")["energy"]
    assert curve["COUNTS"].sum() == np.count_nonzero((energy >= 500) & (energy < 7000))
    said = tool("deflare", "lc.fits", "gti.fits", "method=sigma", "nsigma=2", "save=lc.png", "mode=h")
    assert said.code == 0, said.err
    assert {"gti.fits", "lc.png"} <= _names(".")
    assert tool("dmcopy", f"{events}[EVENTS][@gti.fits]", "quiet.fits", "mode=h").code == 0
    gti = fits.getdata("gti.fits", "GTI")
    time = fits.getdata("quiet.fits", "EVENTS")["time"]
    assert 0 < len(time) < len(energy)
    assert make_gti(gti["START"], gti["STOP"]).contains(time).all()


def test_an_event_list_of_no_rows_and_a_warning(tool: Tool, tmp_path: Path) -> None:
    write_events(tmp_path / "in.fits")
    said = tool("dmcopy", "in.fits[EVENTS][energy=1:2]", "out.fits", "mode=h")
    assert (said.code, _rows("out.fits")) == (0, 0)
    assert '# dmcopy (CIAO 4.16.0): WARNING: Output file, "out.fits", has no rows in it.' in said.err


def test_versions(tool: Tool) -> None:
    lines = tool("ciaover", "-v").out.splitlines()
    assert lines[1].split() == ["CIAO", ":", "CIAO", "4.16.0", "Tuesday,", "December", "05,", "2023"]
    assert lines[5].partition(":")[2].strip() == "4.11.0"
    assert "not installed" in tool("ciaover", "-v", CALDB="/nowhere").out


def test_what_a_shell_calls(ciao: Ciao, tmp_path: Path) -> None:
    """Executables, in an environment of nothing but what CIAO's setup script sets."""
    write_events(tmp_path / "in.fits")
    done = ciao.run("dmcopy", "infile=in.fits", "outfile=out.fits", "mode=h", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (call,) = ciao.calls
    assert (call.tool, call.parameters["outfile"], call.cwd) == ("dmcopy", "out.fits", str(tmp_path))
    assert call.environment["PFILES"] == ciao.environment["PFILES"]
