"""The stand-in refuses what CIAO's tools refuse."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ..event_files import write_events
from .conftest import Tool
from .fixture import Ciao
from .parameters import LONGEST, alone

_DMCOPY = ("infile=in.fits", "outfile=out.fits", "mode=h")
_REPRO = ("indir=in", "outdir=out", "set_ardlib=no", "mode=h")
Synthetic = Callable[[int], Path]


@pytest.fixture
def events(tmp_path: Path) -> Path:
    """A small event list, in.fits."""
    return write_events(tmp_path / "in.fits")


@pytest.mark.parametrize(
    ("name", "argument", "message"),
    [
        ("dmcopy", "filter=x", "parameter not found: 'filter'"),
        ("dmcopy", "clobber=true", "'true' is no boolean"),
        ("dmcopy", "verbose=1.5", "'1.5' is no number of type i"),
        ("dmcopy", "verbose=6", "6 is not from 0 to 5"),
        ("dmcopy", "infile=in.fits", "infile is given twice"),
        ("deflare", "nsigma=three", "'three' is no number of type r"),
        ("deflare", "rateaxis=z", "'z' is none of x|y"),
        ("deflare", "plot=", "'' is no boolean"),
    ],
)
def test_parameters_that_are_unknown_or_ill_typed(
    tool: Tool, events: Path, name: str, argument: str, message: str
) -> None:
    said = tool(name, *_DMCOPY, argument)
    assert said.code == 1
    assert message in said.err
    assert not Path("out.fits").exists()


def test_an_unknown_mode(tool: Tool, events: Path) -> None:
    assert "'quiet' is none of" in tool("dmcopy", "in.fits", "out.fits", "mode=quiet").err


def test_a_third_value_without_a_name(tool: Tool, events: Path) -> None:
    assert "too many values without a name" in tool("dmcopy", "in.fits", "out.fits", "more").err


def test_a_missing_parameter_in_mode_h(tool: Tool, events: Path) -> None:
    said = tool("dmcopy", "infile=in.fits", "mode=h")
    assert (said.code, "parameter outfile has no value" in said.err) == (1, True)


def test_to_run_without_mode_h_where_it_has_to_ask(tool: Tool, events: Path) -> None:
    said = tool("dmcopy", "infile=in.fits")
    assert (said.code, "prompted for parameter outfile" in said.err) == (1, True)
    assert tool("dmcopy", "infile=in.fits", "outfile=out.fits").code == 0


def test_to_wait_for_a_person_before_a_plot(tool: Tool, events: Path) -> None:
    tool("dmextract", "in.fits[bin time=::50]", "lc.fits", "opt=ltc1")
    said = tool("deflare", "lc.fits", "gti.fits", "sigma", "plot=yes", "mode=h")
    assert (said.code, "prompted" in said.err) == (1, True)


def test_what_is_beyond_the_longest_value(tool: Tool, events: Path) -> None:
    grades = ",".join(["0"] * LONGEST)
    said = tool("dmcopy", f"infile=in.fits[EVENTS][grade={grades}]", "outfile=out.fits", "mode=h")
    assert (said.code, "syntax error in the filter" in said.err) == (1, True)


@pytest.mark.parametrize(
    ("pfiles", "message"),
    [
        ("", "must have one ';'"),
        ("{user}:{system}", "must have one ';'"),
        ("{user};{system};", "must have one ';'"),
        (";{system}", "no directory in the user part"),
        ("{user}/nowhere;{system}", "no directory in the user part"),
        ("/proc;{system}", "could not write to parameter directory"),
        ("{user};{user}", "could not find parameter file dmcopy.par"),
    ],
)
def test_wrong_pfiles(tool: Tool, ciao: Ciao, events: Path, pfiles: str, message: str) -> None:
    user, _, system = ciao.environment["PFILES"].partition(";")
    said = tool("dmcopy", *_DMCOPY, PFILES=pfiles.format(user=user, system=system))
    assert (said.code, message in said.err) == (1, True)


def test_to_share_a_parameter_directory(tool: Tool, ciao: Ciao, events: Path) -> None:
    with alone(Path(ciao.environment["PFILES"].partition(";")[0])):
        said = tool("dmcopy", *_DMCOPY)
    assert (said.code, "parameter file corrupt" in said.err) == (1, True)
    assert tool("dmcopy", *_DMCOPY).code == 0


def test_a_parameter_file_of_another_version(tool: Tool, ciao: Ciao, events: Path) -> None:
    stale = Path(ciao.environment["PFILES"].partition(";")[0]) / "dmcopy.par"
    stale.write_text('infile,f,a,"",,,\nsky,s,h,"",,,\n')
    assert "parameter not found: 'sky'" in tool("dmcopy", *_DMCOPY).err


@pytest.mark.parametrize("variable", ["ASCDS_INSTALL", "ASCDS_WORK_PATH", "ASCDS_CALIB", "CALDB", "PATH"])
def test_an_environment_in_which_ciao_was_not_started(tool: Tool, events: Path, variable: str) -> None:
    name, arguments = {
        "ASCDS_CALIB": ("dmextract", ("in.fits[bin time=::50]", "out.fits", "opt=ltc1", "mode=h")),
        "CALDB": ("chandra_repro", _REPRO),
        "PATH": ("chandra_repro", _REPRO),
    }.get(variable, ("dmcopy", _DMCOPY))
    said = tool(name, *arguments, **{variable: "/nowhere"})
    assert said.code == 1
    assert not Path("out.fits").exists()


@pytest.mark.parametrize(
    ("infile", "message"),
    [
        ("none.fits", "dsOPENFILEFERR -- ERROR: Could not open file 'none.fits'."),
        ("in[1]/in.fits", "dsOPENFILEFERR -- ERROR: Could not open file 'in'."),
        ("in.fits[EVENTS", "syntax error"),
        ("in.fits[EVENTS][energy=500:7000", "syntax error"),
        ("in.fits[EVENTS][energy]", "syntax error"),
        ("in.fits[EVENTS][energy=500:7000,]", "syntax error"),
        ("in.fits[EVENTS][grade=0,two]", "syntax error"),
        ("in.fits[EVENTS][status=00]", "syntax error"),
        ("in.fits[EVENTS][pi=1:2]", "column 'pi' was not found"),
        ("in.fits[EVENTS][@none.fits]", "Could not open file 'none.fits'."),
        ("in.fits[bin time=::50]", "the stand-in copies tables of events"),
    ],
)
def test_inputs_and_filters_that_make_no_sense(tool: Tool, events: Path, infile: str, message: str) -> None:
    said = tool("dmcopy", f"infile={infile}", "outfile=out.fits", "mode=h")
    assert said.code == 1
    assert said.err.strip().startswith("# dmcopy (CIAO 4.16.0): ")
    assert message in said.err
    assert not Path("out.fits").exists()


@pytest.mark.parametrize("binning", ["", "[bin time=50]", "[bin time=::0]", "[bin energy=::50]"])
def test_light_curves_without_bins_of_time(tool: Tool, events: Path, binning: str) -> None:
    said = tool("dmextract", f"in.fits{binning}", "lc.fits", "opt=ltc1", "mode=h")
    assert (said.code, Path("lc.fits").exists()) == (1, False)


def test_an_existing_output_without_clobber(tool: Tool, events: Path) -> None:
    Path("out.fits").write_text("mine")
    said = tool("dmcopy", *_DMCOPY)
    assert (said.code, "exists and clobber is set to no" in said.err) == (1, True)
    assert Path("out.fits").read_text() == "mine"
    assert tool("dmcopy", *_DMCOPY, "clobber=yes").code == 0


@pytest.mark.parametrize("outfile", ["none/out.fits", "out[1].fits"])
def test_an_output_that_cannot_be_made(tool: Tool, events: Path, outfile: str) -> None:
    assert tool("dmcopy", "infile=in.fits", f"outfile={outfile}", "mode=h").code == 1


@pytest.mark.parametrize("directory", ["with space", "with[bracket"])
@pytest.mark.parametrize("name", ["chandra_repro", "splitobs"])
def test_paths_that_scripts_cannot_pass_on(tool: Tool, name: str, directory: str) -> None:
    Path(directory).mkdir()
    outputs = ("outdir=out", "set_ardlib=no") if name == "chandra_repro" else ("outroot=out",)
    said = tool(name, f"indir={directory}", *outputs, "mode=h")
    assert said.code == 1
    assert f"# {name} (07 May 2024): ERROR " in said.err


def test_a_directory_above_that_scripts_cannot_pass_on(
    tool: Tool, events: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("with space").mkdir()
    shutil.copy(events, "with space")
    monkeypatch.chdir("with space")
    assert "cannot contain any spaces" in tool("fluximage", "in.fits", "out", "mode=h").err
    assert "cannot contain any spaces" in tool("chandra_repro", "indir=.", "outdir=out", "mode=h").err
    assert tool("dmcopy", *_DMCOPY).code == 0


def test_level_1_of_several_intervals(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99005), "in")
    said = tool("chandra_repro", *_REPRO)
    assert (said.code, "ERROR Multiple evt1 files found in directory" in said.err) == (1, True)


def test_a_file_beside_its_compressed_copy(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    packed = next(Path("in").glob("secondary/*_msk1.fits.gz"))
    shutil.copy(packed, packed.with_suffix(""))
    assert "Multiple input msk1 files found" in tool("chandra_repro", *_REPRO).err


@pytest.mark.parametrize("kind", ["bpix1", "asol1", "flt1", "msk1", "mtl1", "stat1", "pbk0", "bias0"])
def test_an_acis_directory_that_lacks_a_file(tool: Tool, synthetic: Synthetic, kind: str) -> None:
    shutil.copytree(synthetic(99002), "in")
    for path in Path("in").glob(f"*/*_{kind}.fits.gz"):
        path.unlink()
    said = tool("chandra_repro", *_REPRO)
    assert (said.code, f"Could not locate {kind}" in said.err) == (1, True)


def test_an_hrc_directory_that_lacks_its_dead_time(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99003), "in")
    next(Path("in").glob("*/*_dtf1.fits.gz")).unlink()
    assert "Could not locate dtf1" in tool("chandra_repro", *_REPRO).err


def test_subpixel_positions_of_hrc(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99003), "in")
    assert "invalid pix_adj" in tool("chandra_repro", *_REPRO, "pix_adj=edser").err


def test_an_existing_level_2_without_clobber(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    assert tool("chandra_repro", *_REPRO).code == 0
    assert "exists and clobber is set to no" in tool("chandra_repro", *_REPRO).err


def test_to_split_a_single_event_list(tool: Tool, synthetic: Synthetic) -> None:
    shutil.copytree(synthetic(99002), "in")
    assert "no need to run this script" in tool("splitobs", "in", "out", "mode=h").err
