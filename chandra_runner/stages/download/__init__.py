"""Stage download: list the ObsID directory under `data` with digests; download what is missing first."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from loguru import logger

from chandra_runner.observation.raw_files import RawFile, inventory
from chandra_runner.stages.job import Job
from chandra_runner.stages.stage import ANY, RAW, Stage
from chandra_runner.stages.updates import UpdateCheck

from .raw_inventory import INVENTORY, read_inventory, write_inventory
from .settings import DownloadSettings

SOURCES = "sources.json"


def download(job: Job[DownloadSettings]) -> None:
    """Download what is missing, then list the ObsID directory."""
    from chandra_runner.archive.download.download import DownloadRequest, download_missing_files
    from chandra_runner.archive.download.download_record import DownloadRecord
    from chandra_runner.archive.download.file_selection import FileSelection

    everything = job.settings.files == "all"
    download_missing_files(
        DownloadRequest(
            obsid=job.observation,
            directory=job.raw,
            archives=job.archives,
            selection=FileSelection(frozenset() if everything else job.kinds),
            refresh=job.refresh,
            idle_timeout=float(job.settings.idle_timeout.to_value("s")),
            scratch=job.scratch,
            report_progress=job.progress,
        )
    )
    files = inventory(job.raw)
    logger.info(f"{job.raw}: {len(files)} files, {sum(file.size for file in files) / 1e6:.1f} MB")
    write_inventory(files, job.output(INVENTORY, RAW))
    text = DownloadRecord.read(job.raw).text(file.path for file in files)
    job.output(SOURCES, "sources").write_text(text, encoding="utf-8")


class Download(Stage):
    """The inventory of an observation's raw data."""

    name = "download"
    makes = (RAW, "sources")
    settings_class = DownloadSettings
    executors: ClassVar = {ANY: download}

    @classmethod
    def read_inventory(cls, directory: Path) -> tuple[RawFile, ...]:
        """Return the raw files that an inventory lists."""
        return read_inventory(directory / INVENTORY)

    @classmethod
    def find_updates(cls, check: UpdateCheck) -> str:
        """Say which newer raw data the archives have; empty for none."""
        from .updates import find_updates

        return find_updates(check)


STAGE = Download
