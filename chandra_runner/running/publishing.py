"""Puts a task's finished directory into place whole: readers see the old products or the new ones."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

STATE = ".chandra-run"
ELSEWHERE = "elsewhere"
"""Name of a link in a scratch directory, to a temporary directory that goes when scratch goes."""
OUTSIDE = "chandra-run-"
"""What the names of such temporary directories begin with."""


def state_directory(products: Path) -> Path:
    """Where a run keeps its locks, scratch and caches; safe to delete when nothing runs."""
    return products / STATE


def publish(finished: Path, target: Path, aside: Path) -> None:
    """Replace a stage's products.

    Parameters
    ----------
    finished : Path
        The new directory, on the same file system; all of it reaches the disk first.
    target : Path
        Where it goes, ``<products>/<obsid>/<stage>``.
    aside : Path
        Where the old one waits until the new one is in place. After a crash in between `repair`
        brings it back.
    """
    for path in sorted(finished.rglob("*")):
        if not path.is_symlink():
            _sync(path)
    _sync(finished)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        shutil.rmtree(aside, ignore_errors=True)
        aside.parent.mkdir(parents=True, exist_ok=True)
        target.rename(aside)
    try:
        finished.rename(target)
    except OSError:
        if aside.exists():
            aside.rename(target)
        raise
    _sync(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


def aside_directory(products: Path, obsid: int, stage: str) -> Path:
    """Where the old products of a stage wait while they are replaced."""
    return state_directory(products) / "aside" / f"{obsid}.{stage}"


def scratch_directory(products: Path, obsid: int) -> Path:
    """Where the tasks of an ObsID work."""
    return state_directory(products) / "scratch" / str(obsid)


def remove_scratch(directory: Path) -> None:
    """Remove a scratch directory, and the temporary directories that its tasks worked in."""
    for link in directory.rglob(ELSEWHERE):
        target = Path(os.path.realpath(link))
        if link.is_symlink() and target.name.startswith(OUTSIDE):
            shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)


def repair(products: Path, obsid: int) -> list[str]:
    """Clean up after a run that was ended in the middle; to be called with the ObsID's lock held.

    Returns
    -------
    list of str
        Stages whose old products were brought back.
    """
    remove_scratch(scratch_directory(products, obsid))
    brought_back = []
    for old in sorted(aside_directory(products, obsid, "").parent.glob(f"{obsid}.*")):
        stage = old.name.partition(".")[2]
        target = products / str(obsid) / stage
        if target.exists():
            shutil.rmtree(old)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            old.rename(target)
            brought_back.append(stage)
    return brought_back


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
