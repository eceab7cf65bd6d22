"""What a schema cannot say about a recipe: values in, problems out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chandra_runner.errors import Problem, SettingProblem
from chandra_runner.recipe import semantic_checks
from chandra_runner.recipe.inheritance import RecipeFile
from chandra_runner.recipe.merged_recipe import merge_recipe
from chandra_runner.recipe.schema_validation import SchemaProblem, schema_problems
from chandra_runner.recipe.semantic_checks import (
    check_merged_recipe,
    check_recipe_files,
    check_settings,
    directory_conflict,
)
from chandra_runner.recipe.settings import StageSettings
from chandra_runner.recipe.yaml_reader import parse_yaml
from chandra_runner.stages.registry import get
from chandra_runner.stages.stage import Stage

HEAD = "recipe: 1\nobservations: [493, 494]\n"


def files(*texts: str) -> list[RecipeFile]:
    """Return recipe files of texts; the last one is the recipe itself, the others are extended."""
    roots = [parse_yaml(text, Path(f"r{number}.yaml")) for number, text in enumerate(texts)]
    return [RecipeFile(root, is_extended=root is not roots[-1]) for root in roots]


def shown(problems: Iterator[Problem]) -> list[str]:
    return [str(problem) for problem in problems]


def in_files(*texts: str) -> list[str]:
    return shown(check_recipe_files(files(*texts)))


def merged(*texts: str, is_native: bool = False) -> list[str]:
    """Return the problems of a recipe as a whole, as it is checked after the schema."""
    found = [p for f in files(*texts) for p in schema_problems(f.root, complete=not f.is_extended)]
    return shown(check_merged_recipe(merge_recipe(files(*texts), found), is_native=is_native, caldb=None))


# Single files


@pytest.mark.parametrize("empty", ["", "~", "null"])
def test_a_stage_without_a_value_is_not_the_same_as_null(empty: str) -> None:
    expected = (
        "r0.yaml:2:3: stage deflare has no settings; write {} to use the defaults, or null to switch off"
    )
    found = in_files(f"stages:\n  deflare: {empty}\n")
    assert found == [] if empty else found[0].startswith(expected)


@pytest.mark.parametrize("empty", ["", "null"])
def test_a_stage_cannot_be_switched_off_for_one_observation(empty: str) -> None:
    assert in_files(f"per_observation:\n  493:\n    deflare: {empty}\n") == [
        "r0.yaml:3:5: deflare cannot be switched off for one ObsID; "
        "remove the stage here, or the ObsID from the recipe"
    ]


@pytest.mark.parametrize("form", ["stages: {{{}}}\n", "per_observation: {{493: {{{}}}}}\n"])
def test_settings_that_state_the_same_exclude_each_other_in_one_file(form: str) -> None:
    both = "rate_image: {bands: [hard], en_bounds: [], effective_ens: []}"
    (problem,) = in_files(form.format(both))
    assert "en_bounds and bands are mutually exclusive; keep one of them" in problem
    assert in_files(form.format("rate_image: {bands: null, en_bounds: [], effective_ens: []}")) == []
    assert (
        in_files("stages: {rate_image: {bands: [hard]}}\n", "stages: {rate_image: {en_bounds: []}}\n") == []
    )


@pytest.mark.parametrize("path", ["/data", "../data", "a/../../data", ".."])
@pytest.mark.parametrize("key", ["data", "products"])
def test_only_the_recipe_itself_may_refer_outside_its_directory(key: str, path: str) -> None:
    (problem,) = in_files(f"{key}: {path}\n", "recipe: 1\n")
    assert problem.startswith(
        f"r0.yaml:1:{len(key) + 3}: {key}: a recipe that is extended cannot refer outside"
    )
    assert in_files(f"{key}: {path}\n") == []
    assert in_files(f"{key}: a/b\n", "recipe: 1\n") == []


def test_the_home_directory_is_not_expanded() -> None:
    assert in_files("products: ~/x\n") == [
        "r0.yaml:1:11: products: ~ is not expanded in a recipe; write the full path, or use --products"
    ]


# Directories


@pytest.mark.parametrize(
    ("data", "products", "expected"),
    [
        ("x", "x", "data and products are the same directory"),
        ("x", "x/../x/", "data and products are the same directory"),
        ("x", "x/493/y", "products is inside an ObsID directory of data"),
        ("x", "x/byobsid/y", "products is inside an ObsID directory of data"),
        ("x/493", "x", "data is inside an ObsID directory of products"),
        ("x", "x/products", ""),
        ("x", "x/493b", ""),
        ("x/data", "x/products", ""),
    ],
)
def test_products_and_data_do_not_mix(tmp_path: Path, data: str, products: str, expected: str) -> None:
    assert directory_conflict(tmp_path / data, tmp_path / products) == expected


# The whole recipe


def test_observations_and_stages_must_be_there() -> None:
    assert merged("recipe: 1\n") == [
        "r0.yaml:1:1: observations is missing; list the ObsIDs: observations: [754, 28229]",
        "r0.yaml:1:1: no stage is requested; name one: stages: {cleaned_chandra_evts: {}}",
    ]
    assert merged(HEAD, "stages: {deflare: {}}\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "recipe: 1\nobservation: [493]\nstage: {deflare: {}}\n",
        HEAD + "stages:\n  deflare:\n",
        HEAD + "stages: {deflair: {}}\n",
        HEAD + "stages: [deflare]\n",
    ],
)
def test_nothing_is_missing_where_it_may_be_misspelled(text: str) -> None:
    assert merged(text) == []


def test_a_stage_that_others_require_cannot_be_switched_off() -> None:
    text = HEAD + "stages: {cleaned_chandra_evts: {}, chandra_repro: null}\n"
    assert merged(text) == [
        "r0.yaml:3:36: chandra_repro is switched off, but deflare and cleaned_chandra_evts require it; "
        "switch off deflare and cleaned_chandra_evts, too, or write {} to use the defaults of chandra_repro"
    ]
    assert merged(HEAD + "stages: {chandra_repro: {}, deflare: null}\n") == []


def test_settings_for_an_observation_that_is_not_listed_are_reported() -> None:
    text = HEAD + "stages: {deflare: {}}\nper_observation: {495: {deflare: {scale: 2}}}\n"
    assert merged(text) == ["r0.yaml:4:19: 495 is not one of the observations; did you mean 494?"]


def test_settings_without_effect_are_reported() -> None:
    text = HEAD + "stages: {deflare: {}}\nper_observation: {493: {rate_image: {}}}\n"
    assert merged(text) == [
        "r0.yaml:4:25: rate_image is not in the plan, so its settings for 493 have no effect; "
        "add rate_image: {} under stages, or remove this"
    ]


def test_inherited_settings_without_effect_do_no_harm() -> None:
    base = "per_observation: {495: {deflare: {scale: 2}}, 493: {rate_image: {}}}\n"
    assert merged(base, HEAD + "stages: {deflare: {}}\n") == []


def test_none_is_not_combined_with_archives() -> None:
    text = HEAD + "stages: {deflare: {}}\narchive: [cxc, none]\n"
    assert merged(text) == [
        "r0.yaml:4:16: archive: none cannot be combined with others; write archive: none, or remove it"
    ]
    assert merged(text.replace("cxc, ", "")) == []


def test_settings_of_a_stage_are_checked_only_where_the_schema_accepts_them() -> None:
    text = HEAD + "stages: {deflare: {lc_lo_en: 8 keV, scale: x}, cleaned_chandra_evts: {lo_en: 1 keV}}\n"
    (problem,) = merged(text)
    assert "lo_en is given without hi_en" in problem


def test_settings_of_an_observation_are_checked_only_where_the_schema_accepts_them() -> None:
    settings = "{lc_lo_en: 8 keV, scale: x}"
    text = HEAD + f"stages: {{deflare: {{}}}}\nper_observation: {{493: {{deflare: {settings}}}}}\n"
    assert merged(text) == []
    (problem,) = merged(text.replace(", scale: x", ""))
    assert "lc_lo_en (8 keV) is not less than" in problem


def test_settings_of_one_observation_are_checked_with_those_of_the_stage() -> None:
    text = (
        HEAD + "stages: {deflare: {lc_hi_en: 5 keV}}\nper_observation: {493: {deflare: {lc_lo_en: 6 keV}}}\n"
    )
    assert merged(text) == [
        "r0.yaml:4:45: lc_lo_en (6 keV) is not less than lc_hi_en (5 keV); make lc_lo_en the smaller one"
    ]


def test_what_only_the_native_executor_requires_is_checked_only_for_it() -> None:
    text = HEAD + "stages: {flux_image: {}}\n"
    assert merged(text) == []
    (problem,) = merged(text, is_native=True)
    assert "effective_area" in problem


# Settings of one stage


def stage_problems(
    stage: type[Stage], text: str, file: Path = Path("r.yaml"), *, is_native: bool = False
) -> list[str]:
    root = parse_yaml(f"stage: {text}\n", file).child("stage")
    return shown(check_settings(StageSettings(stage, root.mapping), root, is_native=is_native, caldb=None))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{lo_en: 1 keV}", ["r.yaml:1:9: lo_en is given without hi_en; give both, or neither"]),
        ("{hi_en: 1 keV}", ["r.yaml:1:9: hi_en is given without lo_en; give both, or neither"]),
        ("{hi_en: 1 keV, lo_en: null}", ["r.yaml:1:9: hi_en is given without lo_en; give both, or neither"]),
        ("{lo_en: null, hi_en: null}", []),
        ("{lo_en: 1 keV, hi_en: 1001 eV}", []),
        (
            "{hi_en: 1 keV, lo_en: 1000 eV}",
            ["r.yaml:1:30: lo_en (1 keV) is not less than hi_en (1 keV); make lo_en the smaller one"],
        ),
    ],
)
def test_energies_come_in_pairs_and_in_order(text: str, expected: list[str]) -> None:
    assert stage_problems(get("cleaned_chandra_evts"), text) == expected


def test_a_limit_beyond_the_other_ones_default_is_reported_where_it_is_stated() -> None:
    assert stage_problems(get("deflare"), "{lc_hi_en: 0.4 keV}") == [
        "r.yaml:1:19: lc_lo_en (0.5 keV) is not less than lc_hi_en (0.4 keV); make lc_lo_en the smaller one"
    ]


def test_a_file_must_exist_and_be_of_a_sensible_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.arf").write_bytes(b"12345")
    recipe, text = tmp_path / "r.yaml", "{effective_area: a.arf}"
    assert stage_problems(get("flux_image"), text, recipe) == []
    (problem,) = stage_problems(get("flux_image"), "{effective_area: b.arf}", recipe)
    assert (
        "effective_area: the file b.arf was not found; write a path relative to this recipe file" in problem
    )
    (problem,) = stage_problems(get("flux_image"), "{effective_area: .}", recipe)
    assert "was not found" in problem
    monkeypatch.setattr(semantic_checks, "MAX_FILE_BYTES", 4)
    (problem,) = stage_problems(get("flux_image"), text, recipe)
    assert "a.arf is larger than" in problem


class Example(Stage):
    """A stage that finds something wrong with any settings."""

    name = "example"

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return {"properties": {"table": {"type": "array", "default": []}, "other": {"default": 1}}}

    @classmethod
    def check(cls, settings: Any) -> Iterator[SettingProblem]:
        yield SettingProblem(("table", 1, 0), "wrong", "right")
        yield SettingProblem(("table", 7), "too long", "")
        yield SettingProblem(("other",), f"is {settings.other}", "")

    @classmethod
    def check_native(cls, settings: Any, caldb: Path | None) -> Iterator[SettingProblem]:
        yield SettingProblem(("other",), "native only", "")


def test_problems_of_a_stage_are_reported_at_the_value_that_they_name() -> None:
    assert stage_problems(Example, "{table: [[1], [2, 3]]}") == [
        "r.yaml:1:23: table: wrong; right",
        "r.yaml:1:16: table: too long",
        "r.yaml:1:1: other: is 1",
    ]


def test_the_native_executor_adds_its_own_problems() -> None:
    assert stage_problems(Example, "{other: 2}", is_native=True)[-1] == "r.yaml:1:16: other: native only"


# The merged recipe


@pytest.mark.parametrize(
    ("path", "is_valid", "is_valid_below"),
    [
        ((), False, False),
        (("stages",), False, False),
        (("stages", "deflare"), False, False),
        (("stages", "deflare", "scale"), False, False),
        (("stages", "rate_image"), True, True),
        (("per_observation",), False, True),
        (("per_observation", "493"), True, True),
        (("title",), True, True),
    ],
)
def test_parts_that_the_schema_rejects_are_known_with_all_above_them(
    path: tuple[str, ...], is_valid: bool, is_valid_below: bool
) -> None:
    problem = Problem(Path("r.yaml"), 1, 1, "wrong")
    rejected = [
        SchemaProblem(("stages", "deflare", "scale", "type"), problem),
        SchemaProblem(("per_observation",), problem),
    ]
    recipe = merge_recipe(files(HEAD + "stages: {deflare: {scale: x}, rate_image: {}}\n"), rejected)
    assert recipe.is_valid(*path) is is_valid
    assert recipe.is_valid_below(*path) is is_valid_below


def test_settings_of_an_observation_are_complete_and_only_those_that_differ() -> None:
    text = HEAD + (
        "stages: {rate_image: {bands: [hard], psf_ecf: 0.5}}\n"
        "per_observation:\n"
        "  493: {rate_image: {en_bounds: [], effective_ens: []}, flux_image: {}}\n"
        "  x: {deflare: {}}\n"
    )
    recipe = merge_recipe(files(text), [])
    assert set(recipe.observation_settings) == {(493, "rate_image")}
    stated = recipe.observation_settings[493, "rate_image"].stated
    assert set(stated) == {"psf_ecf", "en_bounds", "effective_ens"}
