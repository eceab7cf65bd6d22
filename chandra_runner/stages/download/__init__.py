"""download: what is under `data` for an observation, with digests; what is missing is fetched first."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import ClassVar

from loguru import logger

from chandra_runner.archive.download.download import DownloadRequest, bring
from chandra_runner.archive.download.download_record import Record
from chandra_runner.archive.download.file_selection import FileSelection
from chandra_runner.errors import DataError
from chandra_runner.observation.raw_files import RawFile, inventory
from chandra_runner.stages.stage import ANY, Job, Stage

INVENTORY = "inventory.json"
SOURCES = "sources.json"


def download(job: Job) -> None:
    """Bring what is missing, then list the ObsID directory."""
    bring(_errand(job))
    files = inventory(job.raw)
    logger.info(f"{job.raw}: {len(files)} files, {sum(file.size for file in files) / 1e6:.1f} MB")
    write_inventory(files, job.output(INVENTORY, "raw"))
    text = Record.read(job.raw).text(file.path for file in files)
    job.output(SOURCES, "sources").write_text(text, encoding="utf-8")


def write_inventory(files: Iterable[RawFile], path: Path) -> None:
    """Write an inventory: the same files give the same bytes."""
    text = json.dumps({"files": [asdict(file) for file in files]}, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def read_inventory(path: Path) -> tuple[RawFile, ...]:
    """Read what `write_inventory` wrote.

    Raises
    ------
    DataError
        It is something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return tuple(RawFile(**file) for file in content["files"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} is no inventory of raw data: {error}", "--force download makes it anew"
        ) from error


def _errand(job: Job) -> DownloadRequest:
    everything = job.settings["files"] == "all"
    return DownloadRequest(
        obsid=job.observation,
        directory=job.raw,
        archives=job.archives,
        wanted=FileSelection(frozenset() if everything else job.kinds),
        newer=job.refresh,
        idle_timeout=float(job.settings["idle_timeout"].to_value("s")),
        scratch=job.scratch,
        tell=job.progress,
    )


class Download(Stage):
    """What there is of an observation's raw data."""

    name = "download"
    makes = ("raw", "sources")
    executors: ClassVar = {ANY: download}


STAGE = Download
