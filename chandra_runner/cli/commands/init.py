"""``chandra-run init``: write a recipe to start from."""

from __future__ import annotations

import argparse
from pathlib import Path

from chandra_runner.cli.options import Subparsers, add_command
from chandra_runner.errors import ExitCode

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


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    parser = add_command(subparsers, "init", "write a recipe to start from", execute)
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        default=Path("recipe.yaml"),
        metavar="FILE",
        help="file to write, which must not exist (default: %(default)s)",
    )


def execute(options: argparse.Namespace) -> ExitCode:
    """Write the recipe and say what to do with it."""
    from chandra_runner.cli.output_files import write_new_recipe

    write_new_recipe(options.file, STARTING_RECIPE)
    print(f"written to {options.file}; edit it, then: chandra-run validate {options.file}")
    return ExitCode.OK
