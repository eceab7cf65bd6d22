"""Sessions: tools run apart from each other, and how they fail is said."""

from __future__ import annotations

import gzip
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from chandra_runner.ciao.call import ListFile, call
from chandra_runner.ciao.installation import Installation
from chandra_runner.ciao.session import Session, ToolError, workplace
from chandra_runner.errors import DataError, SiteError
from chandra_runner.storage.state_directory import remove_scratch

from ..ciao_standin.fixture import Ciao
from ..ciao_standin.knobs import Way
from ..event_files import write_events

COPY = call("dmcopy", infile="in.fits", outfile="out.fits")


@pytest.fixture
def session(ciao: Ciao, tmp_path: Path) -> Session:
    """A session with an event list."""
    directory = tmp_path / "work"
    directory.mkdir()
    made = Session(directory, Installation(ciao.path))
    write_events(tmp_path / "events.fits")
    made.place({"in.fits": tmp_path / "events.fits"})
    return made


def test_a_tool_runs_in_the_directory_with_parameter_files_of_its_own(
    session: Session, ciao: Ciao, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PFILES", "/home/me/cxcds_param4;/soft/other")
    session.run([COPY])
    assert session.made("out.fits", "dmcopy").stat().st_size > 0
    (done,) = ciao.calls
    assert (done.tool, *done.argv) == COPY.argv
    assert done.cwd == str(session.directory)
    private = f"{session.directory}/pfiles;{ciao.path}/contrib/param:{ciao.path}/param"
    assert done.environment["PFILES"] == private
    assert done.environment["ASCDS_WORK_PATH"].startswith(f"{session.directory}/")
    assert [path.name for path in (session.directory / "pfiles").glob("*.par")] == ["dmcopy.par"]


def test_sessions_side_by_side_do_not_meet(ciao: Ciao, tmp_path: Path) -> None:
    write_events(tmp_path / "events.fits")

    def work(number: int) -> bool:
        directory = tmp_path / str(number)
        directory.mkdir()
        session = Session(directory, Installation(ciao.path))
        session.place({"in.fits": tmp_path / "events.fits"})
        session.run([COPY])
        return session.made("out.fits", "dmcopy").is_file()

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(work, range(4)))


def test_compressed_inputs_are_unpacked_and_others_linked_and_neither_is_touched(
    session: Session, tmp_path: Path
) -> None:
    plain = (tmp_path / "events.fits").read_bytes()
    (tmp_path / "packed.fits.gz").write_bytes(gzip.compress(plain))
    session.place({"a/packed.fits": tmp_path / "packed.fits.gz"})
    assert (session.directory / "a" / "packed.fits").read_bytes() == plain
    assert (session.directory / "in.fits").is_symlink()
    (tmp_path / "packed.fits.gz").write_bytes(gzip.compress(plain)[:-100])
    with pytest.raises(DataError, match=r"packed\.fits\.gz is a damaged gzip file"):
        session.place({"b.fits": tmp_path / "packed.fits.gz"})


def test_list_files_are_written(session: Session) -> None:
    session.run([ListFile("x.lis", ("a.fits", "b.fits"))])
    assert (session.directory / "x.lis").read_text() == "a.fits\nb.fits\n"


@pytest.mark.parametrize(
    ("way", "message"),
    [
        (Way.ERROR, "dmcopy failed with exit code 1: dmcopy: Could not open file 'calibration.fits'"),
        (Way.ERROR_EXIT_0, "dmcopy failed, though its exit code is 0: dmcopy: Could not open file"),
        (Way.CRASH, "dmcopy was killed by SIGSEGV: it printed nothing"),
    ],
)
def test_a_failure_is_told_in_the_words_of_the_tool(
    session: Session, ciao: Ciao, way: Way, message: str
) -> None:
    ciao.fail("dmcopy", way)
    with pytest.raises(ToolError) as failure:
        session.run([COPY])
    assert str(failure.value).startswith(message)


def test_a_full_disk_is_the_machines_failure(session: Session, ciao: Ciao) -> None:
    ciao.fail("dmcopy", Way.FULL_DISK)
    with pytest.raises(SiteError, match="dmcopy: the disk is full; make room"):
        session.run([COPY])


def test_a_tool_that_makes_nothing_and_says_nothing_is_caught(session: Session, ciao: Ciao) -> None:
    ciao.fail("dmcopy", Way.NOTHING)
    session.run([COPY])
    with pytest.raises(ToolError, match=r"dmcopy returned success but did not create out\.fits"):
        session.made("out.fits", "dmcopy")


def test_what_a_tool_does_not_take_fails_with_its_last_lines(session: Session) -> None:
    with pytest.raises(ToolError, match=r"no_such\.fits"):
        session.run([call("dmcopy", infile="no_such.fits", outfile="out.fits")])


def test_a_traceback_of_something_else_is_no_failure(session: Session, ciao: Ciao) -> None:
    ciao.fail("dmcopy", Way.TRACEBACK)
    session.run([COPY])
    assert session.made("out.fits", "dmcopy")
    assert not list(session.reported_warnings())


def test_of_many_warnings_the_first_are_told(session: Session, ciao: Ciao) -> None:
    ciao.fail("dmcopy", Way.WARNINGS)
    session.run([COPY, COPY])
    told = list(session.reported_warnings())
    assert told[0] == "dmcopy: row 0 is out of range"
    assert told[-1] == "and 480 more warnings from CIAO tools, see the log"
    assert len(told) == 21


def test_what_a_tool_leaves_behind_is_not_waited_for(session: Session, ciao: Ciao) -> None:
    launcher = ciao.path / "bin" / "dmcopy"
    launcher.write_text("#!/bin/sh\nsleep 30 &\necho $! > child\necho done\n")
    session.run([COPY])
    os.kill(int((session.directory / "child").read_text()), 9)


def test_a_plain_path_is_worked_in(tmp_path: Path) -> None:
    with workplace(tmp_path) as place:
        assert place.parent == tmp_path.resolve()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["sp ace", "br[ack]et", "Größe", "a,b", "$HOME", "(x)", "@x", "a;b", "it's"])
def test_elsewhere_is_worked_in_where_the_path_is_none_for_ciao(tmp_path: Path, name: str) -> None:
    scratch = tmp_path / name / "scratch"
    scratch.mkdir(parents=True)
    with workplace(scratch) as place:
        assert name not in str(place)
        assert place.stat().st_mode & 0o777 == 0o700
        (place / "x").touch()
        assert (scratch / "elsewhere" / "x").exists()
    assert not place.exists()
    assert not list(scratch.iterdir())


def test_what_a_killed_task_left_elsewhere_goes_with_its_scratch_directory(tmp_path: Path) -> None:
    scratch, outside = tmp_path / "sp ace", Path(tempfile.mkdtemp(prefix="chandra-run-", dir=tmp_path))
    other = tmp_path / "precious"
    for directory in (scratch / "a", scratch / "b", other):
        directory.mkdir(parents=True)
    (scratch / "a" / "elsewhere").symlink_to(outside)
    (scratch / "b" / "elsewhere").symlink_to(other)
    remove_scratch(scratch)
    assert (scratch.exists(), outside.exists(), other.exists()) == (False, False, True)


def test_a_machine_without_any_plain_path_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scratch = tmp_path / "sp ace"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    with pytest.raises(SiteError, match="set TMPDIR"), workplace(scratch):
        pass
