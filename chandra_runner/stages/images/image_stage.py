"""What the image stages share: what they need and make, the checks and normal form of their settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from chandra_runner.native.grid import GridError, parse_grid
from chandra_runner.stages.stage import Need, SettingProblem, Settings, Stage

from . import bands


class ImageStage(Stage):
    """A stage that makes images of cleaned events; its subclasses differ in the units of the exposure map."""

    needs: ClassVar[tuple[Need, ...]] = (
        Need("events", "cleaned_chandra_evts"),
        Need("asol", "chandra_repro"),
        Need("badpix", "chandra_repro"),
        Need("mask", "chandra_repro"),
        Need("fov", "chandra_repro"),
        Need("dtf", "chandra_repro"),
    )

    @classmethod
    def check(cls, settings: Settings) -> Iterator[SettingProblem]:
        """Bands and grid must be possible ones."""
        yield from bands.check(settings)
        if settings["xygrid"] is not None:
            yield from _check_grid(settings["xygrid"])

    @classmethod
    def normal(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The two ways to state bands become one."""
        rest = {name: value for name, value in settings.items() if name not in ("en_bounds", "effective_ens")}
        return rest | {"bands": [band.text for band in bands.bands_of(settings)]}


def _check_grid(text: str) -> Iterator[SettingProblem]:
    try:
        parse_grid(text)
    except GridError as error:
        yield SettingProblem(("xygrid",), error.message, error.hint)
