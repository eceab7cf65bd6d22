"""What chandra_repro finds in an ObsID directory, and does to it."""

from __future__ import annotations

import gzip
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .messages import Failure, not_opened

SINGLE = ("evt1", "bpix1", "flt1", "msk1", "mtl1", "stat1", "pbk0", "dtf1")
"""Kinds of which there can be one."""
_SEVERAL = ("asol1", "osol1", "bias0", "fov1")
_BY_CYCLE = frozenset(("evt1", "bpix1", "flt1", "msk1", "mtl1", "stat1", "fov1"))
"""Kinds of which each cycle of interleaved exposures has its own."""
NEEDED = ("evt1", "bpix1", "flt1", "msk1")
NEEDED_BY_BADPIX = ("mtl1", "stat1", "pbk0", "bias0")
"""Of ACIS, where a new bad-pixel file is made."""
_SPLIT = "If this is a multi-obi OBS_ID, try running the splitobs script first."


class NothingToDo(Exception):
    """There is no level 1: the tool says so, and ends as if all were well."""


@dataclass(frozen=True)
class Inputs:
    """The files of one exposure, unpacked.

    Parameters
    ----------
    root : str
        What the products' names begin with.
    files : Mapping
        By kind; kinds that are not there are empty.
    """

    root: str
    files: Mapping[str, tuple[Path, ...]]

    def one(self, kind: str) -> Path:
        """The file of a kind that is there."""
        return self.files[kind][0]


def find_inputs(indir: Path, root: str) -> list[Inputs]:
    """Inputs of each exposure: one, or the two of interleaved mode. All are unpacked where they are.

    Raises
    ------
    Failure
        There are several files of a kind, or a file and its compressed copy.
    NothingToDo
        There is no level-1 event file.
    """
    folders = _folders(indir)
    events = sorted(path.name for path in _listed(folders, "evt1", ""))
    if not events:
        where = " or ".join(str(folder) for folder in dict.fromkeys((indir, folders[-1])))
        raise NothingToDo(f"Unable to locate level=1 event file in {where}.  Skipping it")
    cycles = _cycles(events)
    if len(events) > len(cycles):
        raise Failure(f"Multiple evt1 files found in directory {indir}.  Skipping it. {_SPLIT}")
    base = root or events[0].partition("_")[0]
    found = [(f"{base}{cycle}", _find(folders, cycle)) for cycle in cycles]
    unpacked: dict[Path, Path] = {}
    return [
        Inputs(
            name,
            {kind: tuple(_unpack(path, unpacked) for path in paths) for kind, paths in files.items()},
        )
        for name, files in found
    ]


def _folders(indir: Path) -> tuple[Path, ...]:
    folders = tuple(indir / name for name in ("primary", "secondary") if (indir / name).is_dir())
    return folders or (indir,)


def _cycles(events: list[str]) -> tuple[str, ...]:
    """``e1`` and ``e2`` where there are two event lists that differ in nothing else."""
    if len(events) == 2 and "_e1_" in events[0] and events[0].replace("_e1_", "_e2_") == events[1]:
        return "e1", "e2"
    return ("",)


def _find(folders: tuple[Path, ...], cycle: str) -> dict[str, tuple[Path, ...]]:
    files = {}
    for kind in (*SINGLE, *_SEVERAL):
        paths = _listed(folders, kind, cycle if kind in _BY_CYCLE else "")
        names = [path.name.removesuffix(".gz") for path in paths]
        if len(paths) > 1 and (kind in SINGLE or len(set(names)) < len(names)):
            raise Failure(f"Multiple input {kind} files found, please select one and restart. {_SPLIT}")
        files[kind] = paths
    return files


def _listed(folders: tuple[Path, ...], kind: str, cycle: str) -> tuple[Path, ...]:
    # On-board aspect solutions are in a folder of their own.
    places = [folder / "aspect" if kind == "osol1" else folder for folder in folders]
    name = re.compile(rf".*{cycle and f'_{cycle}'}_{kind}\.fits(\.gz)?")
    return tuple(
        path
        for place in places
        if place.is_dir()
        for path in sorted(place.iterdir())
        if name.fullmatch(path.name)
    )


def _unpack(path: Path, unpacked: dict[Path, Path]) -> Path:
    """Replace a compressed file by a plain one beside it, as chandra_repro does."""
    if path.suffix != ".gz":
        return path
    if path not in unpacked:
        plain = path.with_suffix("")
        try:
            with gzip.open(path) as source, plain.open("wb") as target:
                shutil.copyfileobj(source, target)
        except (OSError, EOFError) as error:
            raise not_opened(path) from error
        path.unlink()
        unpacked[path] = plain
    return unpacked[path]
