"""The files that come with the package: schemas, ready-made recipes."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


@cache
def resource(kind: str, name: str = "") -> Path:
    """Path of a packaged file or directory.

    A wheel carries ``schemas`` and ``recipes`` inside the package; in a checkout (editable
    install) they stand beside it.

    Parameters
    ----------
    kind : str
        ``"schemas"`` or ``"recipes"``.
    name : str
        Path below it, e.g. ``"stages/deflare.schema.json"``.
    """
    installed = _PACKAGE / kind
    return (installed if installed.is_dir() else _PACKAGE.parent / kind) / name
