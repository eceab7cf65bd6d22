"""What a stage declares: its name, what it needs and makes, its settings, and its executors."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, ClassVar

from chandra_runner.errors import SettingProblem
from chandra_runner.resources import read_schema, resource

from .job import Job

if TYPE_CHECKING:
    from chandra_runner.observation.raw_files import RawFile

    from .ciao_commands import CiaoCommands, CommandContext
    from .updates import UpdateCheck

Executor = Callable[[Job[Any]], None]
ANY = "any"
"""The engine of work that is the same with CIAO and without."""
RAW = "raw"
"""The role of the raw data: the inventory of an ObsID directory."""


@dataclass(frozen=True)
class Need:
    """A role that a stage reads, and the stage that makes it.

    Parameters
    ----------
    role : str
        Such as ``events``.
    stage : str
        Such as ``chandra_repro``.
    """

    role: str
    stage: str


class Stage(ABC):
    """A named step of the reduction: one subclass, which is never instantiated, and one schema file.

    Examples
    --------
    >>> class CountEvents(Stage):
    ...     name = "count_events"
    ...     needs = (Need("events", "cleaned_chandra_evts"),)
    ...     makes = ("counts",)
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Increased when a default or the algorithm changes: products of older versions are then out of date."""
    needs: ClassVar[tuple[Need, ...]] = ()
    makes: ClassVar[tuple[str, ...]] = ()
    raw: ClassVar[frozenset[str]] = frozenset()
    """Kinds of raw files (`raw_files.kind_of`) whose content the products depend on."""
    settings_class: ClassVar[Callable[..., Any]] = SimpleNamespace
    """Makes the object with which executors see the settings; called with one keyword a setting."""
    executors: ClassVar[Mapping[str, Executor]] = {}
    """By engine: ``native``, ``ciao``; or ``any`` alone, for work that is the same with both."""

    @classmethod
    def schema_path(cls) -> Path:
        """Return the stage's schema file. Stages of other distributions override this."""
        return resource("schemas", f"stages/{cls.name}.schema.json")

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the stage's parameters: JSON Schema, draft 7, one property a setting."""
        return read_schema(cls.schema_path())

    @classmethod
    def check(cls, settings: Any) -> Iterator[SettingProblem]:
        """Yield what is wrong with settings that a schema cannot check.

        Parameters
        ----------
        settings : object
            The settings as attributes, parsed when they are looked at.
        """
        yield from ()

    @classmethod
    def check_native(cls, settings: Any, caldb: Path | None) -> Iterator[SettingProblem]:
        """Yield what the native executor requires and neither the settings nor the CALDB give.

        Parameters
        ----------
        settings : object
            As for `check`.
        caldb : Path or None
            The calibration database of this machine.
        """
        yield from ()

    @classmethod
    def calibration_files(cls, settings: Any, caldb: Path | None) -> tuple[Path, ...]:
        """Return the calibration files that the native executor reads, which are inputs of the task.

        Parameters
        ----------
        settings : object
            As for `check`.
        caldb : Path or None
            The calibration database of this machine.
        """
        return ()

    @classmethod
    def normal(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings that mean the same in one form, for the fingerprint; by default unchanged.

        Parameters
        ----------
        settings : Mapping of str to object
            Those that apply, in JSON types, quantities as text in their canonical unit.
        """
        return dict(settings)

    @classmethod
    def ciao_commands(cls, context: CommandContext) -> CiaoCommands | None:
        """Return the CIAO commands that the stage would run; None if it runs no CIAO tool."""
        return None

    @classmethod
    def read_inventory(cls, directory: Path) -> tuple[RawFile, ...]:
        """Return the raw files that products of the stage that makes `RAW` list.

        Raises
        ------
        DataError
            The inventory cannot be read.
        """
        return ()

    @classmethod
    def find_updates(cls, check: UpdateCheck) -> str:
        """Say which newer raw data the archives have; empty for none. Only for the stage that makes `RAW`."""
        return ""
