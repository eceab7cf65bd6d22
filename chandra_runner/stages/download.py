"""download: what is under `data` for an observation, with digests; made first where an archive has it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import ClassVar

from loguru import logger

from ..archive import sample
from ..errors import DataError, SiteError
from ..inventory import RawFile, inventory, list_files
from ..stage import ANY, Job, Stage

INVENTORY = "inventory.json"
SAMPLE = "sample"
"""Name of the built-in archive in a recipe."""


def download(job: Job) -> None:
    """List the ObsID directory; have it made when it is missing and the archive `sample` has it."""
    if not list_files(job.raw):
        _fetch(job)
    files = inventory(job.raw)
    logger.info(f"{job.raw}: {len(files)} files, {sum(file.size for file in files) / 1e6:.1f} MB")
    write_inventory(files, job.output(INVENTORY, "raw"))


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


def _fetch(job: Job) -> None:
    if SAMPLE not in job.archives or job.observation not in sample.OBSIDS:
        raise _missing(job)
    logger.info(f"ObsID {job.observation} is synthetic: made by the archive {SAMPLE}, no flight data")
    try:
        sample.write(job.observation, job.raw)
    except OSError as error:
        raise SiteError(
            f"ObsID {job.observation} cannot be written to {job.raw.parent}: {error.strerror or error}",
            "make room or give permission there, or name another directory with data: or --data",
        ) from error


def _missing(job: Job) -> DataError:
    obsid, data = job.observation, job.raw.parent
    if obsid in sample.OBSIDS:
        return DataError(
            f"ObsID {obsid} is not under {data}",
            f"it is a synthetic one: with archive: [{SAMPLE}] in the recipe it is made",
        )
    asked, known = ", ".join(job.archives) or "none", ", ".join(map(str, sample.OBSIDS))
    return DataError(
        f"ObsID {obsid} is not under {data} and cannot be fetched (archive: {asked}): "
        f"this version has only the archive {SAMPLE}, with the synthetic ObsIDs {known}",
        f"put its directory there, e.g. with CIAO: cd {quote(str(data))} && download_chandra_obsid {obsid}",
    )


class Download(Stage):
    """What there is of an observation's raw data."""

    name = "download"
    makes = ("raw",)
    executors: ClassVar = {ANY: download}


STAGE = Download
