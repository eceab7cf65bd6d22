"""Suggest what a user meant: the name nearest to a misspelled one, the number behind a text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Collection

_DECIMAL = r"[-+]?([1-9][0-9]*|0)(\.[0-9]*)?([eE][-+]?[0-9]+)?|[-+]?\.[0-9]+"


def nearest(word: str, choices: Collection[str]) -> str:
    """Return the choice most similar to a word, whatever its case; empty where none is similar.

    Examples
    --------
    >>> nearest("Metod", ["method", "mean"])
    'method'
    """
    by_lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(word.lower(), by_lower, n=1)
    return by_lower[close[0]] if close else ""


def did_you_mean(word: str, choices: Collection[str], otherwise: str) -> str:
    """Return a hint: the choice nearest to a word; where none is near, `otherwise` and all choices.

    Examples
    --------
    >>> did_you_mean("sgima", ["sigma", "clean"], "write one of")
    'did you mean sigma?'
    >>> did_you_mean("fast", ["sigma", "clean"], "write one of")
    'write one of sigma, clean'
    """
    near = nearest(word, choices)
    return f"did you mean {near}?" if near else f"{otherwise} {', '.join(choices)}"


def number_hint(text: str) -> str:
    """Return what to write instead of a text where a number is expected; empty where that is unclear.

    Examples
    --------
    >>> number_hint("01575")
    'write it without the leading zero: 1575'
    """
    for pattern, hint in _HINTS:
        match = re.fullmatch(pattern, text, flags=re.IGNORECASE)
        if match:
            return hint(match)
    return ""


# Each pattern, and the hint made of its match. YAML 1.1 reads 01575 as octal, 1:30 in base 60 and 1_000
# as 1000; YAML 1.2 does not, so that a user who means the number has to write it plainly.
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
    (r"[0-9]+\s*(-|\.\.+)\s*[0-9]+", lambda _: "write single numbers; ranges are not supported"),
)
