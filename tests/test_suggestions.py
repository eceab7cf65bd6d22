"""Suggestions: the nearest name, and the number behind a text."""

from __future__ import annotations

import pytest

from chandra_runner.suggestions import did_you_mean, nearest, number_hint

NAMES = ["method", "mean", "time_bin_size"]


@pytest.mark.parametrize(
    ("word", "expected"),
    [("metod", "method"), ("MEAN", "mean"), ("timebinsize", "time_bin_size"), ("xyz", "")],
)
def test_the_nearest_name_is_the_most_similar_one_whatever_its_case(word: str, expected: str) -> None:
    assert nearest(word, NAMES) == expected


def test_a_hint_lists_all_choices_where_none_is_near() -> None:
    assert did_you_mean("metod", NAMES, "write one of") == "did you mean method?"
    assert did_you_mean("xyz", NAMES, "write one of") == "write one of method, mean, time_bin_size"


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("754", "write the number without quotes: 754"),
        (" -1.5e3 ", "write the number without quotes: -1.5e3"),
        ("00754", "write it without the leading zero: 754"),
        ("0x2F2", "write it as a decimal number: 754"),
        ("0o17", "write it as a decimal number: 15"),
        ("28_229", "write 28229"),
        ("28,229", "write 28229"),
        (".inf", "write a finite number"),
        ("1:30", "write a decimal number, without colons"),
        ("200 s", "write the number without a unit: 200"),
        ("1.5%", "write the number without a unit: 1.5"),
        ("754-760", "write single numbers; ranges are not supported"),
        ("754..760", "write single numbers; ranges are not supported"),
        ("three", ""),
        ("", ""),
    ],
)
def test_a_text_suggests_the_number_behind_it(text: str, hint: str) -> None:
    assert number_hint(text) == hint
