"""Reduce Chandra X-ray observations from a recipe file.

From Python, in three steps::

    from chandra_runner import load_recipe, make_plan, run

    plan = make_plan(load_recipe("recipe.yaml"))
    reports = run(plan, cores=4)

A script must call `run` below ``if __name__ == "__main__":``, because tasks run in processes of their own,
which import the script.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .errors import ChandraRunnerError, DataError, RecipeError, SettingProblem, SiteError, UsageError
    from .observation.oif import parse_oif
    from .planning.plan import make_plan
    from .planning.products import open_products
    from .recipe.recipe import Recipe, load_recipe
    from .running.run import run_plan as run
    from .stages.job import Job, Product
    from .stages.outcome import Excluded
    from .stages.stage import Need, Stage

__version__ = "0.1.0"
__all__ = [
    "ChandraRunnerError",
    "DataError",
    "Excluded",
    "Job",
    "Need",
    "Product",
    "Recipe",
    "RecipeError",
    "SettingProblem",
    "SiteError",
    "Stage",
    "UsageError",
    "__version__",
    "load_recipe",
    "make_plan",
    "open_products",
    "parse_oif",
    "run",
]

_MODULES = {
    **dict.fromkeys(
        ("ChandraRunnerError", "DataError", "RecipeError", "SettingProblem", "SiteError", "UsageError"),
        "errors",
    ),
    **dict.fromkeys(("Recipe", "load_recipe"), "recipe.recipe"),
    **dict.fromkeys(("Job", "Product"), "stages.job"),
    **dict.fromkeys(("Need", "Stage"), "stages.stage"),
    "Excluded": "stages.outcome",
    "make_plan": "planning.plan",
    "open_products": "planning.products",
    "parse_oif": "observation.oif",
    "run": "running.run",
}
"""Where the public names are defined: they are imported when they are used, as astropy is slow to import."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_MODULES[name]}", __name__)
    return getattr(module, {"run": "run_plan"}.get(name, name))


def __dir__() -> list[str]:
    return __all__
