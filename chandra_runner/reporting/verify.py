"""Reading all products and raw files of a recipe, and comparing them with their recorded digests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.observation.raw_files import find_directory
from chandra_runner.planning.digests import digest_bytes
from chandra_runner.planning.manifest import NAME, read_manifest
from chandra_runner.planning.plan import Plan
from chandra_runner.stages.registry import get
from chandra_runner.stages.stage import RAW, Stage

RAW_DATA = "raw data"
"""What stands in place of a stage's name for raw files."""


@dataclass(frozen=True)
class CheckedFile:
    """A file that was read.

    Parameters
    ----------
    observation : int
        ObsID.
    stage : str
        The stage that made it; `RAW_DATA` for raw files.
    path : str
        Relative to the stage's products, or to the ObsID directory.
    size : int
        Number of bytes that were read.
    problem : str
        What is wrong with it; empty if nothing is.
    """

    observation: int
    stage: str
    path: str
    size: int
    problem: str = ""


def verify(plan: Plan, cores: int) -> Iterator[CheckedFile]:
    """Read all files of the observations of a plan, and yield each with what is wrong with it.

    Products that were never made are not damage, and neither are new raw files: `plan` reports those.

    Parameters
    ----------
    plan : Plan
        The plan.
    cores : int
        Number of observations to read at the same time.
    """
    with ThreadPoolExecutor(cores) as pool:
        for checked in pool.map(lambda obsid: list(_observation(plan, obsid)), plan.recipe.observations):
            yield from checked


def _observation(plan: Plan, obsid: int) -> Iterator[CheckedFile]:
    directory = plan.recipe.products / str(obsid)
    for stage in plan.order:
        if (directory / stage / NAME).exists():
            yield from _products(directory / stage, obsid, stage)
    for stage in plan.order:
        if RAW in get(stage).makes:
            yield from _raw(plan.recipe.data, directory / stage, get(stage), obsid)


def _products(directory: Path, obsid: int, stage: str) -> Iterator[CheckedFile]:
    manifest = read_manifest(directory)
    if manifest is None:
        yield CheckedFile(obsid, stage, NAME, 0, "cannot be read")
        return
    if manifest.fingerprint != manifest.parts.fingerprint():
        yield CheckedFile(obsid, stage, NAME, 0, "was altered: its fingerprint does not match its parts")
    for output in manifest.outputs:
        yield _file(directory, CheckedFile(obsid, stage, output.path, output.size), output.digest)


def _raw(data: Path, products: Path, stage: type[Stage], obsid: int) -> Iterator[CheckedFile]:
    directory = find_directory(data, obsid)
    try:
        files = stage.read_inventory(products)
    except DataError:
        return  # the inventory is a product: it was reported as missing or altered
    if directory is None:
        yield CheckedFile(obsid, RAW_DATA, "", 0, f"its directory is no longer under {data}")
        return
    for file in files:
        yield _file(directory, CheckedFile(obsid, RAW_DATA, file.path, file.size), file.sha256)


def _file(directory: Path, recorded: CheckedFile, digest: str) -> CheckedFile:
    """Return a recorded file with what is wrong with it now."""
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
