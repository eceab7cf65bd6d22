"""What the image stages share: what they need, the checks and the normal form of their settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from chandra_runner.errors import SettingProblem
from chandra_runner.stages.stage import Need, Stage

from .bands import bands_of, check_bands

if TYPE_CHECKING:
    from chandra_runner.stages.ciao_commands import CiaoCommands, CommandContext

    from .settings import ImageSettings
    from .units import ImageUnits


class ImageStage(Stage):
    """A stage that makes images of cleaned events; its subclasses differ in the units of the exposure map."""

    units: ClassVar[ImageUnits]
    needs: ClassVar[tuple[Need, ...]] = (
        Need("events", "cleaned_chandra_evts"),
        Need("asol", "chandra_repro"),
        Need("badpix", "chandra_repro"),
        Need("mask", "chandra_repro"),
        Need("fov", "chandra_repro"),
        Need("dtf", "chandra_repro"),
    )

    @classmethod
    def check(cls, settings: ImageSettings) -> Iterator[SettingProblem]:
        """Yield what is wrong with bands and grid."""
        from chandra_runner.native.grid import GridError, parse_grid

        yield from check_bands(settings)
        if settings.xygrid is not None:
            try:
                parse_grid(settings.xygrid)
            except GridError as error:
                yield SettingProblem(("xygrid",), error.message, error.hint)

    @classmethod
    def normal(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return the settings with one of the two ways to state bands."""
        rest = {name: value for name, value in settings.items() if name not in ("en_bounds", "effective_ens")}
        return rest | {"bands": [band.text for band in bands_of(SimpleNamespace(**settings))]}

    @classmethod
    def ciao_commands(cls, context: CommandContext) -> CiaoCommands:
        """Return the calls of fluximage."""
        from .ciao_commands import commands

        return commands(context, cls.name, cls.units)
