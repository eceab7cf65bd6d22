"""Values with places: what they contain, how messages show them, where problems point."""

from __future__ import annotations

from pathlib import Path

import pytest

from chandra_runner.recipe.located_value import LocatedValue
from chandra_runner.recipe.yaml_reader import parse_yaml

FILE = Path("recipe.yaml")


def value(text: str) -> LocatedValue:
    return parse_yaml(text, FILE)


def test_entries_and_items_are_empty_for_other_values() -> None:
    assert set(value("{a: 1, b: 2}").mapping) == {"a", "b"}
    assert value("[1, 2]").mapping == {}
    assert [item.value for item in value("[1, 2]").items] == [1, 2]
    assert value("{a: 1}").items == value("text").items == ()


def test_a_child_that_does_not_exist_is_empty_and_at_the_place_of_its_parent() -> None:
    root = value("a:\n  b: {c: 1}\n")
    missing = root.child("a").child("b").child("x")
    assert (missing.value, missing.line, missing.column) == (None, 2, 6)
    assert missing.child("y").value is None


def test_a_false_value_is_a_child() -> None:
    root = value("{a: 0, b: null, c: [], d: ''}")
    assert [root.child(key).column for key in "abcd"] == [5, 11, 20, 27]


def test_a_plain_value_has_dicts_lists_and_scalars() -> None:
    text = "{a: [1, {b: true}], 493: null, c: '3'}"
    assert value(text).plain() == {"a": [1, {"b": True}], "493": None, "c": "3"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("{a: 1}", "a mapping"),
        ("{}", "{}"),
        ("[1]", "a list"),
        ("[]", "[]"),
        ("0.50", "0.50"),
        ("'0.5'", '"0.5"'),
        ("x" * 40, "x" * 40),
        ("x" * 41, "x" * 40 + "..."),
        ("null", "null"),
    ],
)
def test_messages_show_a_value_as_it_is_written(text: str, shown: str) -> None:
    assert value(text).shown == shown


def test_problems_point_at_the_value_or_at_its_key() -> None:
    scale = value("a: 1\nscale:   2\n").child("scale")
    assert str(scale.problem("wrong", "right")) == "recipe.yaml:2:10: wrong; right"
    assert str(scale.key_problem("wrong")) == "recipe.yaml:2:1: wrong"


def test_a_problem_with_a_key_that_does_not_exist_points_at_the_value() -> None:
    assert str(value("[1, 2]").items[1].key_problem("wrong")) == "recipe.yaml:1:5: wrong"
