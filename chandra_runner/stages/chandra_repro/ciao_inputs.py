"""The raw files in the places where chandra_repro looks for them, which differ from the archive's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from chandra_runner.ciao.session import accepts_path
from chandra_runner.errors import DataError
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.observation.raw_files import kind_of

INPUT = "in"
"""Directory of the raw files, with `primary` and `secondary` below it."""
_PRIMARY = frozenset({"evt2", "asol1", "bpix1", "dtf1", "fov1"})
_SECONDARY = frozenset({"evt1", "flt1", "msk1", "mtl1", "stat1", "pbk0", "bias0"})
_ASPECT = frozenset({"osol1"})
_SHARED = frozenset({"bias0", "evt2"})
"""Kinds whose files chandra_repro and splitobs assign to exposures themselves."""


def input_files(observation: Observation, paths: Sequence[str]) -> Mapping[str, str]:
    """Return the files that chandra_repro reads: their places in the task's directory, and where they are.

    Parameters
    ----------
    observation : Observation
        The observation, with the files of its exposures.
    paths : sequence of str
        All files of the ObsID directory, relative to it.

    Returns
    -------
    Mapping of str to str
        Path in the ObsID directory by path in the task's directory.

    Raises
    ------
    DataError
        The name of a file has characters that CIAO takes for a filter, a list or several words.
    """
    own = [path for exposure in observation.exposures for found in exposure.files.values() for path in found]
    shared = [path for path in paths if kind_of(path) in _SHARED]
    places = {name: path for path in sorted({*own, *shared}) if (name := _place_of(observation, path))}
    for name, path in places.items():
        if not accepts_path(name):
            raise DataError(
                f"CIAO cannot take the file name {path!r}", "use only letters, digits and . _ ~ + - in it"
            )
    return places


def missing_kinds(observation: Observation, exposure: Exposure, paths: Sequence[str]) -> Iterator[str]:
    """Yield the kinds of files that are missing and without which chandra_repro does not start."""
    present = {kind_of(path) for path in paths} & _SHARED
    present |= {kind for kind, found in exposure.files.items() if found}
    needed = ["evt1", "flt1", "bpix1", "msk1"]
    if observation.instrument == "HRC":
        needed += ["dtf1"]
    elif observation.readmode == "CONTINUOUS":
        needed += ["mtl1"]
    else:
        needed += ["mtl1", "stat1", "pbk0", "bias0"]
    yield from (kind for kind in needed if kind not in present)
    if not present & {"asol1", "osol1"}:
        yield "asol1"


def _place_of(observation: Observation, path: str) -> str:
    """Return the place in the task's directory; empty for files that are not used."""
    kind, name = kind_of(path), path.rpartition("/")[2].removesuffix(".gz")
    if kind in _ASPECT:
        return f"{INPUT}/secondary/aspect/{name}"
    if kind in _SECONDARY or (kind == "bpix1" and observation.instrument == "HRC"):
        return f"{INPUT}/secondary/{name}"
    return f"{INPUT}/primary/{name}" if kind in _PRIMARY else ""
