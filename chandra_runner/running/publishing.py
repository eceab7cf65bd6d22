"""Putting a task's finished directory into place as a whole, so that no reader sees a mixture."""

from __future__ import annotations

import shutil
from pathlib import Path

from chandra_runner.storage.atomic_write import sync
from chandra_runner.storage.state_directory import remove_scratch, scratch_directory, state_directory


def publish(finished: Path, target: Path, aside: Path) -> None:
    """Replace a stage's products.

    Parameters
    ----------
    finished : Path
        The new directory, on the same file system; its content is flushed to disk first.
    target : Path
        The directory to replace, ``<products>/<obsid>/<stage>``.
    aside : Path
        Where the old directory is kept until the new one is in place. After a crash in between,
        `repair` moves it back.
    """
    for path in sorted(finished.rglob("*")):
        if not path.is_symlink():
            sync(path)
    sync(finished)
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
    sync(target.parent)
    shutil.rmtree(aside, ignore_errors=True)


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
        if target.exists():
            shutil.rmtree(old)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            old.rename(target)
            restored.append(stage)
    return restored
