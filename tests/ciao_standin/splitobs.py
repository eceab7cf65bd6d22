"""splitobs: a directory for each observing interval, or each cycle of interleaved exposures."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from astropy.io import fits

from .files import whole_path
from .messages import Failure


def run(values: dict[str, Any]) -> list[Path]:
    """Copy the files that belong to each event list into ``<outroot>_001``, or ``_e1`` and ``_e2``."""
    indir, outroot = whole_path(values["indir"]), whole_path(values["outroot"])
    for folder in ("primary", "secondary"):
        if not (indir / folder).is_dir():
            raise Failure(f"The input directory does not contain the {folder} subdirectory")
    events = sorted((indir / "secondary").glob("*evt1.fits*"))
    if not events:
        raise Failure(f"Cannot locate level1 event files in directory '{indir / 'secondary'}'")
    if len(events) == 1:
        raise Failure("Only one level 1 event file found; no need to run this script")
    headers = [fits.getheader(path, "EVENTS") for path in events]
    parts = _parts(headers)
    made = [Path(f"{outroot}_{name}") for name in parts]
    for directory in made:
        for folder in ("primary", "secondary"):
            if (directory / folder).exists() and not values["clobber"]:
                raise Failure(f"Directory {directory / folder} exists and clobber is set to no")
            os.makedirs(directory / folder, exist_ok=True)
    copies = [
        copy
        for directory, patterns in zip(made, parts.values(), strict=True)
        for copy in _copy(indir, directory, patterns)
    ]
    for directory in made:
        print(f"Created: {directory}")
    return copies


def _parts(headers: list[fits.Header]) -> dict[str, list[str]]:
    """Patterns of the files that belong to each part, by its name."""
    if len({header["OBS_ID"] for header in headers}) > 1:
        raise Failure("Multiple OBS_ID values found")
    intervals = [int(header["OBI_NUM"]) for header in headers]
    if len(set(intervals)) == len(intervals):
        return {f"{obi:03d}": _of_interval(obi, h) for obi, h in zip(intervals, headers, strict=True)}
    if sorted(header["CYCLE"].strip() for header in headers) != ["P", "S"]:
        raise Failure("Observation is neither interleaved nor multiobi.")
    shared = ["primary/pcad*", "secondary/*0.fits*"]
    return {tag: [f"primary/*_{tag}_*", f"secondary/*_{tag}_*", *shared] for tag in ("e1", "e2")}


def _of_interval(obi: int, header: fits.Header) -> list[str]:
    """By name, level 2 for all, and what the header names: aspect solution, parameter block and biases."""
    named = [f"*/{name}*" for name in str(header.get("ASOLFILE", "")).split(",") if name]
    level_0 = [key for key in header if key == "PBKFILE" or key.startswith("BIASFIL")]
    named += [f"secondary/{header[key]}*" for key in level_0]
    return [f"primary/*f?????_{obi:03d}N0*", f"secondary/*f?????_{obi:03d}N0*", "primary/*2.fits*", *named]


def _copy(indir: Path, directory: Path, patterns: list[str]) -> list[Path]:
    sources = {path for pattern in patterns for path in indir.glob(pattern)}
    return [Path(shutil.copy(path, directory / path.parent.name)) for path in sorted(sources)]
