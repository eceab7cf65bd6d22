"""Recipes that extend others: which files are read, how they merge, what is reported where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from chandra_runner.recipe import inheritance
from chandra_runner.recipe.inheritance import (
    RecipeFile,
    load_recipe_files,
    merge_recipe_files,
    merge_settings,
)
from chandra_runner.recipe.located_value import LocatedValue
from chandra_runner.recipe.yaml_reader import parse_yaml

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files into a directory and return the path of the first one."""

    def write(**files: str) -> Path:
        for name, text in files.items():
            (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
        return tmp_path / f"{next(iter(files))}.yaml"

    return write


def loaded(path: Path) -> list[str]:
    """Return the names of the files that are merged for a recipe without problems."""
    recipe_files, problems = load_recipe_files(path)
    assert problems == []
    return [recipe_file.root.file.stem for recipe_file in recipe_files]


def problems(path: Path) -> list[str]:
    return [
        f"{found.file.stem}:{found.line}: {found.message}; {found.hint}"
        for found in load_recipe_files(path)[1]
    ]


def mapping(text: str) -> LocatedValue:
    return parse_yaml(text, Path("recipe.yaml"))


def merged(*texts: str) -> object:
    return merge_recipe_files([RecipeFile(mapping(text), is_extended=True) for text in texts]).plain()


# Which files are read


def test_a_file_comes_after_those_that_it_extends(write: Write) -> None:
    path = write(
        top="extends: [left, right]\n".replace("left", "left.yaml").replace("right", "right.yaml"),
        left="extends: base.yaml\n",
        right="title: right\n",
        base="title: base\n",
    )
    assert loaded(path) == ["base", "left", "right", "top"]
    assert [recipe_file.is_extended for recipe_file in load_recipe_files(path)[0]] == [
        True,
        True,
        True,
        False,
    ]


def test_a_packaged_standard_is_found_wherever_the_recipe_is(write: Write) -> None:
    assert loaded(write(top="extends: standard/acis-imaging\n")) == ["acis-cleaned", "acis-imaging", "top"]


def test_a_cycle_is_reported_where_it_closes(write: Write) -> None:
    path = write(a="extends: b.yaml\n", b="title: x\nextends: c.yaml\n", c="extends: b.yaml\n")
    assert problems(path) == [
        "c:1: these recipes extend each other: b.yaml -> c.yaml -> b.yaml; remove one extends"
    ]


def test_a_cycle_through_a_link_is_a_cycle(write: Write, tmp_path: Path) -> None:
    path = write(a="extends: link.yaml\n")
    (tmp_path / "link.yaml").symlink_to("a.yaml")
    assert "extend each other: a.yaml -> a.yaml" in problems(path)[0]


def chain(length: int) -> dict[str, str]:
    """Return files of which each extends the next."""
    texts = {f"p{number}": f"extends: p{number + 1}.yaml\n" for number in range(length - 1)}
    return {**texts, f"p{length - 1}": "title: last\n"}


def test_ten_recipes_may_extend_each_other_but_not_eleven(write: Write) -> None:
    assert len(loaded(write(**chain(10)))) == 10
    assert problems(write(**chain(11))) == [
        "p9:1: more than 10 recipes in a chain that extend each other; combine some of them"
    ]


def many(count: int) -> str:
    return f"extends: [{', '.join(['base.yaml'] * count)}]\n"


def test_fifty_files_are_read_for_a_recipe_and_not_one_more(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    original = inheritance.read_yaml_text
    monkeypatch.setattr(inheritance, "read_yaml_text", lambda path: read.append(path) or original(path))
    assert len(loaded(write(top=many(49), base="title: x\n"))) == 50
    read.clear()
    assert (
        problems(write(top=many(51), base="title: x\n"))
        == ["top:1: more than 50 recipe files; combine some of them"] * 2
    )
    assert len(read) == 50


def test_files_with_problems_count_too(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inheritance, "MAX_RECIPE_FILES", 3)
    found = problems(write(top=many(3), base="a: [\n"))
    assert len(found) == 3
    assert "more than 3 recipe files" in found[2]


# What cannot be read


@pytest.mark.parametrize(
    ("extends", "expected"),
    [
        ("bsae.yaml", "bsae.yaml was not found; did you mean base.yaml?"),
        ("elsewhere.yaml", "elsewhere.yaml was not found; write a path relative to this file, or a packaged"),
        (
            "standard/acis-image",
            "there is no packaged recipe standard/acis-image; did you mean standard/acis-imaging?",
        ),
        (
            "standard/zzz",
            "there is no packaged recipe standard/zzz; the packaged recipes are standard/acis-cleaned,",
        ),
        ("standard/../base", "was not found; write a path relative"),
        (".", "is a directory, not a file; write a path relative"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported_where_it_is_named(
    write: Write, extends: str, expected: str
) -> None:
    (found,) = problems(write(top=f"recipe: 1\nextends: {extends}\n", base="title: x\n"))
    assert found.startswith("top:2: ")
    assert expected in found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "base:1: the recipe is empty; write recipe: 1, observations: [...] and stages: {...}"),
        ("- 1\n", "base:1: this is a list, not a recipe; write recipe: 1"),
        ("recipe\n", "base:1: this is plain text, not a recipe; write recipe: 1"),
        ("a: 1\nb: [\n", "base:2: this [ is never closed; write commas"),
    ],
)
def test_what_is_not_a_recipe_is_reported_in_its_own_file(write: Write, text: str, expected: str) -> None:
    (found,) = problems(write(top="extends: base.yaml\n", base=text))
    assert found.startswith(expected)


def test_a_bad_file_does_not_hide_the_problems_of_others(write: Write) -> None:
    path = write(top="extends: [none.yaml, b.yaml, c.yaml]\n", b="x: [\n", c="x: !y 1\n")
    assert [found.split(":")[0] for found in problems(path)] == ["top", "b", "c"]


def test_the_schema_reports_what_is_not_text_under_extends(write: Write) -> None:
    assert loaded(write(top="extends: [7, {a: b}, '']\n")) == ["top"]


# How files merge


def test_mappings_merge_and_everything_else_is_replaced() -> None:
    base = "title: a\narchive: [cxc, heasarc]\nstages: {deflare: {min_length: 5, scale: 2}, rate_image: {}}\n"
    over = "archive: [cxc]\nstages: {deflare: {scale: 3}, download: {}}\n"
    assert merged(base, over) == {
        "title": "a",
        "archive": ["cxc"],
        "stages": {"deflare": {"min_length": 5, "scale": 3}, "rate_image": {}, "download": {}},
    }


def test_the_last_of_three_files_counts() -> None:
    assert merged("title: a\n", "title: b\nengine: ciao\n", "title: c\n") == {"title": "c", "engine": "ciao"}


def test_null_replaces_the_settings_of_a_stage_and_is_replaced_by_them() -> None:
    stages = "stages: {deflare: {scale: 2}}\n"
    assert merged(stages, "stages: {deflare: null}\n") == {"stages": {"deflare": None}}
    assert merged(stages, "stages: {deflare: null}\n", "stages: {deflare: {}}\n") == {
        "stages": {"deflare": {}}
    }


@pytest.mark.parametrize("form", ["stages: {{{}}}\n", "per_observation: {{493: {{{}}}}}\n"])
def test_a_setting_drops_the_inherited_ones_that_state_the_same_in_another_way(form: str) -> None:
    base = form.format("rate_image: {en_bounds: [[1 keV, 2 keV]], effective_ens: [1 keV], psf_ecf: 0.5}")
    over = form.format("rate_image: {bands: [hard]}")
    (stages,) = merged(base, over).values()  # type: ignore[attr-defined]
    settings = stages.get(493, stages.get("493", stages))["rate_image"]
    assert settings == {"bands": ["hard"], "psf_ecf": 0.5}


def test_a_setting_of_null_drops_nothing() -> None:
    base, over = "stages: {rate_image: {acis_bin_size: 2}}\n", "stages: {rate_image: {xygrid: null}}\n"
    assert merged(base, over) == {"stages": {"rate_image": {"acis_bin_size": 2, "xygrid": None}}}


def test_only_settings_of_stages_are_dropped() -> None:
    assert merged("bands: {en_bounds: 1}\n", "bands: {bands: 2}\n") == {"bands": {"en_bounds": 1, "bands": 2}}


def test_an_unknown_stage_merges_key_by_key() -> None:
    assert merged("stages: {x: {a: 1}}\n", "stages: {x: {b: 2}}\n") == {"stages": {"x": {"a": 1, "b": 2}}}


def test_merged_values_keep_their_places() -> None:
    base = parse_yaml("stages: {deflare: {scale: 2}}\n", Path("base.yaml"))
    over = parse_yaml("\nstages: {deflare: {min_length: 3}}\n", Path("over.yaml"))
    tree = merge_recipe_files([RecipeFile(base, is_extended=True), RecipeFile(over, is_extended=False)])
    deflare = tree.child("stages").child("deflare")
    places = {name: (str(value.file), value.line) for name, value in deflare.mapping.items()}
    assert places == {"scale": ("base.yaml", 1), "min_length": ("over.yaml", 2)}


def test_settings_merge_by_what_their_schemas_say() -> None:
    base, over = mapping("{a: 1, b: 2, c: 3}").mapping, mapping("{c: 4, d: 5}").mapping
    schemas = {"d": {"x-replaces": ["a"]}}
    found = merge_settings(base, over, schemas)
    assert {name: value.value for name, value in found.items()} == {"b": 2, "c": 4, "d": 5}
