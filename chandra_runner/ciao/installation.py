"""Finds CIAO on this machine."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def find_ciao() -> Path | None:
    """The directory of CIAO's tools; None where there is no CIAO.

    Looked for in ``$ASCDS_INSTALL/bin``, as CIAO's setup script sets it, then on ``PATH``.
    """
    installed = os.environ.get("ASCDS_INSTALL", "")
    tool = shutil.which("dmcopy", path=f"{installed}/bin") if installed else None
    tool = tool or shutil.which("dmcopy")
    return Path(tool).parent if tool else None
