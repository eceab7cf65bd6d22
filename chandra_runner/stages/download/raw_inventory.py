"""The inventory of an ObsID directory: a product of the stage download, and the raw data's record."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.observation.raw_files import RawFile

INVENTORY = "inventory.json"


def write_inventory(files: Iterable[RawFile], path: Path) -> None:
    """Write an inventory; the same files give the same bytes."""
    text = json.dumps({"files": [asdict(file) for file in files]}, indent=2)
    path.write_text(text + "\n", encoding="utf-8")


def read_inventory(path: Path) -> tuple[RawFile, ...]:
    """Read an inventory.

    Raises
    ------
    DataError
        The file is missing or is not an inventory.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        return tuple(RawFile(**file) for file in content["files"])
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise DataError(
            f"{path} is not an inventory of raw data: {error}", "make it again with --force download"
        ) from error
