"""How CIAO's tools say what is wrong."""

from __future__ import annotations

import sys

CIAO_VERSION = "4.16.0"
CONTRIB_VERSION = "07 May 2024"
CORE = frozenset({"dmcopy", "dmextract"})
"""Tools of CIAO itself; the others are contributed scripts, whose messages look a little different."""


class Failure(Exception):
    """A tool cannot go on.

    Parameters
    ----------
    text : str
        What is wrong.
    code : str
        Name of the error, where the data model has one.
    """

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.code = code


def not_opened(name: object) -> Failure:
    """The data model's error for a file that is not there."""
    return Failure(f"Could not open file '{name}'.", "dsOPENFILEFERR")


def error_line(tool: str, failure: Failure) -> str:
    """A failure as the tool prints it."""
    if tool in CORE:
        code = f"{failure.code} -- " if failure.code else ""
        return f"# {tool} (CIAO {CIAO_VERSION}): {code}ERROR: {failure.text}"
    return f"# {tool} ({CONTRIB_VERSION}): ERROR {failure.text}"


def warn(tool: str, text: str) -> None:
    """Print a warning of a tool."""
    print(f"# {tool} (CIAO {CIAO_VERSION}): WARNING: {text}", file=sys.stderr)
