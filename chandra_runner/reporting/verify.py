"""Reads all products and raw files of a recipe, and compares them with what was recorded of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.observation.raw_files import find_directory
from chandra_runner.planning.digests import digest_bytes
from chandra_runner.planning.manifest import NAME, read_manifest
from chandra_runner.planning.plan import Plan
from chandra_runner.stages.download import INVENTORY, read_inventory

DOWNLOAD = "download"
RAW = "raw data"


@dataclass(frozen=True)
class CheckedFile:
    """A file that was read.

    Parameters
    ----------
    observation : int
        ObsID.
    stage : str
        Who made it; `RAW` for raw data.
    path : str
        Relative to the stage's products, or to the ObsID directory.
    size : int
        Bytes that were read.
    problem : str
        What is wrong with it; empty where nothing is.
    """

    observation: int
    stage: str
    path: str
    size: int
    problem: str = ""


def verify(plan: Plan, cores: int) -> Iterator[CheckedFile]:
    """Read everything that the observations of a plan have, so many observations at a time.

    What was never made is no damage; neither are raw files that came later: `plan` tells of them.
    """
    with ThreadPoolExecutor(cores) as pool:
        for checked in pool.map(lambda obsid: list(_observation(plan, obsid)), plan.recipe.observations):
            yield from checked


def _observation(plan: Plan, obsid: int) -> Iterator[CheckedFile]:
    directory = plan.recipe.products / str(obsid)
    for stage in plan.order:
        if (directory / stage / NAME).exists():
            yield from _products(directory / stage, obsid, stage)
    if (directory / DOWNLOAD / INVENTORY).exists():
        yield from _raw(plan.recipe.data, directory / DOWNLOAD / INVENTORY, obsid)


def _products(directory: Path, obsid: int, stage: str) -> Iterator[CheckedFile]:
    manifest = read_manifest(directory)
    if manifest is None:
        yield CheckedFile(obsid, stage, NAME, 0, "cannot be read")
        return
    if manifest.fingerprint != manifest.parts.fingerprint():
        yield CheckedFile(obsid, stage, NAME, 0, "was altered: its fingerprint is of other parts")
    for output in manifest.outputs:
        yield _file(directory, CheckedFile(obsid, stage, output.path, output.size), output.digest)


def _raw(data: Path, inventory: Path, obsid: int) -> Iterator[CheckedFile]:
    directory = find_directory(data, obsid)
    try:
        files = read_inventory(inventory)
    except DataError:
        return  # it is a product, and told of there
    if directory is None:
        yield CheckedFile(obsid, RAW, "", 0, f"no directory of it is under {data} any more")
        return
    for file in files:
        yield _file(directory, CheckedFile(obsid, RAW, file.path, file.size), file.sha256)


def _file(directory: Path, recorded: CheckedFile, digest: str) -> CheckedFile:
    """What a file is, where it was recorded with this size and digest."""
    try:
        now = digest_bytes(directory / recorded.path)
    except FileNotFoundError:
        problem, size = "is missing", 0
    except OSError as error:
        problem, size = f"cannot be read: {error.strerror}", 0
    else:
        size = now.stat.size
        problem = "" if now.digest == digest else "was altered"
        if problem and size != recorded.size:
            problem = f"was altered: {size} bytes, {recorded.size} were recorded"
    return CheckedFile(recorded.observation, recorded.stage, recorded.path, size, problem)


def verify_json(checked: Iterable[CheckedFile]) -> str:
    """The document of ``verify --json``."""
    files = list(checked)
    damage = [{k: v for k, v in asdict(file).items() if k != "size"} for file in files if file.problem]
    return json.dumps(
        {"files": len(files), "bytes": sum(file.size for file in files), "damage": damage}, indent=1
    )


def verify_text(checked: Sequence[CheckedFile]) -> str:
    """A line for each damaged file, and one for all."""
    damaged = [file for file in checked if file.problem]
    rows = [f"{file.observation} {file.stage}: {file.path} {file.problem}" for file in damaged]
    megabytes = sum(file.size for file in checked) / 1e6
    total = f"{len(checked)} files, {megabytes:.1f} MB read: "
    verdict = f"{len(damaged)} damaged; a run makes damaged products again" if damaged else "all are intact"
    return "\n".join([*rows, total + verdict])
