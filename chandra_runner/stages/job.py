"""Tasks, and the jobs as which executors see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Generic, Self, TypeVar

from loguru import logger

from chandra_runner.errors import DataError
from chandra_runner.observation.observation import Observation

from .outcome import Progress

SettingsT = TypeVar("SettingsT", covariant=True)


@dataclass(frozen=True)
class Product:
    """A file that a stage made.

    Parameters
    ----------
    role : str
        The name by which later stages find it, such as ``events``.
    path : Path
        The file.
    exposure : str
        ``E001``, ``e1``...; empty for a file of the whole observation.
    band : str
        Energy band, ``broad`` or ``0.3-2.0``; empty where there is none.
    """

    role: str
    path: Path
    exposure: str = ""
    band: str = ""


@dataclass(frozen=True, kw_only=True)
class Task(Generic[SettingsT]):
    """One stage of one observation, ready to run on any machine that sees the files; picklable.

    Parameters
    ----------
    observation : int
        ObsID.
    stage : str
        Name of the stage.
    engine : str
        The executor: ``native``, ``ciao`` or ``any``.
    settings : object
        All settings of the stage as attributes, defaults filled in; quantities are astropy Quantities.
    inputs : Mapping
        Products of earlier stages by ``(stage, role)``.
    raw : Path
        The ObsID directory under ``data``; read only.
    work : Path
        An empty directory for this task alone, on the file system of the products.
    log_file : Path
        The log file, which is overwritten.
    cores : int
        Number of cores that the task may use.
    archives : tuple of str
        Archives from which missing data may be downloaded, in order of preference.
    ciao : Path or None
        CIAO's directory; None where CIAO was not found.
    kinds : frozenset of str
        Kinds of raw files that the recipe's stages read; empty for all kinds.
    refresh : bool
        Whether the archives are asked for newer versions of the raw data.
    timeout : float or None
        Time after which the task is stopped, s.
    calibration : tuple of Path
        The calibration files that `Stage.calibration_files` named.
    """

    observation: int
    stage: str
    engine: str
    settings: SettingsT
    inputs: Mapping[tuple[str, str], tuple[Product, ...]]
    raw: Path
    work: Path
    log_file: Path
    cores: int = 1
    archives: tuple[str, ...] = ()
    ciao: Path | None = None
    kinds: frozenset[str] = frozenset()
    refresh: bool = False
    timeout: float | None = None
    calibration: tuple[Path, ...] = ()

    @property
    def directory(self) -> Path:
        """Where products are written: empty at the start, published as a whole at the end."""
        return self.work / "products"

    @property
    def scratch(self) -> Path:
        """A directory for temporary files, removed when the task ends."""
        return self.work / "scratch"


def _ignore_progress(_: Progress) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True, kw_only=True)
class Job(Task[SettingsT]):
    """A task while it runs, as its executor sees it: read inputs, write products, report warnings.

    Parameters
    ----------
    report_progress : callable
        Called with a `Progress` by `progress`.
    products : list of Product
        The products promised so far, by `output`.
    warnings : list of str
        The warnings so far, by `warn`.

    Examples
    --------
    An executor that writes the names of the cleaned event lists into a file:

    >>> def list_events(job: Job) -> None:
    ...     events = job.all("events", "cleaned_chandra_evts")
    ...     names = "\\n".join(product.path.name for product in events)
    ...     job.output("events.txt", "list").write_text(names)
    """

    report_progress: Callable[[Progress], None] = _ignore_progress
    products: list[Product] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, task: Task[Any], report_progress: Callable[[Progress], None]) -> Self:
        """Make the job of a task."""
        return cls(**vars(task), report_progress=report_progress)

    def all(self, role: str, stage: str) -> tuple[Product, ...]:
        """Return all inputs of a role, in the order of their exposures and bands."""
        return self.inputs.get((stage, role), ())

    def find(self, role: str, stage: str, exposure: str = "") -> Path | None:
        """Return the input of a role (and exposure), or None where there is none."""
        paths = [product.path for product in self.all(role, stage) if product.exposure == exposure]
        return paths[0] if paths else None

    def need(self, role: str, stage: str, exposure: str = "") -> Path:
        """Return the input of a role (and exposure).

        Raises
        ------
        DataError
            There is none.
        """
        path = self.find(role, stage, exposure)
        if path is None:
            of_exposure = f" for exposure {exposure}" if exposure else ""
            raise DataError(f"ObsID {self.observation}: {stage} made no {role}{of_exposure}")
        return path

    def output(self, name: str, role: str, exposure: str = "", band: str = "") -> Path:
        """Promise a product and return the path to write it to.

        A task whose promised products are not all there at the end fails.
        """
        path = self.directory / name
        self.products.append(Product(role, path, exposure, band))
        return path

    def progress(self, done: float, total: float, unit: str) -> None:
        """Report how far long work is; call it as often as is convenient."""
        self.report_progress(Progress(done, total, unit))

    @cached_property
    def has_several_exposures(self) -> bool:
        """Whether there are several exposures, so that messages must name theirs."""
        exposures = {product.exposure for products in self.inputs.values() for product in products} - {""}
        # The first stages know the exposures from the description of the observation only.
        for description in self.all("observation", "prepare_chandra_info"):
            observation = Observation.from_json(description.path.read_text(encoding="utf-8"))
            exposures |= {exposure.id for exposure in observation.exposures}
        return len(exposures) > 1

    def title(self, exposure: str) -> str:
        """Return ``ObsID 90007 E001`` for plots; without the exposure if there is only one."""
        return f"ObsID {self.observation}" + (f" {exposure}" if self.has_several_exposures else "")

    def about(self, exposure: str, message: str) -> str:
        """Return a message that begins with the id of an exposure, if there are several."""
        return f"{exposure}: {message}" if exposure and self.has_several_exposures else message

    def log(self, message: str, exposure: str = "") -> None:
        """Write a line into the task's log, about one of the exposures or all."""
        logger.info(self.about(exposure, message))

    def warn(self, message: str, exposure: str = "") -> None:
        """Warn the user of something that does not stop the task: in log, manifest and report."""
        self.warnings.append(self.about(exposure, message))
        logger.warning(self.about(exposure, message))
