"""``chandra-run validate RECIPE``: check a recipe and report all its problems."""

from __future__ import annotations

import argparse

from chandra_runner.cli.options import Subparsers, add_command, add_json_option, add_recipe_options
from chandra_runner.cli.tables import counted
from chandra_runner.errors import ExitCode, RecipeError


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    parser = add_command(subparsers, "validate", "check a recipe and report all its problems", execute)
    add_recipe_options(parser)
    add_json_option(parser)


def execute(options: argparse.Namespace) -> ExitCode:
    """Print that the recipe is valid, or its problems."""
    from chandra_runner.cli.json_output import problems_json
    from chandra_runner.cli.project import Project

    project = Project(options)
    try:
        recipe = project.load_recipe(has_ciao=project.find_ciao() is not None)
    except RecipeError as error:
        if not options.json:
            raise
        print(problems_json(error.problems))
        return error.exit_code
    summary = f"{counted(len(recipe.observations), 'observation')}, up to {', '.join(recipe.stages)}"
    print(problems_json([]) if options.json else f"{options.recipe}: valid; {summary}")
    return ExitCode.OK
