"""chandra_repro, native: level 1 becomes the archive's level 2, and what cannot be redone is said."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from numpy.typing import NDArray

from chandra_runner.errors import DataError
from chandra_runner.stages.outcome import Excluded

from ..event_files import acis_columns, assert_sound, table_bytes, write_events
from .jobs import Chain, product

ARCHIVED_EXPOSURES = [
    (90001, "E001", "acisf90001N001_evt2.fits.gz", "acisf90001"),
    (90002, "E001", "acisf90002N001_evt2.fits.gz", "acisf90002"),
    (90005, "E001", "acisf90005N001_evt2.fits.gz", "acisf90005"),
    (90006, "e1", "acisf90006N001_e1_evt2.fits.gz", "acisf90006e1"),
    (90006, "e2", "acisf90006N001_e2_evt2.fits.gz", "acisf90006e2"),
]
NUMBERS = ("ONTIME", "LIVETIME", "LIVTIME", "EXPOSUR", "TSTART", "TSTOP", "DTCOR")
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
            assert ours[key] == pytest.approx(theirs[key], rel=1e-12), key


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
    assert [text.split(":")[1].strip() for text in job.warnings] == [
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
    warnings = chain(shared_data, tmp_path, obsid).reproduce(**settings).warnings
    assert [warning in text for text in warnings] == ([True] if warning else [])


@pytest.mark.parametrize(("pix_adj", "rand_sky"), [("none", 0.0), ("randomize", 0.5)])
def test_positions_are_made_anew_where_asked_for(
    shared_data: Path, tmp_path: Path, pix_adj: str, rand_sky: float
) -> None:
    run = chain(shared_data, tmp_path, 90001)
    made = product(run.reproduce(pix_adj=pix_adj), "events")
    ours, theirs = events(made), events(run.raw / "primary" / "acisf90001N001_evt2.fits.gz")
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
    assert any("pix_adj randomize requires an aspect solution" in text for text in job.warnings)


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
