"""Recipes: what extends what, which settings hold for which ObsID, what the fingerprint sees."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from pathlib import Path
from typing import Any

import pytest
from astropy.units import Quantity

from chandra_runner.errors import RecipeError, UsageError
from chandra_runner.recipe.recipe import Overrides, Recipe, load_recipe
from chandra_runner.recipe.yaml_reader import parse_yaml
from chandra_runner.recipe.yaml_text import read_yaml_text
from chandra_runner.resources import resource

HEAD = "recipe: 1\nobservations: [493, 494]\n"
Load = Callable[..., Recipe]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a recipe from its text; keyword arguments are texts of files beside it."""

    def load(text: str, *, overrides: Overrides | None = None, **beside: str) -> Recipe:
        for name, content in beside.items():
            (tmp_path / f"{name}.yaml").write_text(content, encoding="utf-8")
        path = tmp_path / "recipe.yaml"
        path.write_text(text, encoding="utf-8")
        return load_recipe(path, overrides or Overrides())

    return load


def refusal(load: Load, text: str, **beside: str) -> str:
    with pytest.raises(RecipeError) as caught:
        load(text, **beside)
    return str(caught.value)


FULL = """\
recipe: 1
title: Abell 1795, ACIS images
observations: [493, 494, 3666]
data: data/
archive: [cxc, heasarc]
products: products/
engine: auto
stages:
  chandra_repro: {check_very_faint: false, pix_adj: default}
  deflare: {method: sigma, allowed_sigma: 3, time_bin_size: 300 s, lc_lo_en: 0.5 keV, lc_hi_en: 7 keV}
  cleaned_chandra_evts: {lo_en: 500 eV, hi_en: 7 keV}
  rate_image: {bands: [broad, soft, "0.3:2.0:0.9"]}
per_observation:
  493: {deflare: {method: clean}}
"""


def test_a_recipe_is_what_it_says(load: Load, tmp_path: Path) -> None:
    recipe = load(FULL)
    assert recipe.title == "Abell 1795, ACIS images"
    assert recipe.observations == (493, 494, 3666)
    assert recipe.data == tmp_path / "data"
    assert recipe.products == tmp_path / "products"
    assert recipe.archive == ("cxc", "heasarc")
    assert recipe.engine == "auto"
    assert recipe.stages == ("chandra_repro", "deflare", "cleaned_chandra_evts", "rate_image")


def test_what_a_recipe_leaves_out_has_its_default(load: Load, tmp_path: Path) -> None:
    recipe = load(HEAD + "stages: {cleaned_chandra_evts: {}}\n")
    assert (recipe.title, recipe.engine, recipe.archive) == ("", "auto", ("cxc", "heasarc"))
    assert (recipe.data, recipe.products) == (tmp_path / "data", tmp_path / "products")
    assert recipe.stages == ("cleaned_chandra_evts",)


def test_settings_are_complete_quantities_and_their_own_for_an_observation(load: Load) -> None:
    recipe = load(FULL)
    settings = recipe.settings(493, "deflare")
    assert settings.method == "clean"
    assert settings.time_bin_size == Quantity(300, "s")
    assert settings.lc_hi_en == Quantity(7, "keV")
    assert settings.min_length == 3
    assert settings.mean is None
    assert settings.timeout is None
    assert recipe.settings(494, "deflare").method == "sigma"
    assert vars(recipe.settings(494, "download")) == {
        "files": "needed",
        "idle_timeout": Quantity(60, "s"),
        "timeout": None,
    }
    bounds = recipe.settings(494, "rate_image").en_bounds
    assert bounds[0] == [Quantity(0.5, "keV"), Quantity(7, "keV")]


def test_settings_as_text_are_json_also_inside_lists(load: Load) -> None:
    text = load(FULL).settings_text(493, "rate_image")
    assert text["effective_ens"][:2] == ["2.3 keV", "0.92 keV"]
    assert text["expmap_threshold"] == "1.5 %"
    assert json.loads(json.dumps(text)) == text


def test_numbers_are_whole_or_real_as_the_schema_says(load: Load) -> None:
    settings = load(HEAD + "stages: {deflare: {allowed_sigma: 2}}\n").settings(493, "deflare")
    assert isinstance(settings.allowed_sigma, float)
    assert isinstance(settings.min_length, int)


def test_the_normal_form_leaves_out_defaults_and_converts_units(load: Load) -> None:
    recipe = load(FULL)
    assert recipe.normal_settings(494, "deflare") == {"time_bin_size": "300 s"}
    assert recipe.normal_settings(493, "deflare") == {"method": "clean", "time_bin_size": "300 s"}
    assert recipe.normal_settings(494, "cleaned_chandra_evts") == {"lo_en": "0.5 keV", "hi_en": "7 keV"}
    assert recipe.normal_settings(494, "rate_image") == {"bands": ["broad", "soft", "0.3:2.0:0.9"]}
    assert recipe.normal_settings(494, "download") == {}
    json.dumps([recipe.normal_settings(493, stage) for stage in recipe.stage_settings])


@pytest.mark.parametrize(
    ("stage", "one", "other"),
    [
        ("deflare", "lc_lo_en: 0.3 keV", "lc_lo_en: 300 eV"),
        ("deflare", "time_bin_size: 3 min", "time_bin_size: 0.18 ks"),
        ("deflare", "allowed_sigma: 4", "allowed_sigma: 4.0"),
        ("deflare", "time_bin_size: 0.2 ks", ""),
        ("deflare", "timeout: 1 h", ""),
        ("deflare", "scale: 2", ""),
        ("deflare", "method: clean, min_length: 7", "method: clean"),
        ("deflare", "method: clean, mean: null", "method: clean"),
        ("rate_image", "bands: [broad, soft, medium, hard, ultrasoft]", ""),
        ("rate_image", "bands: [CSC]", "bands: [soft, medium, hard]"),
        ("rate_image", "bands: ['0.5:7.0:2.3']", "en_bounds: [[500 eV, 7 keV]], effective_ens: [2.3 keV]"),
        ("rate_image", "bands: ['0.3:2.0:0.9']", "en_bounds: [[300 eV, 2 keV]], effective_ens: [0.9 keV]"),
        ("rate_image", "psf_ecf: 0.90", ""),
    ],
)
def test_what_makes_the_same_products_has_the_same_normal_form(
    load: Load, stage: str, one: str, other: str
) -> None:
    first, second = (
        load(f"{HEAD}stages: {{{stage}: {{{text}}}}}\n").normal_settings(493, stage) for text in (one, other)
    )
    assert json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)


@pytest.mark.parametrize(
    ("stage", "one", "other"),
    [
        ("deflare", "method: clean, scale: 2", "method: clean"),
        ("deflare", "method: clean, mean: 0.1 ct/s", "method: clean"),
        ("cleaned_chandra_evts", "allowed_grades: [0, 2]", ""),
        ("rate_image", "bands: [soft, broad]", "bands: [broad, soft]"),
        ("rate_image", "psf_ecf: null", ""),
        ("rate_image", "xygrid: '1:9:1,1:9:1'", ""),
        ("rate_image", "expmap_threshold: 0 %", ""),
    ],
)
def test_what_makes_other_products_has_another_normal_form(
    load: Load, stage: str, one: str, other: str
) -> None:
    first, second = (
        load(f"{HEAD}stages: {{{stage}: {{{text}}}}}\n").normal_settings(493, stage) for text in (one, other)
    )
    assert first != second


def test_a_file_in_the_settings_counts_by_its_content(load: Load, tmp_path: Path) -> None:
    (tmp_path / "a.arf").write_bytes(b"area")
    (tmp_path / "b.arf").write_bytes(b"area")
    text = HEAD + "stages: {flux_image: {effective_area: NAME.arf}}\n"
    first, second = load(text.replace("NAME", "a")), load(text.replace("NAME", "b"))
    assert first.settings(493, "flux_image").effective_area == tmp_path / "a.arf"
    assert first.normal_settings(493, "flux_image") == second.normal_settings(493, "flux_image")
    (tmp_path / "b.arf").write_bytes(b"another area")
    third = load(text.replace("NAME", "b"))
    assert first.normal_settings(493, "flux_image") != third.normal_settings(493, "flux_image")


# extends


def test_a_packaged_standard_is_extended_by_name(load: Load) -> None:
    recipe = load("recipe: 1\nextends: standard/acis-imaging\nobservations: [493]\n")
    assert "rate_image" in recipe.stages
    assert recipe.settings(493, "cleaned_chandra_evts").hi_en == Quantity(7, "keV")


@pytest.mark.parametrize("path", sorted(resource("recipes", "standard").glob("*.yaml")), ids=lambda p: p.stem)
def test_a_packaged_standard_is_valid_and_states_no_directories(load: Load, path: Path) -> None:
    stated = parse_yaml(read_yaml_text(path), path).mapping
    assert not {"data", "products", "observations", "archive"} & set(stated)
    assert load(f"recipe: 1\nextends: standard/{path.stem}\nobservations: [493]\n").stages


def test_mappings_merge_key_by_key_and_all_else_is_replaced(load: Load) -> None:
    recipe = load(
        "recipe: 1\nextends: base.yaml\nobservations: [3666]\n"
        "stages: {deflare: {min_length: 5}, cleaned_chandra_evts: {allowed_grades: [0]}}\n",
        base=HEAD + "title: Base\nstages: {deflare: {method: clean, scale: 2}, cleaned_chandra_evts: {}}\n"
        "per_observation: {3666: {deflare: {scale: 3}}}\n",
    )
    assert recipe.title == "Base"
    assert recipe.observations == (3666,)
    settings = recipe.settings(3666, "deflare")
    assert (settings.method, settings.scale, settings.min_length) == ("clean", 3.0, 5)
    assert recipe.settings(3666, "cleaned_chandra_evts").allowed_grades == [0]


def test_a_list_of_parents_merges_from_left_to_right(load: Load) -> None:
    recipe = load(
        HEAD + "extends: [left.yaml, right.yaml]\nstages: {deflare: {}}\n",
        left="title: left\nstages: {deflare: {min_length: 4, scale: 2}}\n",
        right="title: right\nstages: {deflare: {min_length: 6}}\n",
    )
    assert recipe.title == "right"
    assert recipe.settings(493, "deflare").min_length == 6
    assert recipe.settings(493, "deflare").scale == 2.0


def test_a_parent_may_be_extended_by_two_branches(load: Load) -> None:
    recipe = load(
        HEAD + "extends: [left.yaml, right.yaml]\n",
        left="extends: base.yaml\n",
        right="extends: base.yaml\n",
        base="stages: {deflare: {}}\n",
    )
    assert recipe.stages == ("deflare",)


def test_null_switches_an_inherited_stage_off(load: Load) -> None:
    recipe = load(HEAD + "extends: standard/acis-imaging\nstages: {rate_image: null}\n")
    assert recipe.stages == ("chandra_repro", "deflare", "cleaned_chandra_evts")


def test_a_stage_that_others_need_cannot_be_switched_off(load: Load) -> None:
    message = refusal(load, HEAD + "extends: standard/acis-imaging\nstages: {deflare: null}\n")
    assert "recipe.yaml:4:10: deflare is switched off, but cleaned_chandra_evts requires it" in message


def test_a_stage_that_is_switched_off_can_come_back_with_its_defaults(load: Load) -> None:
    recipe = load(
        HEAD + "extends: middle.yaml\nstages: {deflare: {}}\n",
        middle="extends: base.yaml\nstages: {deflare: null}\n",
        base="stages: {deflare: {min_length: 9}}\n",
    )
    assert recipe.settings(493, "deflare").min_length == 3


def test_bands_replace_inherited_bounds_and_the_reverse(load: Load) -> None:
    bounds = "stages: {rate_image: {en_bounds: [[1 keV, 2 keV]], effective_ens: [1.5 keV]}}\n"
    bands = "stages: {rate_image: {bands: [hard]}}\n"
    over_bounds = load(HEAD + "extends: base.yaml\n" + bands, base=bounds)
    assert over_bounds.normal_settings(493, "rate_image") == {"bands": ["hard"]}
    over_bands = load(HEAD + "extends: base.yaml\n" + bounds, base=bands)
    assert over_bands.settings(493, "rate_image").bands is None
    assert over_bands.normal_settings(493, "rate_image") == {"bands": ["1.0:2.0:1.5"]}


def test_a_grid_replaces_an_inherited_bin_size_and_the_reverse(load: Load) -> None:
    grid = "{rate_image: {xygrid: '1:9:1,1:9:1'}}\n"
    size = "{rate_image: {acis_bin_size: 2}}\n"
    assert load(HEAD + f"extends: base.yaml\nstages: {grid}", base=f"stages: {size}").normal_settings(
        493, "rate_image"
    ) == {"xygrid": "1:9:1,1:9:1"}
    assert load(HEAD + f"extends: base.yaml\nstages: {size}", base=f"stages: {grid}").normal_settings(
        493, "rate_image"
    ) == {"acis_bin_size": 2}


def test_one_observation_may_have_other_bands(load: Load) -> None:
    recipe = load(
        HEAD + "stages: {rate_image: {bands: [hard]}}\n"
        "per_observation: {494: {rate_image: {en_bounds: [[1 keV, 2 keV]], effective_ens: [1.5 keV]}}}\n"
    )
    assert recipe.normal_settings(493, "rate_image") == {"bands": ["hard"]}
    assert recipe.normal_settings(494, "rate_image") == {"bands": ["1.0:2.0:1.5"]}


def test_bounds_cannot_change_without_effective_energies_also_over_a_parent(load: Load) -> None:
    message = refusal(
        load,
        HEAD + "extends: base.yaml\nstages: {rate_image: {en_bounds: [[1 keV, 3 keV]]}}\n",
        base="stages: {rate_image: {en_bounds: [[1 keV, 2 keV]], effective_ens: [1.5 keV]}}\n",
    )
    assert "en_bounds is given without effective_ens" in message


def test_paths_are_relative_to_the_file_that_states_them(load: Load, tmp_path: Path) -> None:
    (tmp_path / "team").mkdir()
    (tmp_path / "team" / "base.yaml").write_text("data: raw\nstages: {deflare: {}}\n")
    recipe = load(HEAD + "extends: team/base.yaml\nproducts: ../out\n")
    assert recipe.data == tmp_path / "team" / "raw"
    assert recipe.products == tmp_path / "../out"


@pytest.mark.parametrize("path", ["/data", "../data", "a/../../data"])
def test_an_inherited_file_may_not_point_elsewhere(load: Load, path: str) -> None:
    for key in ("data", "products"):
        message = refusal(load, HEAD + "extends: base.yaml\nstages: {deflare: {}}\n", base=f"{key}: {path}\n")
        assert f"base.yaml:1:{len(key) + 3}: {key}: a recipe that is extended cannot refer outside" in message


def test_the_recipe_itself_may_state_absolute_paths(load: Load) -> None:
    recipe = load(HEAD + "data: /archive/chandra\nproducts: ../products\nstages: {deflare: {}}\n")
    assert recipe.data == Path("/archive/chandra")


def test_data_that_are_a_link_to_the_products_are_refused(load: Load, tmp_path: Path) -> None:
    (tmp_path / "products").mkdir()
    (tmp_path / "data").symlink_to("products")
    assert "same directory" in refusal(load, HEAD + "stages: {deflare: {}}\n")


def test_a_parent_must_be_of_the_same_format_if_it_says_so(load: Load) -> None:
    message = refusal(load, HEAD + "extends: base.yaml\nstages: {deflare: {}}\n", base="recipe: 2\n")
    assert "base.yaml:1:9: recipe: format version 2 is newer than this program" in message


def test_inherited_settings_for_observations_that_are_not_listed_do_no_harm(load: Load) -> None:
    base = HEAD + "stages: {rate_image: {}}\nper_observation: {494: {rate_image: {bands: [hard]}}}\n"
    recipe = load("recipe: 1\nextends: base.yaml\nobservations: [493]\n", base=base)
    assert recipe.observations == (493,)
    recipe = load(
        "recipe: 1\nextends: base.yaml\nstages: {rate_image: null, deflare: {}}\n",
        base=base,
    )
    assert recipe.stages == ("deflare",)


def test_values_know_where_they_come_from(load: Load, tmp_path: Path) -> None:
    recipe = load(
        HEAD + "extends: base.yaml\nstages: {deflare: {scale: 2}}\n",
        base="stages: {deflare: {min_length: 4}}\n",
    )
    deflare = recipe.tree.child("stages").child("deflare")
    assert (deflare.child("scale").file.name, deflare.child("scale").line) == ("recipe.yaml", 4)
    assert (deflare.child("min_length").file.name, deflare.child("min_length").line) == ("base.yaml", 1)


# per_observation and the plan


def test_an_observation_may_have_settings_of_a_stage_that_is_only_needed(load: Load) -> None:
    recipe = load(
        HEAD
        + "stages: {cleaned_chandra_evts: {}}\nper_observation: {494: {chandra_repro: {destreak: false}}}\n"
    )
    assert recipe.normal_settings(494, "chandra_repro") == {"destreak": False}
    assert recipe.normal_settings(493, "chandra_repro") == {}


def test_settings_are_shared_by_observations_without_their_own(load: Load) -> None:
    recipe = load(FULL)
    assert recipe._settings_of(494, "deflare") is recipe._settings_of(3666, "deflare")
    with pytest.raises(FrozenInstanceError):
        recipe.settings(494, "deflare").method = "changed by the caller"


# overrides


def test_the_command_line_goes_over_the_recipe(
    load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    overrides = Overrides(
        data=Path("elsewhere"), products=Path("/out"), archive=("none",), engine="native", only=(3666, 493)
    )
    recipe = load(FULL, overrides=overrides)
    assert recipe.data == tmp_path / "elsewhere"
    assert recipe.products == Path("/out")
    assert recipe.archive == ()
    assert recipe.engine == "native"
    assert recipe.observations == (493, 3666)
    assert recipe.normal_settings(493, "deflare")["method"] == "clean"


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (Overrides(only=(495,)), "--only 495: not an observation of the recipe; did you mean 494?"),
        (Overrides(archive=("cxcc",)), "--archive cxcc: there is no such archive"),
        (Overrides(engine="CIAO"), "--engine CIAO: there is no such engine"),
        (Overrides(data=Path("/same"), products=Path("/same")), "data and products are the same directory"),
    ],
)
def test_an_impossible_override_is_the_command_lines_fault(
    load: Load, overrides: Overrides, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(FULL, overrides=overrides)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("none", ()),
        ("[none]", ()),
        ("sample", ("sample",)),
        ("[https://mirror.example.org/chandra, file:///data, s3://bucket/x]", None),
    ],
)
def test_archives_are_names_urls_or_none(load: Load, text: str, expected: tuple[str, ...] | None) -> None:
    recipe = load(HEAD + f"archive: {text}\nstages: {{deflare: {{}}}}\n")
    assert recipe.archive == (expected if expected is not None else tuple(text.strip("[]").split(", ")))


# what it costs


def test_a_plain_recipe_needs_no_astropy(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(FULL)
    code = (
        "import sys; from pathlib import Path; from chandra_runner.recipe.recipe import load_recipe\n"
        f"recipe = load_recipe(Path({str(path)!r}))\n"
        "for stage in recipe.stage_settings: recipe.normal_settings(493, stage)\n"
        "heavy = {'astropy', 'numpy', 'networkx', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_all_observations_of_the_mission_fit_in_a_recipe(load: Load) -> None:
    listed = ", ".join(str(obsid) for obsid in range(1, 25_001))
    recipe = load(
        f"recipe: 1\nobservations: [{listed}]\nstages: {{cleaned_chandra_evts: {{}}}}\n"
        "per_observation: {7: {deflare: {scale: 2, method: clean}}}\n"
    )
    assert len(recipe.observations) == 25_000
    distinct = {id(recipe._settings_of(obsid, "deflare")) for obsid in recipe.observations}
    assert len(distinct) == 2


def test_a_recipe_can_be_handed_to_another_process(load: Load) -> None:
    recipe: Any = pickle.loads(pickle.dumps(load(FULL)))
    assert recipe.normal_settings(493, "deflare")["method"] == "clean"
