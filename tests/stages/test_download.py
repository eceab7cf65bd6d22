"""download takes the inventory, and has sample ObsIDs made; what it cannot get it names, with a way out."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from chandra_runner.archive import sample
from chandra_runner.errors import DataError, ExitCode, SiteError
from chandra_runner.inventory import RawFile, inventory
from chandra_runner.stage import Job
from chandra_runner.stages.download import STAGE, download, read_inventory


@pytest.fixture
def job(tmp_path: Path) -> Job:
    products = tmp_path / "products"
    products.mkdir()
    return Job(99003, {}, tmp_path / "data" / "99003", products, tmp_path, archives=("cxc", "sample"))


def test_what_is_there_is_listed_with_digests(job: Job) -> None:
    (job.raw / "primary").mkdir(parents=True)
    (job.raw / "primary" / "acisf99003N001_evt2.fits").write_bytes(b"events")
    download(job)
    assert [(product.role, product.path.name) for product in job.products] == [("raw", "inventory.json")]
    digest = hashlib.sha256(b"events").hexdigest()
    expected = RawFile("primary/acisf99003N001_evt2.fits", "evt2", 6, digest)
    assert read_inventory(job.directory / "inventory.json") == (expected,)
    assert [path.name for path in job.raw.rglob("*.fits")] == ["acisf99003N001_evt2.fits"]


def test_the_same_files_give_the_same_bytes(job: Job) -> None:
    sample.write(99003, job.raw)
    download(job)
    first = (job.directory / "inventory.json").read_bytes()
    for path in job.raw.rglob("*.gz"):
        path.touch()
    download(job)
    assert (job.directory / "inventory.json").read_bytes() == first


def test_a_missing_sample_is_made(job: Job) -> None:
    download(job)
    assert read_inventory(job.directory / "inventory.json") == inventory(job.raw)
    assert {"evt1", "evt2", "oif", "dtf1"} <= {file.kind for file in inventory(job.raw)}


@pytest.mark.parametrize(
    ("obsid", "archives", "message"),
    [
        (493, ("cxc", "x"), r"ObsID 493 is not under \S+data and cannot be fetched \(archive: cxc, x\)"),
        (
            493,
            ("sample",),
            r"only the archive sample, with the synthetic ObsIDs 99001, .*, 99005; put its dir",
        ),
        (493, (), r"\(archive: none\).* cd \S+data && download_chandra_obsid 493$"),
        (99003, ("cxc",), r"ObsID 99003 is not under .*; it is a synthetic one: with archive: \[sample\]"),
    ],
)
def test_what_cannot_be_had_is_named_with_a_way_out(
    tmp_path: Path, obsid: int, archives: tuple[str, ...], message: str
) -> None:
    missing = Job(obsid, {}, tmp_path / "data" / str(obsid), tmp_path, tmp_path, archives=archives)
    with pytest.raises(DataError, match=message):
        download(missing)
    assert not (tmp_path / "data").exists()
    assert not missing.products


def test_a_data_directory_that_cannot_be_written_is_the_sites_fault(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(sample, "write", refuse)
    with pytest.raises(
        SiteError, match=r"ObsID 99003 cannot be written to \S+data: Permission denied; "
    ) as error:
        download(job)
    assert error.value.exit_code == ExitCode.ENVIRONMENT


def test_a_file_that_is_no_inventory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "inventory.json").write_text("[]")
    with pytest.raises(DataError, match="is no inventory of raw data"):
        read_inventory(tmp_path / "inventory.json")


def test_the_stage_is_light_to_import() -> None:
    code = "import sys, chandra_runner.stages.download; print({'numpy', 'astropy'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert (STAGE.name, STAGE.makes) == ("download", ("raw",))
