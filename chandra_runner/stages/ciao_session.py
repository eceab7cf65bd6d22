"""Running CIAO tools for a task, and taking the files that they made."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from chandra_runner.ciao.installation import GET_CIAO, Installation
from chandra_runner.ciao.session import Session, workplace
from chandra_runner.errors import SiteError

from .job import Job


@contextmanager
def ciao_session(job: Job[Any], exposure: str = "") -> Iterator[Session]:
    """Run CIAO tools for a task, or for one of its exposures; their warnings become the task's warnings.

    Raises
    ------
    SiteError
        CIAO was not found.
    """
    if job.ciao is None:
        raise SiteError("CIAO was not found", GET_CIAO)
    with workplace(job.scratch) as directory:
        session = Session(directory, Installation(job.ciao))
        try:
            yield session
        finally:
            for warning in session.reported_warnings():
                job.warn(warning, exposure)


def take(made: Path, target: Path) -> None:
    """Move a file that a tool made to the place of the product; a link becomes a copy of its target."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if made.is_symlink():
        shutil.copyfile(made, target)
        made.unlink()
    else:
        shutil.move(made, target)
