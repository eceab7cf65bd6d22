"""The directory in which runs keep their locks, scratch directories and caches."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from chandra_runner.errors import SiteError

STATE = ".chandra-run"
"""Its name, in the products tree and beside ObsID directories; safe to delete when nothing runs."""
EXTERNAL_LINK = "elsewhere"
"""Name of a link in a scratch directory to a temporary directory outside it, which is removed with it."""
EXTERNAL_PREFIX = "chandra-run-"
"""Prefix of the names of such temporary directories."""


def refuse_links(products: Path, obsid: int) -> None:
    """Refuse links in the place of directories that a run writes to and deletes from.

    Raises
    ------
    SiteError
        Somebody replaced one by a link, which may lead anywhere.
    """
    state = state_directory(products)
    for path in (
        products / str(obsid),
        state,
        *(state / name for name in ("aside", "locks", "scratch", "state")),
    ):
        if path.is_symlink():
            raise SiteError(
                f"{path} is a link: runs write only below {products}", "put a directory in its place"
            )


def state_directory(parent: Path) -> Path:
    """Return the state directory of a products tree, or of a directory of ObsID directories."""
    return parent / STATE


def scratch_directory(products: Path, obsid: int) -> Path:
    """Return the directory in which the tasks of an ObsID work."""
    return state_directory(products) / "scratch" / str(obsid)


def remove_scratch(directory: Path) -> None:
    """Remove a scratch directory and the temporary directories that its tasks linked to."""
    for link in directory.rglob(EXTERNAL_LINK):
        target = Path(os.path.realpath(link))
        if link.is_symlink() and target.name.startswith(EXTERNAL_PREFIX):
            shutil.rmtree(target, ignore_errors=True)
    shutil.rmtree(directory, ignore_errors=True)
