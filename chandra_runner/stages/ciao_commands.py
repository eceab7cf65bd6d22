"""The CIAO commands of a task, as values: to be run, shown, or written into a shell script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chandra_runner.ciao.call import Step
from chandra_runner.observation.observation import Observation
from chandra_runner.quantities import electronvolts

if TYPE_CHECKING:
    from astropy.units import Quantity


@dataclass(frozen=True, kw_only=True)
class CommandContext:
    """What the commands of an observation's tasks follow from.

    Parameters
    ----------
    observation : Observation
        The ObsID.
    raw : Path
        Its directory.
    settings_of : callable
        Returns the settings of a stage of this observation, by the stage's name.
    cores : int
        Number of cores that each task would use.
    """

    observation: Observation
    raw: Path
    settings_of: Callable[[str], Any]
    cores: int


@dataclass(frozen=True)
class CiaoCommands:
    """The CIAO commands of one task.

    Parameters
    ----------
    inputs : Mapping of str to str
        The files that the commands read: where they come from, by their names in the task's directory. Raw
        files are relative to the ObsID directory, products begin with ``../`` and the stage that made them.
    steps : tuple of Step
        The commands.
    collect : str
        A shell command that moves the results into the task's directory, where they are elsewhere.
    """

    inputs: Mapping[str, str]
    steps: tuple[Step, ...]
    collect: str = ""

    def shell(self) -> str:
        """Return the commands as shell text, without what puts the input files into place."""
        return "\n".join(step.shell() for step in self.steps)


def energy_filter(low: Quantity, high: Quantity) -> str:
    """Return the filter expression for energies, such as ``energy=500:7000``."""
    return f"energy={electronvolts(low):.12g}:{electronvolts(high):.12g}"
