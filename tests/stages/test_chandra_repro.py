"""chandra_repro, native: level 1 becomes the archive's level 2, and what cannot be redone is said."""

from __future__ import annotations

import gzip
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.field_of_view import Companions, load_field_of_view
from chandra_runner.stages.outcome import Excluded

from ..event_files import acis_columns, assert_sound, table_bytes, write_events
from .jobs import Chain, product

ARCHIVED_EXPOSURES = [
    (90002, "E001", "acisf90002N001_evt2.fits.gz", "acisf90002"),
    (90005, "E001", "acisf90005N001_evt2.fits.gz", "acisf90005"),
    (90006, "e1", "acisf90006N001_e1_evt2.fits.gz", "acisf90006e1"),
    (90006, "e2", "acisf90006N001_e2_evt2.fits.gz", "acisf90006e2"),
]
NUMBERS = ("ONTIME", "LIVETIME", "LIVTIME", "EXPOSUR", "TSTART", "TSTOP", "DTCOR")
ROUNDING = 4 * np.spacing(5e8)
"""Rounding of four edges of good times, s: a mission time is a number of 8 bytes."""
TEXTS = (
    "DATE-OBS",
    "DATE-END",
    "DSTYP",
    "DSVAL",
    "2DSVAL",
    "DSREF",
    "MTYPE",
    "MFORM",
    "TCTYP",
    "CONTENT",
    "HDUCLAS",
)


def chain(shared_data: Path, tmp_path: Path, obsid: int) -> Chain:
    kind = "sim" if obsid > 90000 else "real"
    return Chain(shared_data / kind / str(obsid), tmp_path / "work", obsid)


def events(path: Path) -> NDArray[Any]:
    """Raw records of an event list."""
    with fits.open(path, memmap=False) as hdus:
        return hdus["EVENTS"].data.view(np.ndarray)


def assert_same_events(ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    """All columns of the archive's rows are those of ours."""
    assert set(theirs.dtype.names) <= set(ours.dtype.names)
    for name in theirs.dtype.names:
        np.testing.assert_array_equal(ours[name], theirs[name], name)


@pytest.mark.parametrize(("obsid", "exposure", "archived", "stem"), ARCHIVED_EXPOSURES)
def test_level_1_becomes_the_archives_level_2(
    shared_data: Path, tmp_path: Path, obsid: int, exposure: str, archived: str, stem: str
) -> None:
    run = chain(shared_data, tmp_path, obsid)
    made = product(run.reproduce(), "events", exposure)
    assert made.name == f"{stem}_repro_evt2.fits"
    reference = run.raw / "primary" / archived
    assert_same_events(events(made), events(reference))
    ours = {key: value for key, value in fits.getheader(made, "EVENTS").items() if key}
    theirs = {key: value for key, value in fits.getheader(reference, "EVENTS").items() if key}
    for key in theirs:
        if key.startswith(TEXTS):
            assert ours[key] == theirs[key], key
        if key.startswith(NUMBERS):
            assert ours[key] == pytest.approx(theirs[key], rel=1e-12, abs=ROUNDING), key


def test_the_intervals_of_a_multi_obi_observation_make_the_merged_list(
    shared_data: Path, tmp_path: Path
) -> None:
    run = chain(shared_data, tmp_path, 90007)
    job = run.reproduce()
    paths = [product(job, "events", exposure) for exposure in ("E000", "E001")]
    assert [path.name for path in paths] == [
        "acisf90007_000_repro_evt2.fits",
        "acisf90007_001_repro_evt2.fits",
    ]
    merged = run.raw / "primary" / "acisf90007N001_evt2.fits.gz"
    assert_same_events(np.concatenate([events(path) for path in paths]), events(merged))


@pytest.mark.parametrize(
    ("obsid", "zero_bits"),
    [
        (90003, [25, 24, 19, 15, 14, 13, 12, 11, 10, 9, 8, 6, 5, 4, 3, 2, 1, 0]),
        (90004, [25, 24, 19, 15, 14, 13, 12, 10, 9, 8, 6, 5, 4, 3, 2]),
    ],
)
def test_hrc_keeps_what_the_mask_of_its_detector_lets_through(
    shared_data: Path, tmp_path: Path, obsid: int, zero_bits: list[int]
) -> None:
    run = chain(shared_data, tmp_path, obsid)
    made = product(run.reproduce(), "events")
    (level1,), (flt1,) = run.raw.glob("secondary/*evt1*"), run.raw.glob("secondary/*flt1*")
    rows = events(level1)
    intervals = fits.getdata(flt1, "GTI")
    good = np.any([(rows["time"] >= start) & (rows["time"] < stop) for start, stop in intervals], axis=0)
    good &= ~np.unpackbits(rows["status"], axis=1)[:, [31 - bit for bit in zero_bits]].any(axis=1)
    assert events(made).tobytes() == rows[good].tobytes()
    of_status_zero = events(made)[~events(made)["status"].any(axis=1)]
    (archived,) = run.raw.glob("primary/*evt2*")
    assert 0 < len(of_status_zero) < good.sum()
    assert_same_events(of_status_zero, events(archived))
    header = fits.getheader(made, "EVENTS")
    assert header["EXPOSURE"] == header["LIVETIME"] == header["ONTIME"] * header["DTCOR"]
    assert header["DTCOR"] == pytest.approx(0.9957, rel=1e-7)
    assert [31 - i for i, bit in enumerate(header["STATFILT"]) if bit == "0"] == zero_bits


@pytest.mark.parametrize("obsid", [754, 28229, 90001, 90003, 90006, 90007])
def test_products_are_sound_and_nothing_else_is_left(shared_data: Path, tmp_path: Path, obsid: int) -> None:
    job = chain(shared_data, tmp_path, obsid).reproduce()
    for made in job.products:
        assert made.path.is_file()
        if made.role in ("events", "gti"):
            assert_sound(made.path)
    assert {made.path for made in job.products} == set(job.directory.iterdir())
    assert not list(job.scratch.iterdir())


def test_companions_are_unpacked_and_linked_from_the_header(shared_data: Path, tmp_path: Path) -> None:
    run = chain(shared_data, tmp_path, 90003)
    job = run.reproduce()
    copies = {
        "badpix": "primary/hrcf90003_000N001_bpix1.fits.gz",
        "fov": "primary/hrcf90003_000N001_fov1.fits.gz",
        "mask": "secondary/hrcf90003_000N001_msk1.fits.gz",
        "asol": "primary/pcadf90003_000N001_asol1.fits.gz",
        "dtf": "primary/hrcf90003_000N001_dtf1.fits.gz",
    }
    for role, raw in copies.items():
        assert product(job, role).read_bytes() == gzip.decompress((run.raw / raw).read_bytes())
    header = fits.getheader(product(job, "events"), "EVENTS")
    links = {"BPIXFILE": "badpix", "MASKFILE": "mask", "ASOLFILE": "asol", "DTFFILE": "dtf", "FLTFILE": "gti"}
    assert {key: header[key] for key in links} == {
        key: product(job, role).name for key, role in links.items()
    }
    assert product(job, "badpix").name == "hrcf90003_repro_bpix1.fits"
    assert product(job, "mask").name == "hrcf90003_000N001_msk1.fits"
    assert job.warnings == []


def test_interleaved_exposures_share_their_aspect_solution(shared_data: Path, tmp_path: Path) -> None:
    job = chain(shared_data, tmp_path, 90006).reproduce()
    assert product(job, "asol", "e1") == product(job, "asol", "e2")


def test_an_evt2_alone_is_taken_as_it_is_and_what_is_missing_is_said(
    shared_data: Path, tmp_path: Path
) -> None:
    run = chain(shared_data, tmp_path, 754)
    job = run.reproduce()
    archived = run.raw / "primary" / "acisf00754N001_evt2.fits.gz"
    assert table_bytes(product(job, "events")) == table_bytes(archived)
    assert {made.role for made in job.products} == {"events", "gti"}
    assert [text.partition(":")[0] for text in job.warnings] == [
        "no aspect solution",
        "no bad-pixel file",
        "no mask file",
    ]
    assert fits.getheader(product(job, "events"), "EVENTS").get("BPIXFILE", "NONE") == "NONE"


def test_the_good_times_of_an_evt2_are_cut_by_flt1(shared_data: Path, tmp_path: Path) -> None:
    run = Chain(tmp_path / "raw", tmp_path / "work", 28229)
    shutil.copytree(shared_data / "real/28229", run.raw)
    (flt1,) = run.raw.glob("secondary/*flt1*")
    with fits.open(flt1, mode="update") as hdus:
        hdus["GTI", 7].data["STOP"] -= 5000
    made = product(run.reproduce(), "events")
    last = {chip: events(made)["time"][events(made)["ccd_id"] == chip].max() for chip in (6, 7)}
    assert last[6] - last[7] == pytest.approx(5000, abs=20)
    header = fits.getheader(made, "EVENTS")
    assert header["ONTIME"] == header["ONTIME7"] == pytest.approx(20093.8, abs=2)
    assert header["ONTIME6"] == pytest.approx(25093.8, abs=2)


@pytest.mark.parametrize(("obsid", "gained"), [(22130, 0.5324), (3591, -1.1111)])
def test_an_evt2_keeps_its_events_and_the_frames_that_they_are_of(
    shared_data: Path, tmp_path: Path, obsid: int, gained: float
) -> None:
    """The archive's evt2 has lost the events of frames whose middle is not in good time."""
    run = chain(shared_data, tmp_path, obsid)
    made = product(run.reproduce(), "events")
    (archived,) = run.raw.glob("primary/*evt2*")
    assert table_bytes(made) == table_bytes(archived)
    ours, theirs = fits.getheader(made, "EVENTS"), fits.getheader(archived, "EVENTS")
    assert ours["ONTIME"] - theirs["ONTIME"] == pytest.approx(gained, abs=1e-4)
    assert ours["LIVETIME"] == ours["EXPOSURE"] == ours["ONTIME"] * ours["DTCOR"]
    assert "good times are aligned with the exposure frames in acisf" in history_of(made)


def raw_copy(shared_data: Path, tmp_path: Path, obsid: int) -> Chain:
    """An ObsID whose files can be changed."""
    run = Chain(tmp_path / "raw", tmp_path / "work", obsid)
    shutil.copytree(shared_data / "sim" / str(obsid), run.raw)
    return run


def history_of(path: Path) -> str:
    """The lines of HISTORY of an event list, as one text."""
    return "".join(fits.getheader(path, "EVENTS")["HISTORY"])


def test_time_without_aspect_solution_is_no_exposure(shared_data: Path, tmp_path: Path) -> None:
    run = raw_copy(shared_data, tmp_path, 90006)
    (asol,), (level1,) = run.raw.glob("primary/*asol1*"), run.raw.glob("secondary/*e1_evt1*")
    with fits.open(asol, mode="update") as hdus:
        hdus[1].data = hdus[1].data[: int(0.62 * len(hdus[1].data))]
        end = hdus[1].data["time"][-1]
    with fits.open(level1, mode="update") as hdus:
        # The archive has no positions for later events; a few earlier ones lost theirs, too.
        hdus["EVENTS"].data["x"][hdus["EVENTS"].data["time"] > end - 100] = np.nan
    job = run.reproduce()
    made, archived = product(job, "events", "e1"), run.raw / "primary/acisf90006N001_e1_evt2.fits.gz"
    expected = events(archived)
    assert_same_events(events(made), expected[expected["time"] <= end - 100])
    header = fits.getheader(made, "EVENTS")
    for chip in (6, 7):
        ends_early = intervals_of(made, chip)[-1][1] - end
        assert abs(ends_early) < 3.24104  # the last frame whose middle has a solution
        kept = sum(
            min(stop, end + ends_early) - start for start, stop in intervals_of(archived, chip) if start < end
        )
        assert header[f"ONTIME{chip}"] == pytest.approx(kept, abs=3.24104)
        assert header[f"LIVTIME{chip}"] == header[f"ONTIME{chip}"] * header["DTCOR"]
    assert header["ONTIME"] < 0.65 * fits.getheader(archived, "EVENTS")["ONTIME"]
    lost = r"e1: 1\d{3}\.\d of 3922\.2 s of good time have no aspect solution and are not used"
    assert re.fullmatch(lost, job.warnings[0])
    companions = Companions((product(job, "asol", "e1"),), mask=product(job, "mask", "e1"))
    with EventFile.open(made) as file:
        for chip in load_field_of_view(file, companions).chips:
            assert chip.seconds.sum() == pytest.approx(header[f"EXPOSUR{chip.number}"], rel=1e-9)


def intervals_of(path: Path, chip: int) -> list[tuple[float, float]]:
    """The good times of a chip."""
    with fits.open(path, memmap=False) as hdus:
        return [(float(start), float(stop)) for start, stop in hdus["GTI", chip].data]


def test_frames_that_the_statistics_do_not_list_are_not_good_time_at_the_ends(
    shared_data: Path, tmp_path: Path
) -> None:
    """The stat1 of this simulation lists every third frame only; its evt1 ends with the good times."""
    run = chain(shared_data, tmp_path, 90001)
    made = product(run.reproduce(), "events")
    (stat1,) = run.raw.glob("secondary/*stat1*")
    listed, (level1,) = fits.getdata(stat1, 1), run.raw.glob("secondary/*evt1*")
    archived = events(run.raw / "primary/acisf90001N001_evt2.fits.gz")
    keep = np.zeros(len(archived), dtype=bool)
    for chip in (3, 0, 1, 2, 6):
        frames = listed["TIME"][listed["CCD_ID"] == chip]
        edges = intervals_of(made, chip)
        assert all(np.abs(frames - 3.24104 / 2 - start).min() < ROUNDING for start, _ in edges)
        last = np.append(frames + 3.24104 / 2, [stop for _, stop in intervals_of(level1, chip)])
        assert all(np.abs(last - stop).min() < ROUNDING for _, stop in edges)
        good = np.any([(archived["time"] >= a) & (archived["time"] < b) for a, b in edges], axis=0)
        keep |= (archived["ccd_id"] == chip) & good
    assert_same_events(events(made), archived[keep])


def test_the_solution_of_the_interval_is_used_where_there_are_those_of_its_parts(
    shared_data: Path, tmp_path: Path
) -> None:
    run = raw_copy(shared_data, tmp_path, 90006)
    (run.raw / "oif.fits").unlink()
    (whole,) = run.raw.glob("primary/*asol1*")
    part = whole.with_name("pcadf369223920N001_asol1.fits.gz")
    shutil.copy(whole, part)
    fits.setval(part, "CONTENT", value="ASPSOL", ext=1)
    job = run.reproduce()
    assert {made.path.name for made in job.products if made.role == "asol"} == {
        whole.name.removesuffix(".gz")
    }
    assert job.warnings == []
    whole.unlink()
    job = replace(run, work=tmp_path / "parts").reproduce()
    assert {made.path.name for made in job.products if made.role == "asol"} == {part.name.removesuffix(".gz")}
    assert job.warnings == [f"{e}: asol_update is not applied: it requires CIAO" for e in ("e1", "e2")]
    assert "asol_update is not applied: it requires CIAO" in history_of(product(job, "events", "e1"))


def test_damaged_data_are_used_and_that_is_said(shared_data: Path, tmp_path: Path) -> None:
    run = raw_copy(shared_data, tmp_path, 90003)
    for path in (*run.raw.glob("primary/*dtf1*"), *run.raw.glob("secondary/*evt1*")):
        data = bytearray(gzip.decompress(path.read_bytes()))
        with fits.open(path) as hdus:
            data[hdus[1].fileinfo()["datLoc"] + 7] ^= 1  # the last bit of a time
        path.write_bytes(gzip.compress(data, 1))
    assert run.reproduce().warnings == [
        "hrcf90003_000N001_evt1.fits.gz: EVENTS does not match its DATASUM: the file may be damaged",
        "hrcf90003_000N001_dtf1.fits.gz: DTF does not match its DATASUM: the file may be damaged",
    ]


def test_events_without_time_are_dropped_and_counted(tmp_path: Path) -> None:
    columns = acis_columns()
    columns["time"][1][[3, 50, 300]] = np.nan
    job = Chain(acis_directory(tmp_path / "raw", columns=columns), tmp_path / "work", 42).reproduce()
    assert np.isfinite(events(product(job, "events"))["time"]).all()
    assert "3 events of acisf00042_000N001_evt1.fits have no time and are dropped" in job.warnings


def test_the_header_says_what_was_not_made_anew(shared_data: Path, tmp_path: Path) -> None:
    job = chain(shared_data, tmp_path, 90001).reproduce()
    history = "".join(fits.getheader(product(job, "events"), "EVENTS")["HISTORY"])
    assert "energies, gain, CTI correction, bad pixels and boresight are those of the archive" in history
    assert job.warnings == []


@pytest.mark.parametrize(
    ("obsid", "settings", "warning"),
    [
        (90002, {}, "chip 8 is on"),
        (90002, {"destreak": False}, ""),
        (90001, {"pix_adj": "edser"}, ""),
        (90003, {"pix_adj": "edser"}, "pix_adj edser requires CIAO"),
        (90001, {"check_very_faint": True}, ""),
        (90002, {"check_very_faint": True, "destreak": False}, ""),
    ],
)
def test_only_what_was_asked_for_and_cannot_be_done_is_warned_of(
    shared_data: Path, tmp_path: Path, obsid: int, settings: dict[str, Any], warning: str
) -> None:
    job = chain(shared_data, tmp_path, obsid).reproduce(**settings)
    assert [warning in text for text in job.warnings] == ([True] if warning else [])
    assert all(text in history_of(product(job, "events")) for text in job.warnings)


@pytest.mark.parametrize(("pix_adj", "rand_sky"), [("none", 0.0), ("randomize", 0.5)])
def test_positions_are_made_anew_where_asked_for(
    shared_data: Path, tmp_path: Path, pix_adj: str, rand_sky: float
) -> None:
    run = chain(shared_data, tmp_path, 90001)
    made = product(run.reproduce(pix_adj=pix_adj), "events")
    archived = replace(run, work=tmp_path / "archived").reproduce(pix_adj="edser")
    ours, theirs = events(made), events(product(archived, "events"))
    apart = np.hypot(ours["x"] - theirs["x"], ours["y"] - theirs["y"])
    assert 0.1 < np.median(apart) < 0.5
    assert apart.max() < (1.2 if rand_sky else 0.5)
    assert ours["time"].tobytes() == theirs["time"].tobytes()
    header = fits.getheader(made, "EVENTS")
    assert (header["PIX_ADJ"], header["RAND_SKY"]) == (pix_adj.upper(), rand_sky)
    assert_sound(made)


def test_positions_stay_without_aspect_solution_and_that_is_said(shared_data: Path, tmp_path: Path) -> None:
    run = chain(shared_data, tmp_path, 28229)
    job = run.reproduce(pix_adj="randomize")
    (archived,) = run.raw.glob("primary/*evt2*")
    assert table_bytes(product(job, "events")) == table_bytes(archived)
    (warning,) = [text for text in job.warnings if "pix_adj randomize requires an aspect solution" in text]
    assert warning in history_of(product(job, "events"))


def acis_directory(root: Path, **changes: Any) -> Path:
    """An ObsID directory that has nothing but a level-1 event list."""
    (root / "primary").mkdir(parents=True)
    write_events(root / "primary" / "acisf00042_000N001_evt1.fits", **changes)
    return root


def test_level_1_is_put_in_order_of_time(tmp_path: Path) -> None:
    columns = acis_columns()
    times, energies = columns["time"][1][::-1], columns["energy"][1]
    columns["time"] = ("1D", times)
    job = Chain(acis_directory(tmp_path / "raw", columns=columns), tmp_path / "work", 42).reproduce()
    rows = events(product(job, "events"))
    assert len(rows) > 50
    assert np.all(np.diff(rows["time"]) > 0)
    energy = dict(zip(times, energies.astype("f4"), strict=True))
    assert [energy[time] for time in rows["time"]] == rows["energy"].tolist()
    assert_sound(product(job, "events"))
    assert not list(job.scratch.iterdir())


def test_very_faint_cleaning_takes_events_with_bright_borders(tmp_path: Path) -> None:
    columns = acis_columns()
    islands = np.zeros((400, 25), dtype=int)
    islands[::4, 0] = 14
    columns["phas"] = ("25I", islands)
    raw = acis_directory(tmp_path / "raw", columns=columns, DATAMODE="VFAINT")
    corners = {}
    for very_faint in (False, True):
        job = Chain(raw, tmp_path / f"work{very_faint}", 42).reproduce(check_very_faint=very_faint)
        made = product(job, "events")
        corners[very_faint] = events(made)["phas"][:, 0]
        assert fits.getheader(made, "EVENTS").get("CHKVFPHA", False) is very_faint
    assert 14 in corners[False]
    assert len(corners[True]) == np.sum(corners[False] == 0)
    assert not corners[True].any()


def test_very_faint_cleaning_without_islands_is_not_done_and_that_is_said(tmp_path: Path) -> None:
    raw = acis_directory(tmp_path / "raw", DATAMODE="VFAINT")
    job = Chain(raw, tmp_path / "work", 42).reproduce(check_very_faint=True)
    assert any("check_very_faint is not applied" in text and "5 x 5" in text for text in job.warnings)


def test_files_that_lack_gtis_or_status_are_used_and_that_is_said(tmp_path: Path) -> None:
    columns = acis_columns()
    del columns["status"]
    raw = acis_directory(tmp_path / "raw", columns=columns, gtis={})
    job = Chain(raw, tmp_path / "work", 42).reproduce()
    assert sum("has no GTI extension" in text or "no column status" in text for text in job.warnings) == 2
    assert fits.getheader(product(job, "events"), "EVENTS")["ONTIME"] == 1000
    assert_sound(product(job, "events"))


def test_an_exposure_without_good_time_makes_nothing(tmp_path: Path) -> None:
    raw = acis_directory(tmp_path / "raw", gtis={7: ([], []), 6: ([], [])})
    with pytest.raises(Excluded, match="no exposure has good time"):
        Chain(raw, tmp_path / "work", 42).reproduce()
    assert not list((tmp_path / "work" / "chandra_repro" / "products").iterdir())


def test_one_dead_exposure_of_two_is_a_warning(shared_data: Path, tmp_path: Path) -> None:
    run = Chain(tmp_path / "raw", tmp_path / "work", 90007)
    shutil.copytree(shared_data / "sim/90007", run.raw)
    with fits.open(run.raw / "secondary/acisf90007_001N001_flt1.fits.gz", mode="update") as hdus:
        for hdu in hdus[2:]:
            hdu.data["STOP"] = hdu.data["START"]
    job = run.reproduce()
    assert {made.exposure for made in job.products} == {"E000"}
    assert job.warnings == ["E001: no good time: this exposure has no products"]


def test_damage_is_named(shared_data: Path, tmp_path: Path) -> None:
    run = Chain(tmp_path / "raw", tmp_path / "work", 90001)
    shutil.copytree(shared_data / "sim/90001", run.raw)
    bpix = run.raw / "primary/acisf90001_000N001_bpix1.fits.gz"
    bpix.write_bytes(bpix.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"acisf90001_000N001_bpix1\.fits\.gz is a damaged gzip file"):
        run.reproduce()


def test_the_same_input_makes_the_same_bytes(shared_data: Path, tmp_path: Path) -> None:
    jobs = [
        Chain(shared_data / "sim/90001", tmp_path / work, 90001).reproduce(pix_adj="randomize")
        for work in ("one", "two")
    ]
    for one, two in zip(*(sorted(job.directory.iterdir()) for job in jobs), strict=True):
        assert one.name == two.name
        assert one.read_bytes() == two.read_bytes()
