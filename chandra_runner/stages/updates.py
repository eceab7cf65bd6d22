"""What is needed to ask the archives for newer raw data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class UpdateCheck:
    """The question whether archives have newer raw data of an ObsID.

    Parameters
    ----------
    observation : int
        ObsID.
    raw : Path
        Its directory.
    archives : tuple of str
        Archives to ask, in order, until one answers.
    kinds : frozenset of str
        Kinds of raw files that matter; empty for all.
    settings : object
        Settings of the stage.
    scratch : Path
        A directory for temporary files.
    """

    observation: int
    raw: Path
    archives: tuple[str, ...]
    kinds: frozenset[str]
    settings: Any
    scratch: Path
