"""Putting a task's finished directory into place as a whole, so that no reader sees a mixture."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from pathlib import Path

from chandra_runner.planning.manifest import other_files, read_manifest
from chandra_runner.storage.atomic_write import sync
from chandra_runner.storage.state_directory import remove_scratch, scratch_directory, state_directory


def publish(finished: Path, target: Path, aside: Path) -> None:
    """Replace a stage's products; files that its manifest does not list are carried over.

    Parameters
    ----------
    finished : Path
        The new directory, on the same file system; its content is flushed to disk first.
    target : Path
        The directory to replace, ``<products>/<obsid>/<stage>``, or whatever is in its place.
    aside : Path
        Where the old directory is kept until the new one is in place. After a crash in between,
        `repair` moves it back.
    """
    _carry_over(other_files(target, read_manifest(target)), target, finished)
    for path in sorted(finished.rglob("*")):
        if not path.is_symlink():
            sync(path)
    sync(finished)
    target.parent.mkdir(parents=True, exist_ok=True)
    if os.path.lexists(target):
        _remove(aside)
        aside.parent.mkdir(parents=True, exist_ok=True)
        target.rename(aside)
    try:
        finished.rename(target)
    except OSError:
        if os.path.lexists(aside):
            aside.rename(target)
        raise
    sync(target.parent)
    _remove(aside)


def aside_directory(products: Path, obsid: int, stage: str) -> Path:
    """Return where the old products of a stage are kept while they are replaced."""
    return state_directory(products) / "aside" / f"{obsid}.{stage}"


def repair(products: Path, obsid: int) -> list[str]:
    """Clean up after a run that was killed; call it with the ObsID's lock held.

    Returns
    -------
    list of str
        Stages whose old products were moved back.
    """
    remove_scratch(scratch_directory(products, obsid))
    restored = []
    for old in sorted(aside_directory(products, obsid, "").parent.glob(f"{obsid}.*")):
        stage = old.name.partition(".")[2]
        target = products / str(obsid) / stage
        if os.path.lexists(target):
            _remove(old)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            old.rename(target)
            restored.append(stage)
    return restored


def _carry_over(names: Iterable[str], old: Path, new: Path) -> None:
    """Put a user's files into a directory, too; a product of the same name is not replaced."""
    for name in names:
        copy = new / name
        if not os.path.lexists(copy):
            copy.parent.mkdir(parents=True, exist_ok=True)
            os.link(old / name, copy, follow_symlinks=False)


def _remove(path: Path) -> None:
    """Remove a directory with all that is in it, or whatever stands in its place."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
