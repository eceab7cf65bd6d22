"""YAML with places: YAML 1.2 scalars, nothing dangerous, syntax errors in plain words."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from chandra_runner.errors import RecipeError
from chandra_runner.recipe import yaml_reader as yamlsource
from chandra_runner.recipe.located_value import LocatedValue
from chandra_runner.recipe.yaml_reader import SourceError, parse, read, resolve

FILE = Path("recipe.yaml")


@pytest.fixture(params=["libyaml", "PyYAML"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every promise holds with the C parser and without."""
    if request.param == "PyYAML":
        monkeypatch.setattr(yamlsource, "_LOADER", yaml.SafeLoader)
    elif not yaml.__with_libyaml__:
        pytest.skip("PyYAML is built without libyaml")


def problems(text: str) -> list[str]:
    with pytest.raises(RecipeError) as caught:
        parse(text, FILE)
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
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


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
    assert resolve(text) == text


def test_every_value_knows_its_place_and_that_of_its_key() -> None:
    root = parse("title: x\nstages:\n  deflare: {method: clean,\n    scale: 1.5}\n", FILE)
    scale = root.child("stages").child("deflare").child("scale")
    assert scale == LocatedValue(1.5, FILE, 4, 12, 4, 5, "1.5", False)
    assert str(scale.problem("bad", "good")) == "recipe.yaml:4:12: bad; good"
    assert str(scale.key_problem("bad")) == "recipe.yaml:4:5: bad"


def test_a_quoted_number_is_text_and_says_so() -> None:
    items = parse("['3', \"3\", 3]", FILE).items
    assert [(item.value, item.quoted) for item in items] == [("3", True), ("3", True), (3, False)]


def test_a_key_is_its_text_quoted_or_not() -> None:
    assert parse("493: a\n'494': b\nno: c\n", FILE).plain() == {"493": "a", "494": "b", "no": "c"}
    assert problems("493: a\n'493': b\n") == [
        "2:1: 493 is given twice; it is first given in line 1; keep one of them"
    ]


def test_an_alias_is_what_it_refers_to_at_its_own_place() -> None:
    root = parse("a: &bands [broad, soft]\nb: *bands\n", FILE)
    assert root.child("b").plain() == ["broad", "soft"]
    assert (root.child("b").line, root.child("b").column) == (2, 4)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    root = parse(read(file), file)
    assert root.plain() == {"a": 1, "b": 2}
    assert root.child("b").line == 2


def test_nothing_is_an_empty_value() -> None:
    assert parse("", FILE).value is None
    assert parse("# only a comment\n", FILE).value is None


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("a: !!python/object/apply:os.system [id]", "1:4", "a YAML tag (!!python/object/apply:os.system)"),
        ("a: !!str 1", "1:4", "a YAML tag (!!str)"),
        ("a: ! 1", "1:4", "a YAML tag (!)"),
        ("a: !e!x 1", "1:4", "a YAML tag (!)"),
        ("x: &x {a: 1}\ny: {<<: *x}", "2:5", "a merge key"),
        ("a: *b", "1:4", "*b refers to nothing"),
        ("a: &a [*a]", "1:8", "*a stands inside what it refers to"),
        ("a: 1\n---\nb: 2", "2:1", "second YAML document"),
        ("a: 1\n...\nb: 2", "3:1", "second YAML document"),
        ("%TAG ! tag:x,2000:\n---\na: 1", "1:1", "a %TAG line"),
        ("%YAML 2.0\n---\na: 1", "1:1", "a line that begins with %"),
        ("? [a]\n: b", "1:3", "a key must be a word or a number"),
        (": b", "1:1", "no name before the colon"),
        ('a: "\\0"', "1:4", "the text holds a control character"),
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
        ("[" * 100_000, "nested deeper than 20 levels"),
        ("{a: " * 100_000, "nested deeper than 20 levels"),
        ("- " * 1000 + "x", "nested deeper than 20 levels"),
        ("? " * 1000 + "x", "nested deeper than 20 levels"),
    ],
    ids=["bomb", "many aliases", "deep lists", "deep mappings", "deep blocks", "deep keys"],
)
def test_bombs_and_deep_nesting_end_early(text: str, words: str) -> None:
    (problem,) = problems(text)
    assert words in problem


def test_more_values_than_any_recipe_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yamlsource, "MAX_NODES", 100)
    (problem,) = problems("[" + "1, " * 200 + "]")
    assert "more than 100 values" in problem


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
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
        ("a: 'it's nice'", "1:8", "text goes on after its closing quote"),
        ("a:\n\tb: 1", "2:1", "a tab; YAML is indented with spaces only"),
        ("a:\n  b: 1\n\tc: 1", "3:1", "a tab; YAML is indented with spaces only"),
        ("a: @x", "1:4", "a value cannot begin with @"),
        ("a: %", "1:4", "a value cannot begin with %"),
        ("a: *", "1:4", "a value cannot begin with *"),
        ("a: - b", "1:4", "a list item (-) in the line of its key"),
        ("a:\n  - 1\n  b: 2", "3:3", "a line without - in a list that begins in line 2"),
        ("a:\n  b: 2\n  - 1", "3:3", "a list item (-) among lines of the form name: value"),
        ('a: "\\xzz"', "1:7", "a backslash that means nothing"),
        ("a: [,]", "1:5", ", stands where a value should"),
        ("a: |x\n  b", "1:5", "something stands after | or >"),
    ],
)
def test_a_syntax_error_is_told_in_plain_words_at_its_place(text: str, place: str, words: str) -> None:
    (problem,) = problems(text + "\n")
    assert problem.startswith(f"{place}: ")
    assert words in problem
    assert "; " in problem


def test_text_that_is_not_utf8_is_refused_at_its_place(tmp_path: Path) -> None:
    file = tmp_path / "recipe.yaml"
    file.write_bytes(b"a: 1\nb: caf\xe9\n")
    with pytest.raises(RecipeError, match=r"recipe.yaml:2:7: byte 0xe9 is not UTF-8; save the file"):
        read(file)


def test_files_that_cannot_be_read_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="there is no file"):
        read(tmp_path / "none.yaml")
    with pytest.raises(SourceError, match="is a directory"):
        read(tmp_path)
    link = tmp_path / "dangling.yaml"
    link.symlink_to("nowhere")
    with pytest.raises(SourceError, match="not a regular file"):
        read(link)
    monkeypatch.setattr(yamlsource, "MAX_BYTES", 10)
    (tmp_path / "large.yaml").write_text("a: 1 # long enough\n")
    with pytest.raises(SourceError, match="is larger than"):
        read(tmp_path / "large.yaml")
