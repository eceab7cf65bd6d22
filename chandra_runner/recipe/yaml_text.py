"""Read the text of YAML files, with bounds on what a file may be."""

from __future__ import annotations

import os
import re
from pathlib import Path

from chandra_runner.errors import Problem, RecipeError

MAX_BYTES = 4_000_000
NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class UnreadableFileError(Exception):
    """A file cannot be read at all; the caller knows which place to blame for it.

    Parameters
    ----------
    file : Path
        The file.
    reason : str
        What is wrong with it, such as "was not found".
    """

    def __init__(self, file: Path, reason: str) -> None:
        super().__init__(f"{file} {reason}")
        self.reason = reason


def read_yaml_text(file: Path) -> str:
    """Return the text of a YAML file.

    Raises
    ------
    UnreadableFileError
        It does not exist, is not a regular file, is too large, or may not be read.
    RecipeError
        It is not UTF-8 text.
    """
    if os.path.isdir(file):
        raise UnreadableFileError(file, "is a directory, not a file")
    if not os.path.lexists(file):
        raise UnreadableFileError(file, "was not found")
    if not os.path.isfile(file):
        raise UnreadableFileError(file, "is not a regular file")
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise UnreadableFileError(file, f"cannot be read: {error.strerror}") from None
    if len(data) > MAX_BYTES:
        raise UnreadableFileError(file, f"is larger than {MAX_BYTES // 1_000_000} MB")
    return _decode(data, file)


def check_printable(text: str, file: Path) -> None:
    """Raise RecipeError where a text contains a control character."""
    bad = NOT_PRINTABLE.search(text)
    if bad:
        message = f"a control character ({bad[0]!a})"
        raise _at_end_of(text[: bad.start()], file, message, "remove it; it is invisible")


def _decode(data: bytes, file: Path) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise _at_end_of(before, file, message, "save the file with the encoding UTF-8") from None


def _at_end_of(before: str, file: Path, message: str, hint: str) -> RecipeError:
    """Return the error at the place where a text ends."""
    line = before.count("\n") + 1
    return RecipeError([Problem(file, line, len(before) - before.rfind("\n"), message, hint)])
