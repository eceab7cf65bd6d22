"""From an ObsID directory to an `Observation`: what its files and its oif.fits say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.errors import DataError

from .exposures import Files, group
from .observation import Exposure, Observation
from .oif import Oif, inactive_reason, read_oif
from .raw_files import bare_name, kind_of, list_files

if TYPE_CHECKING:
    from astropy.io.fits import Header

EXPOSURE_KINDS = frozenset(
    ("evt1", "evt2", "flt1", "bpix1", "msk1", "fov1", "asol1", "osol1", "dtf1", "mtl1", "stat1", "pbk0")
)
"""Kinds of files that belong to an exposure."""
MISSED_KINDS = frozenset(("evt1", "evt2", "flt1", "bpix1", "msk1", "fov1", "asol1", "dtf1"))
"""Kinds whose absence changes what comes out."""
_PREFIX = {"ACIS": "acisf", "HRC": "hrcf"}
"""What CIAO's product names begin with, by instrument."""


def read_observation(directory: Path, obsid: int) -> Observation:
    """Describe the observation in an ObsID directory.

    Parameters
    ----------
    directory : Path
        The directory, with or without oif.fits.
    obsid : int
        The ObsID that it must hold.

    Raises
    ------
    DataError
        A file is damaged, of another ObsID, there twice, or needed and not there.
    """
    paths = [path for path in list_files(directory) if kind_of(path) in EXPOSURE_KINDS | {"oif"}]
    _refuse_twins(paths)
    index = [path for path in paths if kind_of(path) == "oif"]
    oif = read_oif(directory / index[0]) if index else None
    if oif:
        _check_obsid(oif.header, index[0], obsid)
    files = _select(paths, oif)
    headers = [oif.header] if oif else []
    reason = _inactive_reason(files, oif)
    if reason:
        return _observation(obsid, headers, reason=reason)
    missing = _missing(files, oif)
    groups = group(directory, files, oif.locations("EVT1") if oif else [])
    headers = [*_event_headers(directory, groups, missing, obsid), *headers]
    exposures = tuple(
        Exposure(_exposure_id(tag), f"{_prefix(headers)}{obsid:05d}{_suffix(tag)}", found)
        for tag, found in sorted(groups.items())
    )
    note = f"oif.fits lists files that are not there: {', '.join(missing)}"
    return _observation(obsid, headers, notes=(note,) if missing else (), exposures=exposures)


def _observation(
    obsid: int,
    headers: Sequence[Header],
    reason: str = "",
    notes: tuple[str, ...] = (),
    exposures: tuple[Exposure, ...] = (),
) -> Observation:
    return Observation(
        obsid=obsid,
        instrument=_text(headers, "INSTRUME"),
        detector=_text(headers, "DETNAM"),
        grating=_text(headers, "GRATING"),
        obs_mode=_text(headers, "OBS_MODE"),
        datamode=_text(headers, "DATAMODE"),
        readmode=_text(headers, "READMODE"),
        target=_text(headers, "OBJECT"),
        ra_nom=_number(headers, "RA_NOM"),
        dec_nom=_number(headers, "DEC_NOM"),
        roll_nom=_number(headers, "ROLL_NOM"),
        sim_x=_number(headers, "SIM_X"),
        sim_y=_number(headers, "SIM_Y"),
        sim_z=_number(headers, "SIM_Z"),
        active=not reason,
        reason=reason,
        notes=notes,
        exposures=exposures,
    )


def _text(headers: Iterable[Header], keyword: str) -> str:
    """Value in the first header that has one; empty where none has."""
    values = (header.get(keyword) for header in headers)
    return next((str(value).strip() for value in values if isinstance(value, str | int)), "")


def _number(headers: Iterable[Header], keyword: str) -> float | None:
    """Value in the first header that has one; event files come before oif.fits, whose numbers are rounded."""
    values = (header.get(keyword) for header in headers)
    return next((float(value) for value in values if isinstance(value, int | float)), None)


def _refuse_twins(paths: Iterable[str]) -> None:
    """CIAO's tools fail on a file beside its compressed copy, and nobody knows which of them is right."""
    known = set(paths)
    for path in sorted(known):
        if f"{path}.gz" in known:
            raise DataError(f"{path} and {path}.gz stand side by side", "remove one of them")


def _select(paths: Iterable[str], oif: Oif | None) -> Files:
    """The files to use by kind: those that oif.fits lists, or all of a kind where none of those is there."""
    files: dict[str, list[str]] = {}
    for path in paths:
        if kind_of(path) in EXPOSURE_KINDS:
            files.setdefault(kind_of(path), []).append(path)
    if oif is None:
        return files
    listed = {bare_name(member.location) for member in oif.members}
    return {
        kind: [path for path in found if bare_name(path) in listed] or found for kind, found in files.items()
    }


def _inactive_reason(files: Files, oif: Oif | None) -> str:
    if oif:
        return inactive_reason(oif)
    if "evt1" in files or "evt2" in files:
        return ""
    return "there is no evt1 and no evt2 file, and no oif.fits"


def _missing(files: Files, oif: Oif | None) -> list[str]:
    """Names of the files that oif.fits lists, that matter and are not there."""
    there = {bare_name(path) for paths in files.values() for path in paths}
    listed = {bare_name(member.location) for member in oif.members} if oif else set()
    return sorted(name for name in listed - there if kind_of(name) in MISSED_KINDS)


def _event_headers(
    directory: Path, groups: Mapping[str, Files], missing: Sequence[str], obsid: int
) -> list[Header]:
    """EVENTS headers of all exposures, each of which must have one, of this ObsID."""
    from chandra_runner.fits.reader import read_header

    headers = []
    for tag, files in sorted(groups.items()):
        events = [*files.get("evt1", ()), *files.get("evt2", ())]
        if not events:
            of = f"exposure {_exposure_id(tag)}" if tag else "it"
            listed = f" (oif.fits lists {', '.join(missing)})" if missing else ""
            raise DataError(f"{of} has no event file{listed}", "fetch the missing files")
        for path in events:
            headers.append(read_header(directory / path, "EVENTS"))
            _check_obsid(headers[-1], path, obsid)
    return headers


def _check_obsid(header: Header, path: str, obsid: int) -> None:
    value = str(header.get("OBS_ID", "")).strip()
    if value.isdecimal() and int(value) != obsid:  # merged files have words there
        raise DataError(
            f"{path} is of ObsID {int(value)}", "put each ObsID's files into a directory of its own"
        )


def _prefix(headers: Iterable[Header]) -> str:
    instrument = _text(headers, "INSTRUME")
    if instrument not in _PREFIX:
        raise DataError(f"its instrument is {instrument or 'not stated'}", "ACIS and HRC can be reduced")
    return _PREFIX[instrument]


def _exposure_id(tag: str) -> str:
    """``""`` -> ``E001``, ``001`` -> ``E001``, ``e1`` -> ``e1``."""
    return f"E{tag}" if tag.isdecimal() else tag or "E001"


def _suffix(tag: str) -> str:
    """How CIAO's product names tell exposures apart: ``_001`` (splitobs), ``e1`` (chandra_repro)."""
    return f"_{tag}" if tag.isdecimal() else tag
