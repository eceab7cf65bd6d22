"""The observation index file, oif.fits: what the archive says an ObsID consists of."""

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
        ``EVT1``, ``EVT2``, ``ASPSOLOBI``, ``mtl``...; without the blanks around it.
    location : str
        Path as the index has it: relative, without ``.gz``. Not to be trusted: compare it, never open it.
    """

    content: str
    location: str


@dataclass(frozen=True)
class Oif:
    """An oif.fits: the header of its table, and the files it lists in their order."""

    path: Path
    header: Header
    members: tuple[Member, ...]

    def count(self, *contents: str) -> int:
        """How many files of these contents it lists."""
        return sum(member.content in contents for member in self.members)

    def locations(self, content: str) -> list[str]:
        """Where the files of that content are."""
        return [member.location for member in self.members if member.content == content]

    def text(self, keyword: str) -> str:
        """A keyword of the table's header as text.

        Raises
        ------
        DataError
            It is not there.
        """
        value = self.header.get(keyword)
        if not isinstance(value, str | int):
            raise DataError(f"{self.path.name} has no keyword {keyword} in its table", "fetch the file again")
        return str(value).strip()

    def number(self, keyword: str) -> float:
        """A keyword of the table's header as a number.

        Raises
        ------
        DataError
            It is not there, or no number.
        """
        value = self.header.get(keyword)
        if not isinstance(value, int | float):
            raise DataError(f"{self.path.name} has no number {keyword} in its table", "fetch the file again")
        return float(value)


def read_oif(path: str | PathLike[str]) -> Oif:
    """Read an observation index file.

    Raises
    ------
    DataError
        It is missing, damaged, or no observation index.
    """
    from chandra_runner.fits.reader import read_hdus

    path = Path(path)
    try:
        table = read_hdus(path)[1]
        content, location = ([str(value).strip() for value in table.data[name]] for name in _COLUMNS)
    except (LookupError, AttributeError, TypeError, ValueError) as error:
        raise DataError(
            f"{path.name} is no observation index: its extension 1 is no table with {' and '.join(_COLUMNS)}",
            "fetch it again",
        ) from error
    return Oif(path, table.header, tuple(map(Member, content, location)))


def parse_oif(path: str | PathLike[str]) -> dict[str, dict[str, Any]]:
    """What an oif.fits says about its observation.

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
        The file is missing, damaged, or no observation index.
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
    """Why an observation cannot be used, by what its index lists; empty when it can."""
    wanted = {"EVT2": ("EVT2",), "EVT1": ("EVT1",), "aspect solution": ASPECT_CONTENTS}
    lacking = [name for name, contents in wanted.items() if not oif.count(*contents)]
    return f"oif.fits lists no {' and no '.join(lacking)}" if lacking else ""


def is_interleaved(evt1_names: list[str]) -> bool:
    """Whether these level-1 event files are those of alternating exposures."""
    return all(any(tag in name for name in evt1_names) for tag in ("_e1_", "_e2_"))


def obi_ids(evt1_names: list[str]) -> list[str]:
    """Ids of the observing intervals, sorted (``["E000", "E001"]``); empty unless there are several files.

    The level-1 event files of alternating exposures are no intervals of their own.
    """
    if len(evt1_names) < 2 or is_interleaved(evt1_names):
        return []
    return sorted({f"E{obi_of(name)}" for name in evt1_names if obi_of(name)})


def obi_of(name: str) -> str:
    """Observing interval in a file's name: ``acisf90007_001N001_evt1.fits`` -> ``001``; empty: none."""
    match = _OBI.search(name.rpartition("/")[2])
    return match[1] if match else ""
