"""The observation index file, oif.fits: the archive's list of what an ObsID consists of."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chandra_runner.errors import DataError

if TYPE_CHECKING:
    from astropy.io.fits import Header

ASPECT_CONTENTS = ("ASPSOL", "ASPSOLOBI")
_OBI = re.compile(r"_(\d{3})N\d{3}_")
_COLUMNS = ("MEMBER_CONTENT", "MEMBER_LOCATION")


@dataclass(frozen=True)
class Member:
    """A file that the index lists.

    Parameters
    ----------
    content : str
        ``EVT1``, ``EVT2``, ``ASPSOLOBI``, ``mtl``...; without blanks around it.
    location : str
        Path in the index: relative, without ``.gz``. It is untrusted input: compare it, never open it.
    """

    content: str
    location: str


@dataclass(frozen=True)
class Oif:
    """An oif.fits: the header of its table, and the files that it lists, in order."""

    path: Path
    header: Header
    members: tuple[Member, ...]

    def count(self, *contents: str) -> int:
        """Return how many files of these contents it lists."""
        return sum(member.content in contents for member in self.members)

    def locations(self, content: str) -> list[str]:
        """Return the locations of the files with that content."""
        return [member.location for member in self.members if member.content == content]

    def text(self, keyword: str) -> str:
        """Return a keyword of the table's header as text.

        Raises
        ------
        DataError
            It is missing.
        """
        value = self.header.get(keyword)
        if not isinstance(value, str | int):
            raise DataError(
                f"{self.path.name} has no keyword {keyword} in its table", "download the file again"
            )
        return str(value).strip()

    def number(self, keyword: str) -> float:
        """Return a keyword of the table's header as a number.

        Raises
        ------
        DataError
            It is missing or is not a number.
        """
        value = self.header.get(keyword)
        if not isinstance(value, int | float):
            raise DataError(
                f"{self.path.name} has no number {keyword} in its table", "download the file again"
            )
        return float(value)


def read_oif(path: str | PathLike[str]) -> Oif:
    """Read an observation index file.

    Raises
    ------
    DataError
        The file is missing, damaged, or not an observation index.
    """
    from chandra_runner.fits.reader import read_hdus

    # astropy raises various errors if extension 1 is missing, is not a table, or has other columns.
    path = Path(path)
    try:
        table = read_hdus(path)[1]
        content, location = ([str(value).strip() for value in table.data[name]] for name in _COLUMNS)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise DataError(
            f"{path.name} is not an observation index: extension 1 has no {' and '.join(_COLUMNS)}",
            "download it again",
        ) from error
    return Oif(path, table.header, tuple(map(Member, content, location)))


def parse_oif(path: str | PathLike[str]) -> dict[str, dict[str, Any]]:
    """Read what an oif.fits says about its observation.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    dict
        One entry, named by the instrument (``ACIS``, ``HRC``): a dict of ``SEQUENCE``, ``DETECTOR``
        (``01236``, ``I``), ``GRATING`` (bool), ``GRATING_NAME``, ``OBS_MODE``, ``MODE``, ``RA_NOM``,
        ``DEC_NOM``, ``ROLL_NOM`` (deg), ``SCIENCE_INST_MODULE_X``, ``_Y``, ``_Z`` (mm), ``active``,
        ``alt_exp_mode``, ``sub_exp``, ``sub_exp_ids`` and ``file_content_counts``.

    Raises
    ------
    DataError
        The file is missing, damaged, or not an observation index.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from chandra_runner import parse_oif, synthetic
    >>> with TemporaryDirectory() as data:
    ...     synthetic.write_observation(99002, Path(data) / "99002")
    ...     parse_oif(f"{data}/99002/oif.fits")["ACIS"]["MODE"]
    'FAINT'
    """
    oif = read_oif(path)
    grating = oif.text("GRATING")
    evt1 = oif.locations("EVT1")
    interleaved, obis = is_interleaved(evt1), obi_ids(evt1)
    return {
        oif.text("INSTRUME"): {
            "SEQUENCE": oif.text("SEQ_NUM"),
            "DETECTOR": oif.text("DETNAM").rpartition("-")[2],
            "GRATING": grating != "NONE",
            "OBS_MODE": oif.text("OBS_MODE"),
            "MODE": oif.text("DATAMODE"),
            "RA_NOM": oif.number("RA_NOM"),
            "DEC_NOM": oif.number("DEC_NOM"),
            "ROLL_NOM": oif.number("ROLL_NOM"),
            "SCIENCE_INST_MODULE_X": oif.number("SIM_X"),
            "SCIENCE_INST_MODULE_Y": oif.number("SIM_Y"),
            "SCIENCE_INST_MODULE_Z": oif.number("SIM_Z"),
            "GRATING_NAME": "" if grating == "NONE" else grating,
            "active": not inactive_reason(oif),
            "alt_exp_mode": interleaved,
            "sub_exp": len(evt1) > 1 and not interleaved,
            "sub_exp_ids": obis or ["E001"],
            "file_content_counts": dict(Counter(member.content for member in oif.members)),
        }
    }


def inactive_reason(oif: Oif) -> str:
    """Return why an observation cannot be used, by what its index lists; empty if it can."""
    wanted = {"EVT2": ("EVT2",), "EVT1": ("EVT1",), "aspect solution": ASPECT_CONTENTS}
    missing = [name for name, contents in wanted.items() if not oif.count(*contents)]
    return f"oif.fits lists no {' and no '.join(missing)}" if missing else ""


def is_interleaved(evt1_names: list[str]) -> bool:
    """Return whether these level-1 event files are those of interleaved exposures."""
    return all(any(tag in name for name in evt1_names) for tag in ("_e1_", "_e2_"))


def obi_ids(evt1_names: list[str]) -> list[str]:
    """Return the ids of the observing intervals, sorted (``["E000", "E001"]``); empty for a single file.

    The level-1 event files of interleaved exposures are not intervals.
    """
    if len(evt1_names) < 2 or is_interleaved(evt1_names):
        return []
    return sorted({f"E{obi_of(name)}" for name in evt1_names if obi_of(name)})


def obi_of(name: str) -> str:
    """Return the observing interval in a file's name: ``acisf90007_001N001_evt1.fits`` -> ``001``."""
    match = _OBI.search(name.rpartition("/")[2])
    return match[1] if match else ""
