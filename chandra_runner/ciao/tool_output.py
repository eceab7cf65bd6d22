"""Errors and warnings in the output of CIAO tools.

They write them in several ways::

    # dmextract (CIAO 4.16.0): WARNING: Input file, "x.fits", has no rows in it.
    # wcs_update (CIAO 4.16.0): dsOPENFILEFERR -- ERROR: Could not open file 'x.fits'.
    # chandra_repro (07 May 2024): ERROR Multiple evt1 files found in directory in
    # acis_process_events (CIAO 4.16.0): The following error occurred 12 times:
        dsAPEPULSEHEIGHTERR -- WARNING: pulse height is less than split threshold.
    WARNING - MASKFILE=x.fits not found for y.fits. Invalid data may be used.
    Unable to locate level=1 event file in x or x/secondary.  Skipping it
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field

TAIL = 8
"""Number of last lines of a tool's output that are kept."""
_MOST = 1000
"""Number of different messages that are kept: a tool can print millions."""
_LONGEST = 500

_TOOL = re.compile(r"#\s*(?P<tool>[A-Za-z]\w*) \((?P<version>[^)]*)\):\s*(?P<text>.*)")
_LEVEL = re.compile(
    r"(?:(?P<code>ds[A-Z0-9]+) -- )?(?P<level>ERROR|WARNING|Warning)(?:\s*[:-]\s*|\s+)(?P<text>.+)"
)
_TIMES = re.compile(r"The following (?:error|warning) occurred (?P<count>\d+) times?:?")
_SKIPPED = re.compile(r"Unable to locate level=1 event file")
"""After this line chandra_repro skips an observation and reports success."""


@dataclass
class ToolOutput:
    """The output of a tool, read line by line.

    Parameters
    ----------
    tool : str
        The tool that was called; tools that it calls print their own names.
    """

    tool: str
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL))
    _announced: tuple[str, str] = ("", "")
    """Tool and number of times of a message whose text is in the next line."""

    def read(self, line: str) -> None:
        """Read one line."""
        line = line.strip()[:_LONGEST]
        if not line:
            return
        self.tail.append(line)
        tool, text = self._tool_and_text(line)
        times = _TIMES.fullmatch(text)
        if times:
            self._announced = tool, times["count"]
            return
        if _SKIPPED.match(text):
            _keep(self.errors, f"{tool}: {text}")
        found = _LEVEL.match(text)
        if found:
            count = f" ({self._announced[1]} times)" if self._announced[1] else ""
            kept = self.errors if found["level"] == "ERROR" else self.warnings
            _keep(kept, f"{tool}: {found['text'].rstrip('.')}{count}")
        self._announced = ("", "")

    def _tool_and_text(self, line: str) -> tuple[str, str]:
        """Return the tool that printed a line, and its text."""
        named = _TOOL.match(line)
        if named:
            return named["tool"], named["text"].strip()
        return self._announced[0] or self.tool, line


def _keep(messages: list[str], text: str) -> None:
    if text not in messages and len(messages) < _MOST:
        messages.append(text)
