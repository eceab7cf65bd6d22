"""What commands work on, from their options: profile, CIAO, recipe, plan."""

from __future__ import annotations

import argparse
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from .options import usable_cores
from .site_profile import Profile, load_profile

if TYPE_CHECKING:
    from chandra_runner.ciao.installation import Installation
    from chandra_runner.planning.plan import Plan
    from chandra_runner.recipe.recipe import Recipe


class Project:
    """The recipe of a command line, with the machine on which it is reduced.

    Parameters
    ----------
    options : Namespace
        The options of the command, among them those of `add_recipe_options`.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._profile: Profile = load_profile(options.profile)

    @property
    def cores(self) -> int:
        """How many cores may be used."""
        return int(self._options.cores or self._profile.cores or usable_cores())

    def find_ciao(self) -> Installation | None:
        """Return the CIAO of this machine, or None where there is none."""
        from chandra_runner.ciao.installation import find_ciao

        return find_ciao(self._profile.ciao)

    def load_recipe(self, *, has_ciao: bool, engine: str | None = None) -> Recipe:
        """Read and check the recipe.

        Parameters
        ----------
        has_ciao : bool
            Whether its problems are those on a machine with CIAO.
        engine : str, optional
            Engine to use whatever the command line and the recipe say.
        """
        from chandra_runner.recipe.recipe import Overrides, load_recipe

        options = self._options
        overrides = Overrides(
            data=options.data,
            products=options.products,
            archive=options.archive,
            engine=engine or options.engine,
            only=options.only,
            has_ciao=has_ciao,
        )
        return self._with_mirror(load_recipe(options.recipe, overrides))

    def make_plan(self) -> Plan:
        """Return the plan for this machine."""
        from chandra_runner.planning.plan import make_plan

        ciao, options = self.find_ciao(), self._options
        return make_plan(
            self.load_recipe(has_ciao=ciao is not None),
            ciao=ciao,
            up_to=options.stage,
            force=options.force,
            rerun_other_versions="tools" in options.refresh,
            refresh_data="data" in options.refresh,
        )

    def make_plan_for_any_machine(self) -> Plan:
        """Return the plan for commands that run nothing, so that no engine need be available."""
        from chandra_runner.planning.plan import make_plan

        recipe = self.load_recipe(has_ciao=True, engine="auto")
        return make_plan(recipe, ciao=None, up_to=self._options.stage)

    def _with_mirror(self, recipe: Recipe) -> Recipe:
        """Replace the archive of the CXC by the profile's mirror, unless the user's environment names one."""
        mirror = self._profile.mirror
        if not mirror:
            return recipe
        from chandra_runner.archive.download.locations import MIRROR_VARIABLE

        if os.environ.get(MIRROR_VARIABLE):
            return recipe
        archive = tuple(mirror if name == "cxc" else name for name in recipe.archive)
        return replace(recipe, archive=archive)
