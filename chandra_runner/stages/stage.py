"""What a stage is, and what its executors are given and give back."""

from __future__ import annotations

import json
from abc import ABC
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from loguru import logger

from chandra_runner.errors import DataError
from chandra_runner.resources import resource

Settings = Mapping[str, Any]
"""Settings of one stage by name; those with a unit are astropy Quantities."""


class Outcome(StrEnum):
    """How a task ends."""

    DONE = "done"
    """It ran, and every promised output is there."""
    UP_TO_DATE = "up_to_date"
    """Its products are those that it would make."""
    FAILED = "failed"
    """It ran and could not make its products; those of the last good run stay."""
    TIMED_OUT = "timed_out"
    """It took longer than its `timeout` and was ended."""
    BLOCKED = "blocked"
    """Something that it needs failed."""
    EXCLUDED = "excluded"
    """There is nothing for it to do in this observation; no failure."""
    INTERRUPTED = "interrupted"
    """The run was stopped; the next run goes on from here."""


class Excluded(Exception):
    """Raised by an executor: this observation has nothing for the stage to do, and why."""


@dataclass(frozen=True)
class Need:
    """A role that a stage takes from an earlier one.

    Parameters
    ----------
    role : str
        What is needed, e.g. ``events``.
    stage : str
        Who makes it, e.g. ``chandra_repro``.
    """

    role: str
    stage: str


@dataclass(frozen=True)
class Product:
    """A file that a stage made.

    Parameters
    ----------
    role : str
        The name by which later stages find it.
    path : Path
        Where it is.
    exposure : str
        ``E001``, ``e1``...; empty for a file of the whole observation.
    band : str
        Energy band, ``broad`` or ``0.3-2.0``; empty where there is none.
    """

    role: str
    path: Path
    exposure: str = ""
    band: str = ""


@dataclass(frozen=True)
class SettingProblem:
    """Settings that a schema cannot refuse but the stage must.

    Parameters
    ----------
    setting : tuple of (str or int)
        Where in the stage's settings, e.g. ``("effective_ens", 2)``.
    message : str
        What is wrong.
    hint : str
        What would be right.
    """

    setting: tuple[str | int, ...]
    message: str
    hint: str = ""


@dataclass(frozen=True)
class Progress:
    """How far a task is: `done` of `total`, in `unit`."""

    done: float
    total: float
    unit: str


def _tell_nobody(progress: Progress) -> None:
    """Where nobody watches."""


@dataclass
class Job:
    """One task, as its executor sees it: settings, inputs, a place to write.

    Parameters
    ----------
    observation : int
        ObsID.
    settings : Settings
        All settings of the stage, defaults filled in.
    raw : Path
        The ObsID directory under ``data``; read only.
    directory : Path
        Where products are written; empty at the start, published whole at the end.
    scratch : Path
        For temporary files; removed afterwards.
    inputs : Mapping
        What earlier stages made, by ``(stage, role)``.
    cores : int
        How many the task may use.
    archives : tuple of str
        Where missing data may be fetched from, in this order.
    ciao : Path or None
        CIAO's directory, where it is here.
    kinds : frozenset of str
        Kinds of raw files that the recipe's stages want; empty: all.
    refresh : bool
        Whether newer raw data were asked for.
    tell : callable
        Is told how far the task is.
    """

    observation: int
    settings: Settings
    raw: Path
    directory: Path
    scratch: Path
    inputs: Mapping[tuple[str, str], tuple[Product, ...]] = field(default_factory=dict)
    cores: int = 1
    archives: tuple[str, ...] = ()
    ciao: Path | None = None
    kinds: frozenset[str] = frozenset()
    refresh: bool = False
    tell: Callable[[Progress], None] = _tell_nobody
    products: list[Product] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def all(self, role: str, stage: str) -> tuple[Product, ...]:
        """All inputs of that role, in the order of their exposures and bands."""
        return self.inputs.get((stage, role), ())

    def find(self, role: str, stage: str, exposure: str = "") -> Path | None:
        """The one input of that role (and exposure), or None where there is none."""
        paths = [p.path for p in self.all(role, stage) if p.exposure == exposure]
        return paths[0] if paths else None

    def need(self, role: str, stage: str, exposure: str = "") -> Path:
        """The one input of that role (and exposure).

        Raises
        ------
        DataError
            There is none.
        """
        path = self.find(role, stage, exposure)
        if path is None:
            of = f" of exposure {exposure}" if exposure else ""
            raise DataError(f"ObsID {self.observation}: {stage} made no {role}{of}")
        return path

    def output(self, name: str, role: str, exposure: str = "", band: str = "") -> Path:
        """Promise a product, and get the path to write it to."""
        path = self.directory / name
        self.products.append(Product(role, path, exposure, band))
        return path

    def progress(self, done: float, total: float, unit: str) -> None:
        """Say how far long work is; call it as often as is convenient."""
        self.tell(Progress(done, total, unit))

    def title(self, exposure: str) -> str:
        """``ObsID 90007 E001``, as plots are titled; without the id where there is only one exposure."""
        exposures = {product.exposure for products in self.inputs.values() for product in products} - {""}
        return f"ObsID {self.observation}" + (f" {exposure}" if len(exposures) > 1 else "")

    def log(self, message: str, exposure: str = "") -> None:
        """Write into the task's log, with the name of the exposure that is meant."""
        logger.info(_named(message, exposure))

    def warn(self, message: str, exposure: str = "") -> None:
        """Tell the user something that does not stop the task: into log, manifest and report."""
        self.warnings.append(_named(message, exposure))
        logger.warning(_named(message, exposure))


def _named(message: str, exposure: str) -> str:
    return f"{exposure}: {message}" if exposure else message


Executor = Callable[[Job], None]
ANY = "any"
"""The engine of work that is the same with CIAO and without."""


class Stage(ABC):
    """A named step of the reduction. One subclass and one schema file are all that a stage is."""

    name: ClassVar[str]
    version: ClassVar[int] = 1
    """Goes up when a default or the algorithm changes: products of older versions are made again."""
    needs: ClassVar[tuple[Need, ...]] = ()
    makes: ClassVar[tuple[str, ...]] = ()
    raw: ClassVar[frozenset[str]] = frozenset()
    """Kinds of raw files (`inventory.kind_of`) whose content this stage depends on."""
    executors: ClassVar[Mapping[str, Executor]] = {}
    """By engine: ``native``, ``ciao``; or ``any`` alone, for work that is the same with both."""

    @classmethod
    def schema_path(cls) -> Path:
        """The stage's schema file. Stages of other distributions override this."""
        return resource("schemas", f"stages/{cls.name}.schema.json")

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """The stage's parameters: JSON Schema, draft 7, one property a setting."""
        return _read_schema(cls.schema_path())

    @classmethod
    def check(cls, settings: Settings) -> Iterator[SettingProblem]:
        """What a schema cannot say about the settings, one problem at a time."""
        yield from ()

    @classmethod
    def check_native(cls, settings: Settings) -> Iterator[SettingProblem]:
        """What the native executor needs and the settings do not give; asked only where it would run."""
        yield from ()

    @classmethod
    def normal(cls, settings: Settings) -> dict[str, Any]:
        """One form for settings that say the same in different words; here all are taken as they are.

        Parameters
        ----------
        settings : Settings
            Those that apply, in JSON types, quantities as text in their canonical unit.
        """
        return dict(settings)


@cache
def _read_schema(path: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return schema
