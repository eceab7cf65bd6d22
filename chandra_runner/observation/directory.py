"""Describing the observation in an ObsID directory, from its files and its oif.fits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.errors import DataError

from .exposures import Files, group_files
from .observation import Exposure, Observation
from .oif import Oif, inactive_reason, read_oif
from .raw_files import EXPOSURE_KINDS, KINDS_REPORTED_MISSING, bare_name, kind_of, list_files

if TYPE_CHECKING:
    from astropy.io.fits import Header

_PREFIX = {"ACIS": "acisf", "HRC": "hrcf"}
"""Start of CIAO's product names, by instrument."""


def read_observation(directory: Path, obsid: int) -> Observation:
    """Describe the observation in an ObsID directory.

    Parameters
    ----------
    directory : Path
        The directory, with or without oif.fits.
    obsid : int
        The ObsID whose files it must contain.

    Raises
    ------
    DataError
        A file is damaged, belongs to another ObsID, exists twice, or is missing and required.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from chandra_runner import synthetic
    >>> with TemporaryDirectory() as data:
    ...     synthetic.write_observation(99002, Path(data) / "99002")
    ...     observation = read_observation(Path(data) / "99002", 99002)
    >>> observation.detector, [exposure.stem for exposure in observation.exposures]
    ('ACIS-67', ['acisf99002'])
    """
    paths = [path for path in list_files(directory) if kind_of(path) in EXPOSURE_KINDS | {"oif"}]
    _refuse_compressed_copies(paths)
    index = [path for path in paths if kind_of(path) == "oif"]
    oif = read_oif(directory / index[0]) if index else None
    if oif:
        _check_obsid(oif.header, index[0], obsid)
    # Whether there is something to reduce is decided before headers are read: inactive observations may lack
    # the files that have them.
    files = _select(paths, oif)
    headers = [oif.header] if oif else []
    reason = _inactive_reason(files, oif)
    if reason:
        return _observation(obsid, headers, reason=reason)
    missing = _missing(files, oif)
    groups = group_files(directory, files, oif.locations("EVT1") if oif else [])
    # Event headers first: numbers in oif.fits are rounded.
    headers = [*_event_headers(directory, groups, missing, obsid), *headers]
    exposures = tuple(
        Exposure(_exposure_id(tag), f"{_prefix(headers)}{obsid:05d}{_suffix(tag)}", found)
        for tag, found in sorted(groups.items())
    )
    note = f"oif.fits lists files that are missing: {', '.join(missing)}"
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
    """Return the value in the first header that has one; empty if none has."""
    values = (header.get(keyword) for header in headers)
    return next((str(value).strip() for value in values if isinstance(value, str | int)), "")


def _number(headers: Iterable[Header], keyword: str) -> float | None:
    """Return the value in the first header that has one; numbers in oif.fits, the last, are rounded."""
    values = (header.get(keyword) for header in headers)
    return next((float(value) for value in values if isinstance(value, int | float)), None)


def _refuse_compressed_copies(paths: Iterable[str]) -> None:
    """Refuse a file next to its compressed copy: CIAO tools fail on both, and either may be the right one."""
    known = set(paths)
    for path in sorted(known):
        if f"{path}.gz" in known:
            raise DataError(f"{path} and {path}.gz both exist", "remove one of them")


def _select(paths: Iterable[str], oif: Oif | None) -> Files:
    """Return the files to use by kind: those that oif.fits lists, or all if none of those exists."""
    files: dict[str, list[str]] = {}
    for path in paths:
        if kind_of(path) in EXPOSURE_KINDS:
            files.setdefault(kind_of(path), []).append(path)
    if oif is None:
        return files
    # Only names are compared: paths in oif.fits are not trusted, and files may be in another folder.
    listed = {bare_name(member.location) for member in oif.members}
    return {
        kind: [path for path in found if bare_name(path) in listed] or found for kind, found in files.items()
    }


def _inactive_reason(files: Files, oif: Oif | None) -> str:
    if oif:
        return inactive_reason(oif)
    if "evt1" in files or "evt2" in files:
        return ""
    return "there is no evt1 or evt2 file, and no oif.fits"


def _missing(files: Files, oif: Oif | None) -> list[str]:
    """Return the names of files that oif.fits lists, that matter and that are missing."""
    present = {bare_name(path) for paths in files.values() for path in paths}
    listed = {bare_name(member.location) for member in oif.members} if oif else set()
    return sorted(name for name in listed - present if kind_of(name) in KINDS_REPORTED_MISSING)


def _event_headers(
    directory: Path, groups: Mapping[str, Files], missing: Sequence[str], obsid: int
) -> list[Header]:
    """Return the EVENTS headers of all exposures; each must have one, of this ObsID."""
    from chandra_runner.fits.reader import read_header

    headers = []
    for tag, files in sorted(groups.items()):
        events = [*files.get("evt1", ()), *files.get("evt2", ())]
        if not events:
            owner = f"exposure {_exposure_id(tag)}" if tag else "the ObsID directory"
            listed = f" (oif.fits lists {', '.join(missing)})" if missing else ""
            raise DataError(f"{owner} has no event file{listed}", "download the missing files")
        for path in events:
            headers.append(read_header(directory / path, "EVENTS"))
            _check_obsid(headers[-1], path, obsid)
    return headers


def _check_obsid(header: Header, path: str, obsid: int) -> None:
    value = str(header.get("OBS_ID", "")).strip()
    if value.isdecimal() and int(value) != obsid:  # merged files have a word there
        raise DataError(
            f"{path} belongs to ObsID {int(value)}", "put the files of each ObsID into a directory of its own"
        )


def _prefix(headers: Iterable[Header]) -> str:
    instrument = _text(headers, "INSTRUME")
    if instrument not in _PREFIX:
        raise DataError(f"the instrument is {instrument or 'not stated'}", "only ACIS and HRC can be reduced")
    return _PREFIX[instrument]


def _exposure_id(tag: str) -> str:
    """Return the id of an exposure: ``""`` -> ``E001``, ``001`` -> ``E001``, ``e1`` -> ``e1``."""
    if not tag:
        return "E001"
    return f"E{tag}" if tag.isdecimal() else tag


def _suffix(tag: str) -> str:
    """Return what identifies an exposure in CIAO's names: ``_001`` (splitobs), ``e1`` (chandra_repro)."""
    return f"_{tag}" if tag.isdecimal() else tag
