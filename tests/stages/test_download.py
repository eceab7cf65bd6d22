"""download takes the inventory, and has sample ObsIDs made; what it cannot get it names, with a way out."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chandra_runner.archive.download.download_record import DownloadRecord
from chandra_runner.errors import DataError, ExitCode, SiteError
from chandra_runner.observation.raw_files import RawFile, inventory
from chandra_runner.stages.download import STAGE, download
from chandra_runner.stages.download.raw_inventory import read_inventory
from chandra_runner.stages.job import Job

from .jobs import make_job, settings_of


@pytest.fixture
def job(tmp_path: Path) -> Job[Any]:
    job = make_job(STAGE, tmp_path / "data" / "99003", tmp_path / "work", obsid=99003)
    return replace(job, archives=("sample",))


def test_what_is_there_is_listed_with_digests(job: Job[Any]) -> None:
    (job.raw / "primary").mkdir(parents=True)
    (job.raw / "primary" / "acisf99003N001_evt2.fits").write_bytes(b"events")
    download(job)
    names = [(product.role, product.path.name) for product in job.products]
    assert names == [("raw", "inventory.json"), ("sources", "sources.json")]
    digest = hashlib.sha256(b"events").hexdigest()
    expected = RawFile("primary/acisf99003N001_evt2.fits", "evt2", 6, digest)
    assert read_inventory(job.directory / "inventory.json") == (expected,)
    assert [path.name for path in job.raw.rglob("*.fits")] == ["acisf99003N001_evt2.fits"]


def test_the_same_files_give_the_same_bytes(job: Job[Any]) -> None:
    download(job)
    first = (job.directory / "inventory.json").read_bytes()
    for path in job.raw.rglob("*.gz"):
        path.touch()
    download(job)
    assert (job.directory / "inventory.json").read_bytes() == first


def test_a_missing_sample_is_made(job: Job[Any]) -> None:
    download(job)
    assert read_inventory(job.directory / "inventory.json") == inventory(job.raw)
    assert {"evt1", "evt2", "oif", "dtf1"} <= {file.kind for file in inventory(job.raw)}
    sources = json.loads((job.directory / "sources.json").read_text())
    assert sources["pending"] == []
    assert {source["url"] for source in sources["sources"].values()} == {"sample"}


def test_only_what_the_stages_want_is_brought(job: Job[Any]) -> None:
    download(replace(job, kinds=frozenset({"evt2"})))
    assert {file.kind for file in inventory(job.raw)} == {"evt2", "oif"}
    download(replace(job, kinds=frozenset({"evt2", "asol1"})))
    assert {file.kind for file in inventory(job.raw)} == {"evt2", "asol1", "oif"}
    everything = settings_of(STAGE, files="all")
    download(replace(job, kinds=frozenset({"evt2"}), settings=everything))
    assert "evt1" in {file.kind for file in inventory(job.raw)}


def test_a_file_that_went_missing_is_brought_again(job: Job[Any]) -> None:
    download(job)
    before = inventory(job.raw)
    for path in job.raw.glob("primary/*asol1*"):
        path.unlink()
    download(job)
    assert inventory(job.raw) == before


def test_an_unpacked_file_is_not_fetched_beside_itself(job: Job[Any]) -> None:
    download(job)
    (packed,) = job.raw.glob("primary/*asol1*")
    packed.with_suffix("").write_bytes(gzip.decompress(packed.read_bytes()))
    packed.unlink()
    (job.raw / "primary" / "hrcf99003_000N001_fov1.fits.gz").unlink()
    download(job)
    assert (job.raw / "primary" / "hrcf99003_000N001_fov1.fits.gz").exists()
    assert not packed.exists()


@pytest.mark.parametrize(
    ("obsid", "archives", "message"),
    [
        (493, ("sample",), r"^ObsID 493: sample: it has only 99001, .*, 99005; put its directory under"),
        (
            493,
            (),
            r"^ObsID 493: it was not found under \S+data; with archive: none nothing is downloaded; put its",
        ),
        (
            99003,
            (),
            r"^ObsID 99003: it was not found under .*; it is a synthetic .*: write archive: \[sample\]",
        ),
    ],
)
def test_what_cannot_be_had_is_named_with_a_way_out(
    tmp_path: Path, obsid: int, archives: tuple[str, ...], message: str
) -> None:
    job = make_job(STAGE, tmp_path / "data" / str(obsid), tmp_path / "work", obsid=obsid)
    missing = replace(job, archives=archives)
    with pytest.raises(DataError, match=message):
        download(missing)
    assert not (tmp_path / "data" / str(obsid)).exists()
    assert not missing.products


def test_a_data_directory_that_cannot_be_written_is_the_sites_fault(job: Job[Any]) -> None:
    job.raw.parent.parent.mkdir(exist_ok=True)
    job.raw.parent.write_text("a file where the directory should be")
    with pytest.raises(SiteError, match=r"ObsID 99003 cannot be written to \S+data: ") as error:
        download(job)
    assert error.value.exit_code == ExitCode.ENVIRONMENT


def test_a_download_that_was_interrupted_is_not_taken_for_all_there_is(job: Job[Any]) -> None:
    download(job)
    record = DownloadRecord.read(job.raw)
    record.pending = ["secondary/hrcf99003_000N001_evt1.fits.gz"]
    record.write(job.raw)
    job = replace(job, archives=())
    download(job)  # the file is there: nothing is missing
    (job.raw / record.pending[0]).unlink()
    with pytest.raises(DataError, match=r"interrupted download did not get secondary/hrcf99003_000N001_evt1"):
        download(job)


def test_a_file_that_is_no_inventory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inventory.json").write_text("[]")
    with pytest.raises(DataError, match="is not an inventory of raw data"):
        read_inventory(tmp_path / "inventory.json")


def test_the_stage_is_light_to_import() -> None:
    code = "import sys, chandra_runner.stages.download; print({'numpy', 'astropy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert (STAGE.name, STAGE.makes) == ("download", ("raw", "sources"))
