"""ToolOutput: what CIAO's tools print is understood as they mean it."""

from __future__ import annotations

import pytest

from chandra_runner.ciao.tool_output import TAIL, ToolOutput


def read(tool: str, text: str) -> ToolOutput:
    """The messages in an output."""
    messages = ToolOutput(tool)
    for line in text.splitlines():
        messages.read(line)
    return messages


@pytest.mark.parametrize(
    ("tool", "text", "errors", "warnings"),
    [
        (
            "dmextract",
            '# dmextract (CIAO 4.16.0): WARNING: Input file, "x.fits", has no rows in it.',
            [],
            ['dmextract: Input file, "x.fits", has no rows in it'],
        ),
        (
            "chandra_repro",
            "# wcs_update (CIAO 4.16.0): dsOPENFILEFERR -- ERROR: Could not open file 'x.fits'.",
            ["wcs_update: Could not open file 'x.fits'"],
            [],
        ),
        (
            "chandra_repro",
            "# chandra_repro (07 May 2024): ERROR Multiple evt1 files found in directory in",
            ["chandra_repro: Multiple evt1 files found in directory in"],
            [],
        ),
        (
            "chandra_repro",
            "# acis_process_events (CIAO 4.16.0): The following error occurred 12 times:\n"
            "\tdsAPEPULSEHEIGHTERR -- WARNING: pulse height is less than split threshold.\nDone",
            [],
            ["acis_process_events: pulse height is less than split threshold (12 times)"],
        ),
        (
            "chandra_repro",
            "Unable to locate level=1 event file in in.  Skipping it",
            ["chandra_repro: Unable to locate level=1 event file in in.  Skipping it"],
            [],
        ),
        (
            "fluximage",
            "WARNING - MASKFILE=x not found for y. Invalid data may be used.",
            [],
            ["fluximage: MASKFILE=x not found for y. Invalid data may be used"],
        ),
        (
            "deflare",
            "Traceback (most recent call last):\n  File 'x', line 1\nValueError: no\n",
            [],
            [],
        ),
        ("dmcopy", "dmcopy is a tool that has no ERROR in it\nThe error is small\n\n", [], []),
    ],
)
def test_errors_and_warnings_are_told_apart(
    tool: str, text: str, errors: list[str], warnings: list[str]
) -> None:
    messages = read(tool, text)
    assert (messages.errors, messages.warnings) == (errors, warnings)


def test_a_message_is_kept_once_and_the_last_lines_are_kept() -> None:
    messages = read("dmcopy", "WARNING: again\n" * 50 + "last")
    assert messages.warnings == ["dmcopy: again"]
    assert len(messages.tail) == TAIL
    assert messages.tail[-1] == "last"


def test_a_tool_that_goes_mad_does_not_fill_memory() -> None:
    messages = read("dmcopy", "\n".join(f"WARNING: row {number} {'x' * 1000}" for number in range(5000)))
    assert len(messages.warnings) == 1000
    assert max(map(len, messages.warnings)) < 600
