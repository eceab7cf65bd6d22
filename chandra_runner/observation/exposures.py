"""Assigning the files of an observation to its exposures: by their names, otherwise by their times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from chandra_runner.errors import DataError

from .oif import is_interleaved, obi_ids, obi_of
from .raw_files import KINDS

Files = Mapping[str, Sequence[str]]
"""Paths relative to the ObsID directory, by kind."""
Groups = dict[str, dict[str, tuple[str, ...]]]
"""Paths relative to the ObsID directory, by exposure and kind."""
Span = tuple[float, float]
"""First and last mission time, s."""

_FRAME_TYPE = re.compile(r"_(e[12])_")


def group_files(directory: Path, files: Files, listed_evt1: Sequence[str]) -> Groups:
    """Assign the files of an observation to its exposures.

    Parameters
    ----------
    directory : Path
        ObsID directory; headers are read only where a name does not tell the exposure.
    files : Files
        The files.
    listed_evt1 : sequence of str
        Level-1 event files that oif.fits lists, whether they exist or not.

    Returns
    -------
    dict
        Files by exposure and kind. Exposures are ``e1`` and ``e2`` (interleaved), ``000``, ``001``...
        (observing intervals), or the one exposure, ``""``.

    Raises
    ------
    DataError
        An exposure has two files of a kind that must be unique, or a header cannot be read.
    """
    evt1, evt2 = files.get("evt1", ()), files.get("evt2", ())
    # Intervals that are listed count even if their files are missing: the user must learn of them.
    obis = [name.removeprefix("E") for name in obi_ids([*{*evt1, *listed_evt1}])]
    # Interleaved mode is recognized by names; files that name neither type of frame belong to both exposures.
    if is_interleaved([*evt1, *evt2]):
        groups = _assign(files, ("e1", "e2"), lambda path, tag: _frame_type(path) in ("", tag))
    elif len(obis) > 1:
        groups = _by_interval(directory, files, obis)
    else:
        groups = _assign(files, ("",), lambda path, tag: True)
    for tag, found in groups.items():
        _refuse_several(tag, found)
    return groups


def _by_interval(directory: Path, files: Files, obis: Sequence[str]) -> Groups:
    # The archive merges the evt2 of several intervals: it belongs to none of them.
    parts = {kind: paths for kind, paths in files.items() if kind != "evt2"}
    # On-board aspect solutions and parameter blocks are named by time, not by interval.
    spans = {obi_of(path): _span(directory, path) for path in files.get("evt1", ())}
    unnamed = {path: _span(directory, path) for paths in parts.values() for path in paths if not obi_of(path)}

    def belongs(path: str, obi: str) -> bool:
        return obi_of(path) == obi or (path in unnamed and _overlap(unnamed[path], spans.get(obi)))

    return _assign(parts, obis, belongs)


def _assign(files: Files, tags: Iterable[str], belongs: Callable[[str, str], bool]) -> Groups:
    """Return files by exposure and kind; `belongs` decides whether a path belongs to an exposure."""
    groups: Groups = {tag: {} for tag in tags}
    for tag, group in groups.items():
        for kind, paths in sorted(files.items()):
            own = tuple(path for path in sorted(paths) if belongs(path, tag))
            if own:
                group[kind] = own
    return groups


def _frame_type(path: str) -> str:
    match = _FRAME_TYPE.search(path.rpartition("/")[2])
    return match[1] if match else ""


def _span(directory: Path, path: str) -> Span | None:
    """Return the time span in the header of a file, None if it states none."""
    from chandra_runner.fits.reader import read_header

    header = read_header(directory / path)
    start, stop = header.get("TSTART"), header.get("TSTOP")
    if isinstance(start, int | float) and isinstance(stop, int | float):
        return start, stop
    return None


def _overlap(one: Span | None, other: Span | None) -> bool:
    """Return whether two spans overlap; an unknown one may be anywhere."""
    return one is None or other is None or (one[0] < other[1] and other[0] < one[1])


def _refuse_several(tag: str, files: Files) -> None:
    for kind, paths in files.items():
        if len(paths) > 1 and not KINDS[kind].several:
            of_exposure = f" for exposure {tag}" if tag else ""
            raise DataError(
                f"there are {len(paths)} {kind} files{of_exposure}: {', '.join(paths)}",
                "keep only the newer version; each observing interval needs an evt1 file",
            )
