"""What the executors that call CIAO share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chandra_runner.ciao.installation import GET_CIAO, Installation
from chandra_runner.ciao.session import Session, workplace
from chandra_runner.errors import SiteError

from .stage import Job


@contextmanager
def ciao_session(job: Job, exposure: str = "") -> Iterator[Session]:
    """CIAO's tools at work for a task, or one exposure; their warnings become the task's."""
    if job.ciao is None:
        raise SiteError("CIAO is not here", GET_CIAO)
    with workplace(job.scratch) as directory:
        session = Session(directory, Installation(job.ciao))
        try:
            yield session
        finally:
            for warning in session.told():
                job.warn(warning, exposure)


def keep(made: Path, target: Path) -> None:
    """Take a file that a tool made for a product; links become copies of what they lead to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if made.is_symlink():
        shutil.copyfile(made, target)
        made.unlink()
    else:
        shutil.move(made, target)
