"""Which files belong to which exposure of an observation: by their names, else by their times."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from chandra_runner.errors import DataError

from .oif import is_interleaved, obi_ids, obi_of

Files = Mapping[str, Sequence[str]]
"""Paths relative to the ObsID directory, by kind."""
Groups = dict[str, dict[str, tuple[str, ...]]]
"""Such paths by exposure and kind."""
Span = tuple[float, float]
"""First and last mission time, s."""

_SEVERAL = frozenset({"asol1", "osol1", "pbk0"})
"""Kinds of which an exposure may have several: old ones are cut by time."""
_FRAMES = re.compile(r"_(e[12])_")


def group(directory: Path, files: Files, listed_evt1: Sequence[str]) -> Groups:
    """Share out the files of an observation among its exposures.

    Parameters
    ----------
    directory : Path
        ObsID directory; read only where a name does not say what its file belongs to.
    files : Files
        What there is.
    listed_evt1 : sequence of str
        Level-1 event files that oif.fits lists, there or not.

    Returns
    -------
    dict
        Files by exposure and kind. Exposures are ``e1`` and ``e2`` (interleaved), ``000``, ``001``...
        (observing intervals), or the one exposure, ``""``.

    Raises
    ------
    DataError
        An exposure has two files of a kind of which it can have one, or a header cannot be read.
    """
    evt1, evt2 = files.get("evt1", ()), files.get("evt2", ())
    obis = [name.removeprefix("E") for name in obi_ids([*{*evt1, *listed_evt1}])]
    if is_interleaved([*evt1, *evt2]):
        groups = _share(files, ("e1", "e2"), lambda path, tag: _frames(path) in ("", tag))
    elif len(obis) > 1:
        groups = _by_interval(directory, files, obis)
    else:
        groups = _share(files, ("",), lambda path, tag: True)
    for tag, found in groups.items():
        _refuse_several(tag, found)
    return groups


def _by_interval(directory: Path, files: Files, obis: Sequence[str]) -> Groups:
    # The merged evt2 of several intervals belongs to none of them.
    parts = {kind: paths for kind, paths in files.items() if kind != "evt2"}
    spans = {obi_of(path): _span(directory, path) for path in files.get("evt1", ())}
    unnamed = {path: _span(directory, path) for paths in parts.values() for path in paths if not obi_of(path)}

    def belongs(path: str, obi: str) -> bool:
        return obi_of(path) == obi or (path in unnamed and _overlap(unnamed[path], spans.get(obi)))

    return _share(parts, obis, belongs)


def _share(files: Files, tags: Iterable[str], belongs: Callable[[str, str], bool]) -> Groups:
    """Files by exposure and kind, where `belongs` says of a path whether it is of an exposure."""
    return {
        tag: {
            kind: mine
            for kind, paths in sorted(files.items())
            if (mine := tuple(path for path in sorted(paths) if belongs(path, tag)))
        }
        for tag in tags
    }


def _frames(path: str) -> str:
    match = _FRAMES.search(path.rpartition("/")[2])
    return match[1] if match else ""


def _span(directory: Path, path: str) -> Span | None:
    from chandra_runner.fits.reader import read_header

    header = read_header(directory / path)
    start, stop = header.get("TSTART"), header.get("TSTOP")
    if isinstance(start, int | float) and isinstance(stop, int | float):
        return start, stop
    return None


def _overlap(one: Span | None, other: Span | None) -> bool:
    """Whether two spans overlap; one that is not known may be anywhere."""
    return one is None or other is None or (one[0] < other[1] and other[0] < one[1])


def _refuse_several(tag: str, files: Files) -> None:
    for kind, paths in files.items():
        if len(paths) > 1 and kind not in _SEVERAL:
            of = f" of exposure {tag}" if tag else ""
            raise DataError(
                f"there are {len(paths)} {kind} files{of}: {', '.join(paths)}",
                "keep the newer one of two versions; observing intervals need an evt1 file each",
            )
