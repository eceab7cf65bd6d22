"""One ObsID: instrument, mode, pointing, and the exposures that it consists of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from chandra_runner.errors import DataError


@dataclass(frozen=True)
class Exposure:
    """One event list of an observation, and the files that go with it.

    Parameters
    ----------
    id : str
        ``E001``; the observing intervals of a multi-OBI ObsID ``E000``, ``E001``...; interleaved ``e1`` and
        ``e2``.
    stem : str
        Root of CIAO's product names: ``acisf00754``, ``hrcf90003``, ``acisf90007_000``, ``acisf14990e1``.
    files : Mapping of str to tuple of str
        Files by kind (`raw_files.kind_of`), as paths relative to the ObsID directory, sorted.
    """

    id: str
    stem: str
    files: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Observation:
    """One ObsID.

    Parameters
    ----------
    obsid : int
        Number of the observation.
    instrument : str
        ``ACIS`` or ``HRC``.
    detector : str
        DETNAM: ``ACIS-0123``, ``HRC-I``.
    grating : str
        ``NONE``, ``HETG`` or ``LETG``.
    obs_mode, datamode, readmode : str
        ``POINTING``...; ``FAINT``, ``VFAINT``, ``CC33_FAINT``...; ``TIMED`` or ``CONTINUOUS``; empty if
        unknown.
    target : str
        OBJECT of the headers; empty if unknown.
    ra_nom, dec_nom, roll_nom : float or None
        Nominal pointing, deg.
    sim_x, sim_y, sim_z : float or None
        Position of the science instrument module, mm.
    active : bool
        Whether it can be reduced.
    reason : str
        Why it is not active; empty if it is.
    notes : tuple of str
        Remarks for the user, such as files that oif.fits lists and that are missing.
    exposures : tuple of Exposure
        Exposures sorted by id; none if it is not active.
    """

    obsid: int
    instrument: str
    detector: str
    grating: str
    obs_mode: str
    datamode: str
    readmode: str
    target: str
    ra_nom: float | None
    dec_nom: float | None
    roll_nom: float | None
    sim_x: float | None
    sim_y: float | None
    sim_z: float | None
    active: bool
    reason: str
    notes: tuple[str, ...]
    exposures: tuple[Exposure, ...]

    def to_json(self) -> str:
        """Return it as text; the same observation gives the same bytes."""
        return json.dumps(asdict(self), indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Observation:
        """Return the observation that `to_json` wrote.

        Raises
        ------
        DataError
            The text is not such an observation.
        """
        try:
            values: dict[str, Any] = json.loads(text)
            values["notes"] = tuple(values["notes"])
            values["exposures"] = tuple(_exposure(item) for item in values["exposures"])
            return cls(**values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(
                f"observation.json is damaged: {error}",
                "make it again with --force and the stage that wrote it",
            ) from error


def _exposure(item: Mapping[str, Any]) -> Exposure:
    files = {kind: tuple(paths) for kind, paths in sorted(item["files"].items())}
    return Exposure(item["id"], item["stem"], files)
