"""The schema files: valid, complete, found in a checkout and in an installed package."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT7

from chandra_runner import resources
from chandra_runner.planning.manifest import FingerprintParts, Manifest, Output
from chandra_runner.quantities import canonical_text, number_in_unit
from chandra_runner.recipe.settings import StageSettings
from chandra_runner.resources import read_schema, resource
from chandra_runner.stages.registry import BUILT_IN, stages

FILES = sorted(resource("schemas").rglob("*.json"))
DEFINITIONS = resource("schemas", "definitions.schema.json")
NONE = None

SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "download": {"files": "needed", "idle_timeout": "60 s"},
    "prepare_chandra_info": {},
    "chandra_repro": {
        "destreak": True,
        "check_very_faint": False,
        "pix_adj": "default",
        "asol_update": True,
        "grating_pi_filter": True,
    },
    "deflare": {
        "method": "sigma",
        "allowed_sigma": 3.0,
        "min_length": 3,
        "time_bin_size": "200 s",
        "lc_lo_en": "500 eV",
        "lc_hi_en": "7000 eV",
        "mean": NONE,
        "stddev": NONE,
        "scale": 1.2,
        "minfrac": 0.1,
    },
    "cleaned_chandra_evts": {
        "lo_en": NONE,
        "hi_en": NONE,
        "status_zero": True,
        "allowed_grades": [0, 2, 3, 4, 6],
    },
    "rate_image": {
        "en_bounds": [
            ["0.5 keV", "7.0 keV"],
            ["0.5 keV", "1.2 keV"],
            ["1.2 keV", "2.0 keV"],
            ["2.0 keV", "7.0 keV"],
            ["0.2 keV", "0.5 keV"],
        ],
        "effective_ens": ["2.3 keV", "0.92 keV", "1.56 keV", "3.8 keV", "0.4 keV"],
        "bands": NONE,
        "acis_bin_size": 4,
        "hrc_bin_size": 16,
        "xygrid": NONE,
        "psf_ecf": 0.9,
        "expmap_threshold": "1.5 %",
    },
}
"""The settings and defaults that users of the established Python functions know."""


def subschemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """The schema itself and those of all its properties and items."""
    yield schema
    for key in ("properties", "patternProperties", "definitions"):
        for inner in schema.get(key, {}).values():
            yield from subschemas(inner)
    if "items" in schema:
        yield from subschemas(schema["items"])


def load(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_schema_is_valid_draft_7_and_describes_itself(path: Path) -> None:
    schema = load(path)
    jsonschema.Draft7Validator.check_schema(schema)
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    assert schema["title"]
    assert schema["description"]


def references(schema: Any) -> Iterator[str]:
    """All references in a schema."""
    if isinstance(schema, dict):
        yield from [schema["$ref"]] if "$ref" in schema else []
    for part in schema.values() if isinstance(schema, dict) else schema if isinstance(schema, list) else ():
        yield from references(part)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_schema_is_read_complete_with_all_that_it_refers_to(path: Path) -> None:
    assert list(references(read_schema(path))) == []


def test_a_schema_has_no_address_so_that_editors_find_the_files_beside_it() -> None:
    for path in FILES:
        assert "$id" not in load(path)
        for reference in references(load(path)):
            name, _, pointer = reference.partition("#/definitions/")
            assert not name or (path.parent / name).is_file()
            assert not pointer or pointer in load(path.parent / name if name else path)["definitions"]


def test_the_pattern_of_quantities_is_stated_once() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in FILES)
    pattern = json.dumps(read_schema(DEFINITIONS)["definitions"]["quantity"]["pattern"])
    assert text.count(pattern) == 1


def test_what_a_setting_states_itself_is_merged_with_its_kind_of_quantity() -> None:
    setting = stages()["deflare"].schema()["properties"]["lc_lo_en"]
    assert "allOf" not in setting
    assert setting["x-unit"] == "keV"
    assert setting["pattern"]
    assert (setting["title"], setting["default"]) == ("Light curve from", "0.5 keV")


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Any]:
    """Read a schema from its content; keyword arguments are the contents of files beside it."""

    def read(content: Any, **beside: Any) -> Any:
        for name, other in {"main": content, **beside}.items():
            (tmp_path / f"{name}.json").write_text(json.dumps(other), encoding="utf-8")
        return read_schema(tmp_path / "main.json")

    return read


def test_a_reference_stands_for_a_file_or_a_definition_in_it(read: Callable[..., Any]) -> None:
    schema = {"a": {"$ref": "other.json"}, "b": {"$ref": "other.json#/definitions/x"}, "c": {"$ref": "#/a"}}
    x = {"items": [{"$ref": "#/definitions/y"}]}
    other = {"$schema": "s", "title": "t", "definitions": {"x": x, "y": {"type": "string"}}}
    read_a = {"title": "t", "definitions": {"x": {"items": [{"type": "string"}]}, "y": {"type": "string"}}}
    assert read(schema, other=other) == {"a": read_a, "b": {"items": [{"type": "string"}]}, "c": read_a}


def test_what_cannot_be_merged_stays_beside_it(read: Callable[..., Any]) -> None:
    definitions = {"small": {"maximum": 3, "x-unit": "s"}, "unit": {"x-unit": "s"}}
    members = [{"$ref": "#/definitions/small"}, {"$ref": "#/definitions/unit"}, {"minimum": 1}]
    schema = read({"maximum": 5, "allOf": members, "definitions": definitions})
    assert schema["x-unit"] == "s"
    assert schema["maximum"] == 5
    assert schema["allOf"] == [{"maximum": 3, "x-unit": "s"}, {"minimum": 1}]


def test_a_reference_to_nothing_is_an_error(read: Callable[..., Any]) -> None:
    with pytest.raises(FileNotFoundError):
        read({"$ref": "none.json"})


def test_a_definition_that_does_not_exist_is_an_error(read: Callable[..., Any]) -> None:
    with pytest.raises(KeyError):
        read({"$ref": "#/definitions/none"})


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_setting_has_title_default_and_description_for_editors(name: str) -> None:
    for setting, schema in stages()[name].schema()["properties"].items():
        assert schema["title"], setting
        assert "default" in schema, setting
        for inner in subschemas(schema):
            assert inner["description"].endswith("."), setting


def test_every_stage_has_its_schema_and_every_schema_its_stage() -> None:
    assert {
        path.name.removesuffix(".schema.json") for path in resource("schemas", "stages").iterdir()
    } == set(BUILT_IN)


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_declared_settings_and_defaults_are_the_established_ones(name: str) -> None:
    expected = dict(SETTINGS["rate_image" if name == "flux_image" else name]) | {"timeout": None}
    if name == "flux_image":
        expected["effective_area"] = None
    properties = stages()[name].schema()["properties"]
    assert set(properties) == set(expected)
    for setting, schema in properties.items():
        assert _same(schema["default"], expected[setting], schema), setting


def _same(default: Any, expected: Any, schema: Mapping[str, Any]) -> bool:
    if isinstance(expected, list):
        pairs = zip(default, expected, strict=True)
        return all(_same(*pair, schema["items"]) for pair in pairs)
    if "x-unit" in schema and expected is not None:
        return canonical_text(default, schema["x-unit"]) == canonical_text(expected, schema["x-unit"])
    return bool(default == expected)


@pytest.mark.parametrize("name", BUILT_IN)
def test_defaults_are_valid_and_stand_in_normal_form(name: str) -> None:
    schema = stages()[name].schema()
    settings = StageSettings(stages()[name], {})
    jsonschema.Draft7Validator(schema).validate(
        {key: s["default"] for key, s in schema["properties"].items()}
    )
    for setting, inner in schema["properties"].items():
        assert settings.canonical_value(setting) == inner["default"], setting
    assert settings.normal_form == {}


@pytest.mark.parametrize("name", BUILT_IN)
def test_quantities_have_patterns_that_agree_with_their_parser(name: str) -> None:
    for schema in stages()[name].schema()["properties"].values():
        for inner in subschemas(schema):
            if "x-unit" not in inner:
                continue
            validator = jsonschema.Draft7Validator(inner)
            unit = inner["x-unit"]
            for text in (f"2 {unit}", f"2.5{unit}", f"1e1 {unit}", f".5 {unit}"):
                assert validator.is_valid(text)
                assert number_in_unit(text, unit) > 0
            assert not validator.is_valid(2)
            assert not validator.is_valid("2")


@pytest.mark.parametrize("name", BUILT_IN)
def test_what_schemas_say_of_other_settings_names_settings_that_exist(name: str) -> None:
    properties = stages()[name].schema()["properties"]
    for setting, schema in properties.items():
        named = [*schema.get("x-when", {}), *schema.get("x-replaces", ())]
        named += [schema[key] for key in ("x-with", "x-less-than") if key in schema]
        assert set(named) <= set(properties) - {setting}


@pytest.mark.parametrize("name", BUILT_IN)
def test_only_time_limits_do_not_change_the_products(name: str) -> None:
    properties = stages()[name].schema()["properties"]
    silent = {key for key, schema in properties.items() if not schema.get("x-fingerprint", True)}
    assert silent == {"timeout", "idle_timeout"} & properties.keys()


def test_the_image_stages_declare_the_same_settings() -> None:
    flux, rate = (stages()[name].schema()["properties"] for name in ("flux_image", "rate_image"))
    assert {name: schema for name, schema in flux.items() if name != "effective_area"} == rate


def test_the_recipe_schema_refers_to_the_stages_beside_it() -> None:
    schema = load(resource("schemas", "recipe.schema.json"))
    expected = {name: {"$ref": f"stages/{name}.schema.json"} for name in BUILT_IN}
    assert schema["definitions"]["stages"]["properties"] == expected
    (single,) = schema["properties"]["per_observation"]["patternProperties"].values()
    assert single["allOf"] == schema["properties"]["stages"]["allOf"] == [{"$ref": "#/definitions/stages"}]


def test_an_editor_that_knows_only_json_schema_accepts_a_whole_recipe() -> None:
    files = [(path.as_uri(), DRAFT7.create_resource(load(path))) for path in FILES]
    schema = {"$ref": resource("schemas", "recipe.schema.json").as_uri()}
    editor = jsonschema.Draft7Validator(schema, registry=Registry().with_resources(files))
    recipe = {
        "recipe": 1,
        "title": "Abell 1795, ACIS images",
        "extends": "standard/acis-imaging",
        "observations": [493, 494, 3666],
        "data": "data/",
        "archive": ["cxc", "heasarc"],
        "products": "products/",
        "engine": "auto",
        "stages": {
            "chandra_repro": None,
            "deflare": {
                "method": "sigma",
                "allowed_sigma": 3,
                "time_bin_size": "200 s",
                "lc_lo_en": "0.5 keV",
            },
            "cleaned_chandra_evts": {"lo_en": "0.5 keV", "hi_en": "7 keV"},
            "rate_image": {"bands": ["broad", "0.3:2.0:0.9"], "psf_ecf": None},
        },
        "per_observation": {"493": {"deflare": {"method": "clean"}}},
    }
    assert list(editor.iter_errors(recipe)) == []
    assert editor.is_valid({**recipe, "archive": "none"})
    assert not editor.is_valid({**recipe, "archive": "nowhere"})
    assert not editor.is_valid({**recipe, "per_observation": {"0493": {}}})
    assert not editor.is_valid({**recipe, "stages": {"deflare": {"time_bin_size": 200}}})
    assert not editor.is_valid({**recipe, "stages": {"deflare": {"time_bin_size": "200"}}})
    assert not editor.is_valid({**recipe, "stages": {"rate_image": {"psf_ecf": 2}}})
    assert not editor.is_valid({**recipe, "stages": {"rate_image": {"expmap_threshold": "2"}}})
    assert not editor.is_valid({**recipe, "stages": {"make_coffee": {}}})


@pytest.mark.parametrize("outcome", ["done", "excluded"])
def test_the_manifest_schema_describes_what_is_written(outcome: str) -> None:
    digest = "0123456789abcdef" * 4
    output = Output("events", "acisf00754_clean_evt2.fits", 2880, digest, digest, exposure="E001")
    manifest = Manifest(
        stage="cleaned_chandra_evts",
        observation=754,
        engine="native",
        outcome=outcome,
        reason="" if outcome == "done" else "zero good time",
        fingerprint=digest,
        parts=FingerprintParts(
            "cleaned_chandra_evts", 1, "native", {"lo_en": "0.5 keV"}, {"deflare.gti.E001": digest}
        ),
        settings={"lo_en": "0.5 keV", "timeout": None},
        versions={"chandra_runner": "0.1.0"},
        warnings=("grade 7 was dropped before",),
        started="2026-01-01T00:00:00Z",
        seconds=1.5,
        outputs=(output,) if outcome == "done" else (),
    )
    validator = jsonschema.Draft7Validator(load(resource("schemas", "manifest.schema.json")))
    document = json.loads(json.dumps(manifest.to_json()))
    assert list(validator.iter_errors(document)) == []
    for wrong in ({"outcome": "failed"}, {"fingerprint": "x"}, {"surprise": 1}, {"observation": "754"}):
        assert not validator.is_valid({**document, **wrong})
    outside = [{**output.__dict__, "band": "broad", "path": "../events.fits"}]
    assert not validator.is_valid({**document, "outcome": "done", "reason": "", "outputs": outside})


def test_schemas_are_found_beside_the_package_and_inside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind, name in (("schemas", "recipe.schema.json"), ("recipes", "standard/acis-imaging.yaml")):
        assert resource(kind, name).is_file()
        (tmp_path / "chandra_runner" / kind).mkdir(parents=True)
    monkeypatch.setattr(resources, "_PACKAGE", tmp_path / "chandra_runner")
    uncached = resource.__wrapped__
    assert uncached("schemas", "x.json") == tmp_path / "chandra_runner" / "schemas" / "x.json"
    (tmp_path / "chandra_runner" / "recipes").rmdir()
    assert uncached("recipes", "x.yaml") == tmp_path / "recipes" / "x.yaml"
