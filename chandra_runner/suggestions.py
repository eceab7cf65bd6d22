"""Guesses at what is meant: the nearest name, the number behind what is none."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection

_DECIMAL = r"[-+]?([1-9][0-9]*|0)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+"


def did_you_mean(word: str, choices: Collection[str], otherwise: str) -> str:
    """A hint: the choice nearest to what was written; else `otherwise` and all choices."""
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return f"did you mean {by_lower[close[0]]}?" if close else f"{otherwise} {', '.join(choices)}"


def number_hint(text: str) -> str:
    """What to write instead of a text where a number is wanted; empty where nobody can tell."""
    for pattern, hint in _HINTS:
        match = re.fullmatch(pattern, text, flags=re.IGNORECASE)
        if match:
            return hint(match)
    return ""


# YAML 1.1 reads 01575 as octal, 1:30 in base 60 and 1_000 as 1000; YAML 1.2 and people do not agree.
# Each pattern, and the hint with the parts it found.
_HINTS: tuple[tuple[str, Callable[[re.Match[str]], str]], ...] = (
    (rf"\s*({_DECIMAL})\s*", lambda found: f"write the number without quotes: {found[1]}"),
    (r"[-+]?0+([1-9][0-9]*(\.[0-9]*)?)", lambda found: f"write it without the leading zero: {found[1]}"),
    (
        r"0x[0-9a-f]{1,12}|0o[0-7]{1,12}|0b[01]{1,40}",
        lambda found: f"write it as a decimal number: {int(found[0], 0)}",
    ),
    (r"[0-9]{1,3}([_,'][0-9]{3})+", lambda found: f"write {re.sub('[^0-9]', '', found[0])}"),
    (r"[-+]?\.?(inf|infinity|nan)", lambda _: "write a finite number"),
    (r"[0-9]+(:[0-9]+)+", lambda _: "write a decimal number, without colons"),
    (rf"({_DECIMAL})\s*[a-z%].*", lambda found: f"write the number without a unit: {found[1]}"),
    (r"[0-9]+\s*(-|\.\.+)\s*[0-9]+", lambda _: "write single numbers; there are no ranges"),
)
