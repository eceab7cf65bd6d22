"""Writing recipe files that were not there."""

from __future__ import annotations

import os
from pathlib import Path

from chandra_runner.errors import ChandraRunnerError, UsageError, from_os

STARTING_RECIPE = """\
# A recipe for chandra-run: what is done with which Chandra observations.
#   chandra-run validate FILE   checks it          chandra-run plan FILE   shows what would be done, and why
#   chandra-run FILE            does it            chandra-run stages      shows stages and their settings

recipe: 1                        # version of the format
title: Abell 1795                # what this reduction is

# What is done, from a packaged recipe (standard/acis-imaging, standard/acis-cleaned, standard/hrc-imaging)
# or from one of your own, its path relative to this file. What is stated below goes over it.
extends: standard/acis-imaging

# ObsIDs. `chandra-run find Abell 1795 -o FILE` writes a recipe with those of a target.
observations: [493, 494]

# Directories, relative to this file.
data: data/                      # one directory an ObsID: data/493, data/3/493 or data/byobsid/3/493
products: products/              # gets <obsid>/<stage>/

engine: auto                     # auto: CIAO where it is found; or ciao, or native (numpy)

# Settings that are not those of `extends`; quantities have a unit.
stages:
  deflare:                       # `chandra-run stages deflare` lists its settings
    method: sigma                # drop bins of the light curve far from the mean; or clean, as lc_clean does
    allowed_sigma: 3
    time_bin_size: 200 s

# Settings that are different for single observations:
# per_observation:
#   493: {deflare: {method: clean}}
"""


def check_free(path: Path) -> None:
    """Refuse a path at which no new file can be made.

    Raises
    ------
    UsageError
        Something is there, or there is no such directory.
    """
    if os.path.lexists(path):
        raise UsageError(f"{path} exists, and is not overwritten", "name another file, or remove it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no directory {path.parent}", "make it first")


def write_recipe(path: Path, text: str) -> None:
    """Write a new recipe; none is left behind that is not valid.

    Raises
    ------
    ChandraRunnerError
        It cannot be written, or is not valid.
    """
    from chandra_runner.recipe.recipe import load_recipe

    check_free(path)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        check_free(path)
    except OSError as error:
        raise from_os(error) from None
    try:
        load_recipe(path)
    except ChandraRunnerError:
        path.unlink()
        raise
