"""What the image stages share: what they need and make, the checks and normal form of their settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from . import bands
from .stage import Need, SettingProblem, Settings, Stage


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


@dataclass(frozen=True)
class Axis:
    """One axis of an image: edges and pixel size, in sky pixels."""

    start: float
    stop: float
    step: float


def parse_xygrid(text: str) -> tuple[Axis, Axis]:
    """The x and y axes that an `xygrid` states: ``x0:x1:step,y0:y1:step`` in sky pixels."""
    x, y = (Axis(*map(float, axis.split(":"))) for axis in text.split(","))
    return x, y


MAX_PIXELS = 32768
"""Pixels along an axis: the whole sky frame of HRC; an image of them has 8 GB."""


def _check_grid(text: str) -> Iterator[SettingProblem]:
    for name, axis in zip("xy", parse_xygrid(text), strict=True):
        if axis.step <= 0:
            yield SettingProblem(
                ("xygrid",), f"the {name} step {axis.step:g} is not positive", "write a step over 0"
            )
        elif axis.stop <= axis.start:
            message = f"the {name} axis runs from {axis.start:g} to {axis.stop:g}"
            yield SettingProblem(("xygrid",), message, "write the lower edge first")
        elif (axis.stop - axis.start) / axis.step > MAX_PIXELS:
            message = f"the {name} axis has more than {MAX_PIXELS} pixels"
            yield SettingProblem(("xygrid",), message, "take a larger step or a smaller range")
