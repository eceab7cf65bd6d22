"""YAML with places: YAML 1.2 scalars, nothing dangerous, syntax errors explained."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from chandra_runner.errors import RecipeError
from chandra_runner.recipe import yaml_reader, yaml_text
from chandra_runner.recipe.located_value import LocatedValue
from chandra_runner.recipe.yaml_reader import parse_yaml, resolve_scalar
from chandra_runner.recipe.yaml_text import UnreadableFileError, read_yaml_text

FILE = Path("recipe.yaml")


@pytest.fixture(params=["libyaml", "PyYAML"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every promise holds with the C parser and without."""
    if request.param == "PyYAML":
        monkeypatch.setattr(yaml_reader, "_LOADER", yaml.SafeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML is built without libyaml")


def problems(text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse_yaml(text, FILE)
    return [str(problem).removeprefix("recipe.yaml:") for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("754", 754),
        ("-3", -3),
        ("+3", 3),
        ("0", 0),
        ("0.5", 0.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("2e3", 2000.0),
        ("true", True),
        ("False", False),
        ("null", None),
        ("~", None),
        ("", None),
    ],
)
def test_numbers_booleans_and_null_are_those_of_yaml_12(text: str, value: object) -> None:
    assert resolve_scalar(text) == value
    assert type(resolve_scalar(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *("no", "yes", "on", "off", "y", "n"),
        *("01575", "00", "-01", "01.5", "0x1F", "0o17", "0b1"),
        *("1_000", "1,000", "1:30", "12:30:45", "2001-01-01", "200s", "1.2.3", "٣"),
        *(".inf", "-.inf", ".nan", "1e400"),
        *("<<", "="),
    ],
)
def test_what_yaml_11_takes_for_something_else_is_text(text: str) -> None:
    assert resolve_scalar(text) == text


def test_every_value_knows_its_place_and_that_of_its_key() -> None:
    root = parse_yaml("title: x\nstages:\n  deflare: {method: clean,\n    scale: 1.5}\n", FILE)
    scale = root.child("stages").child("deflare").child("scale")
    assert scale == LocatedValue(1.5, FILE, 4, 12, 4, 5, "1.5", False)
    assert str(scale.problem("bad", "good")) == "recipe.yaml:4:12: bad; good"
    assert str(scale.key_problem("bad")) == "recipe.yaml:4:5: bad"


def test_a_quoted_number_is_text_and_says_so() -> None:
    items = parse_yaml("['3', \"3\", 3]", FILE).items
    assert [(item.value, item.quoted) for item in items] == [("3", True), ("3", True), (3, False)]


def test_a_key_is_its_text_quoted_or_not() -> None:
    assert parse_yaml("493: a\n'494': b\nno: c\n", FILE).plain() == {"493": "a", "494": "b", "no": "c"}
    assert problems("493: a\n'493': b\n") == ["2:1: 493 is given twice, first in line 1; keep one of them"]


def test_an_alias_is_what_it_refers_to_at_its_own_place() -> None:
    root = parse_yaml("a: &bands [broad, soft]\nb: *bands\n", FILE)
    assert root.child("b").plain() == ["broad", "soft"]
    assert (root.child("b").line, root.child("b").column) == (2, 4)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    root = parse_yaml(read_yaml_text(file), file)
    assert root.plain() == {"a": 1, "b": 2}
    assert root.child("b").line == 2


def test_nothing_is_an_empty_value() -> None:
    assert parse_yaml("", FILE).value is None
    assert parse_yaml("# only a comment\n", FILE).value is None


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: !!python/object/apply:os.system [id]", "1:4", "a YAML tag (!!python/object/apply:os.system)"),
        ("a: !!str 1", "1:4", "a YAML tag (!!str)"),
        ("a: ! 1", "1:4", "a YAML tag (!)"),
        ("a: !e!x 1", "1:4", "a YAML tag (!)"),
        ("x: &x {a: 1}\ny: {<<: *x}", "2:5", "a merge key"),
        ("a: *b", "1:4", "*b refers to nothing"),
        ("a: &a [*a]", "1:8", "*a is inside the value that it refers to"),
        ("a: 1\n---\nb: 2", "2:1", "second YAML document"),
        ("a: 1\n...\nb: 2", "3:1", "second YAML document"),
        ("%TAG ! tag:x,2000:\n---\na: 1", "1:1", "a %TAG line"),
        ("%YAML 2.0\n---\na: 1", "1:1", "a line that begins with %"),
        ("? [a]\n: b", "1:3", "a key must be a word or a number"),
        (": b", "1:1", "no name before the colon"),
        ('a: "\\0"', "1:4", "the text contains a control character"),
        ("a: \x07", "1:4", "a control character"),
    ],
)
def test_what_a_recipe_may_not_use_is_refused(text: str, place: str, words: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith(f"{place}: ")
    assert words in problem
    assert "; " in problem


def test_all_that_is_forbidden_is_reported_at_once() -> None:
    assert len(problems("a: !x 1\na: 2\nb: {<<: {c: 1}}\n")) == 3


def _bomb(levels: int) -> str:
    lines = ["l0: &l0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]" for n in range(1, levels)]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (_bomb(10), "the aliases expand to more than 20,000 values"),
        ("a: &a 1\nb: [" + "*a, " * 300 + "]", "more than 200 aliases"),
    ],
    ids=["bomb", "many aliases"],
)
def test_aliases_that_multiply_are_refused(text: str, words: str) -> None:
    (problem,) = problems(text)
    assert words in problem


@pytest.mark.no_cover  # measuring the coverage would more than double the time
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 4_000_000, "1:22"),
        ("{" * 100_000, "1:22"),
        ("[\n" * 100_000, "22:1"),
        ("{a: " * 100_000, "1:82"),
        ("- " * 10_000 + "x", "1:43"),
        ("? " * 10_000 + "x", "1:43"),
        ("".join(" " * level + "a:\n" for level in range(2000)), "21:21"),
        ("- " * 15 + "{a: " * 15, "1:52"),
        ("a: [x, {b: " + "[" * 2000, "1:30"),
        ("a: !x 1\nb: " + "[" * 2000, "2:24"),
    ],
    ids=["lists", "mappings", "lines", "pairs", "blocks", "keys", "indented", "mixed", "inside", "second"],
)
def test_deep_nesting_is_refused_at_its_place_and_at_once(text: str, place: str) -> None:
    begin = time.process_time()
    found = problems(text)
    assert time.process_time() - begin < 1
    assert found[-1] == f"{place}: nested deeper than 20 levels; look for stray brackets"


def test_twenty_levels_are_enough_for_a_recipe() -> None:
    text = "[" * 21 + "]" * 21
    assert parse_yaml(text, FILE).plain()


def test_more_values_than_any_recipe_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_reader, "MAX_VALUES", 100)
    (problem,) = problems("[" + "1, " * 200 + "]")
    assert "more than 100 values" in problem


SYNTAX_ERRORS = [
    ("a: b: c", "1:5", "a second colon in this line"),
    ("a: 1\nb\nc: 2", "2:1", "no colon after this name"),
    ("a: 1\nb", "2:1", "no colon after this name"),
    ("a:1\nb: 2", "1:1", "no space after the colon"),
    ("b: 2\na:1", "2:1", "no space after the colon"),
    ("a:\n  b: 1\n   c: 2", "3:4", "indented deeper than the line above"),
    ("a:\n   b: 1\n  c: 2", "3:3", "not indented as the block it belongs to"),
    ("a: [1, 2\nb: 3", "1:4", "this [ is never closed"),
    ("a: {b: 1\nc: 3", "1:4", "this { is never closed"),
    ("a: {b: 1 c: 3}", "1:11", "a comma or } is missing here"),
    ("a: [1}", "1:6", "a comma or ] is missing here"),
    ('a: "xyz\nb: 1', "1:4", "this quote is never closed"),
    ("a: 'it's nice'", "1:8", "unexpected text after a closing quote"),
    ("a:\n\tb: 1", "2:1", "a tab; YAML is indented with spaces only"),
    ("a:\n  b: 1\n\tc: 1", "3:1", "a tab; YAML is indented with spaces only"),
    ("a: @x", "1:4", "a value cannot begin with @"),
    ("a: %", "1:4", "a value cannot begin with %"),
    ("a: *", "1:4", "a value cannot begin with *"),
    ("a: - b", "1:4", "a list item (-) in the line of its key"),
    ("a:\n  - 1\n  b: 2", "3:3", "a line without - in a list that begins in line 2"),
    ("a:\n  b: 2\n  - 1", "3:3", "a list item (-) among lines of the form name: value"),
    ('a: "\\xzz"', "1:7", "a backslash that has no meaning"),
    ("a: [,]", "1:5", ", where a value is expected"),
    ("a: |x\n  b", "1:5", "unexpected text after |"),
    ("a: [1, 2", "1:4", "this [ is never closed"),
    ("{a: 1\nb: {}", "1:1", "this { is never closed"),
    ("a: &x {b: 1\nc: 3", "1:7", "this { is never closed"),
    ("a: 1\n[b]\nc: 2", "2:1", "no colon after this name"),
    ("  a: 1\nb: 2", "2:1", "this line is not indented as line 1"),
    ("a: [x, - y]", "1:8", "- where a value is expected"),
    ("a: [x, | y]", "1:8", "a value cannot begin with |"),
    ('a: 1\n"b"\nc: 2', "2:1", "no colon after this name"),
    ("a: 1\n'b'", "2:1", "no colon after this name"),
    ("a: ['x'']\nb: 1", "1:5", "this quote is never closed"),
    ("a: `x`", "1:4", "a value cannot begin with `"),
    ('"a": 1\n- b', "2:1", "a list item (-) among lines of the form name: value"),
    ('a: "\\q"', "1:", "a backslash that has no meaning"),
]


@pytest.mark.parametrize(("text", "place", "words"), SYNTAX_ERRORS)
def test_a_syntax_error_is_explained_at_its_place(text: str, place: str, words: str) -> None:
    (problem,) = problems(text + "\n")
    assert problem.startswith(f"{place.removesuffix(':')}:")
    assert words in problem
    assert "; " in problem


def test_explanations_do_not_depend_on_the_words_of_the_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    parse = yaml.parse

    def parse_with_other_words(text: str, **options: Any) -> Iterator[yaml.Event]:
        try:
            yield from parse(text, **options)
        except yaml.MarkedYAMLError as error:
            raise yaml.MarkedYAMLError("?", error.context_mark, "?", error.problem_mark) from None

    expected = [problems(text + "\n") for text, *_ in SYNTAX_ERRORS]
    monkeypatch.setattr(yaml, "parse", parse_with_other_words)
    assert [problems(text + "\n") for text, *_ in SYNTAX_ERRORS] == expected


def test_a_syntax_error_without_an_explanation_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def parse(_text: str, **_options: Any) -> Iterator[yaml.Event]:
        raise yaml.YAMLError("something new")

    monkeypatch.setattr(yaml, "parse", parse)
    assert problems("a: 1") == [
        "1:1: this is not YAML (something new); look for a stray character here or in the line above"
    ]


def test_text_that_is_not_utf8_is_refused_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(RecipeError, match=r"recipe.yaml:2:7: byte 0xe9 is not UTF-8; save the file"):
        read_yaml_text(file)


def test_files_that_cannot_be_read_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnreadableFileError, match="was not found"):
        read_yaml_text(tmp_path / "none.yaml")
    with pytest.raises(UnreadableFileError, match="is a directory"):
        read_yaml_text(tmp_path)
    link = tmp_path / "dangling.yaml"
    link.symlink_to("nowhere")
    with pytest.raises(UnreadableFileError, match="not a regular file"):
        read_yaml_text(link)
    monkeypatch.setattr(yaml_text, "MAX_BYTES", 10)
    (tmp_path / "large.yaml").write_text("a: 1 # long enough\n")
    with pytest.raises(UnreadableFileError, match="is larger than"):
        read_yaml_text(tmp_path / "large.yaml")
