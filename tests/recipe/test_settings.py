"""Settings of a stage: defaults, units, files, and the normal form that fingerprints see."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from astropy.units import Quantity

from chandra_runner.recipe.settings import LazySettings, StageSettings
from chandra_runner.recipe.yaml_reader import parse_yaml
from chandra_runner.stages.stage import Stage


class Example(Stage):
    """A stage with settings of every kind."""

    name = "example"

    @classmethod
    def schema(cls) -> dict[str, Any]:
        return {
            "properties": {
                "mode": {"type": "string", "default": "fast"},
                "length": {"type": "string", "x-unit": "s", "default": "200 s"},
                "edges": {
                    "type": "array",
                    "items": {"type": "string", "x-unit": "keV"},
                    "default": ["0.5 keV", "7 keV"],
                },
                "sigma": {"type": "number", "default": 3},
                "count": {"type": ["integer", "null"], "default": None},
                "limit": {"type": "number", "default": 1.5, "x-when": {"mode": ["slow", "fast"]}},
                "table": {"type": ["string", "null"], "default": None, "x-path": ["built-in"]},
                "timeout": {
                    "type": ["string", "null"],
                    "x-unit": "s",
                    "default": None,
                    "x-fingerprint": False,
                },
            }
        }


def settings(
    text: str = "{}", stage: type[Stage] = Example, file: Path = Path("recipe.yaml")
) -> StageSettings:
    return StageSettings(stage, parse_yaml(text, file).mapping)


def test_values_are_complete_and_in_the_types_that_executors_use() -> None:
    values = settings("{length: 3 min, edges: [500 eV, 2 keV], sigma: 2, timeout: 1 h}").values
    assert values == {
        "mode": "fast",
        "length": Quantity(180, "s"),
        "edges": [Quantity(0.5, "keV"), Quantity(2, "keV")],
        "sigma": 2.0,
        "count": None,
        "limit": 1.5,
        "table": None,
        "timeout": Quantity(3600, "s"),
    }
    assert isinstance(values["sigma"], float)


@pytest.mark.parametrize(
    ("text", "name", "canonical"),
    [
        ("{length: 0.2 ks}", "length", "200 s"),
        ("{}", "length", "200 s"),
        ("{edges: [500 eV, 2keV]}", "edges", ["0.5 keV", "2 keV"]),
        ("{sigma: 4.0}", "sigma", 4),
        ("{sigma: 4.5}", "sigma", 4.5),
        ("{timeout: null}", "timeout", None),
        ("{mode: slow}", "mode", "slow"),
    ],
)
def test_canonical_values_are_json_with_canonical_units(text: str, name: str, canonical: object) -> None:
    found = settings(text).canonical_value(name)
    assert found == canonical
    assert type(found) is type(canonical)


def test_the_normal_form_has_only_what_differs_from_the_defaults() -> None:
    assert settings("{length: 200 s, sigma: 3.0, mode: fast, edges: [500 eV, 7 keV]}").normal_form == {}
    assert settings("{sigma: 2, count: 3}").normal_form == {"sigma": 2, "count": 3}


def test_the_normal_form_is_without_what_does_not_change_the_products() -> None:
    assert settings("{timeout: 1 h}").normal_form == {}


@pytest.mark.parametrize(("mode", "counts"), [("slow", True), ("fast", True), ("other", False)])
def test_the_normal_form_is_without_settings_that_have_no_effect(mode: str, counts: bool) -> None:
    assert settings(f"{{mode: {mode}}}").has_effect("limit") is counts
    assert ("limit" in settings(f"{{mode: {mode}, limit: 2}}").normal_form) is counts


class Rewriting(Example):
    """A stage that writes its settings in another form, with a name that the schema does not have."""

    @classmethod
    def normal(cls, settings: Mapping[str, Any]) -> dict[str, Any]:
        rest = {name: value for name, value in settings.items() if name != "edges"}
        return rest | {"band": "-".join(settings["edges"])} | ({"extra": 1} if settings["count"] else {})


def test_a_stage_may_write_its_settings_in_another_form() -> None:
    assert settings("{}", Rewriting).normal_form == {}
    assert settings("{edges: [500 eV, 7 keV]}", Rewriting).normal_form == {}
    assert settings("{edges: [1 keV, 7 keV]}", Rewriting).normal_form == {"band": "1 keV-7 keV"}
    assert settings("{count: 2}", Rewriting).normal_form == {"count": 2, "extra": 1}


def test_a_file_is_relative_to_the_recipe_that_states_it(tmp_path: Path) -> None:
    table = settings("{table: tables/a.txt}", file=tmp_path / "team" / "base.yaml")
    assert table.file("table") == tmp_path / "team" / "tables" / "a.txt"
    assert table.value("table") == tmp_path / "team" / "tables" / "a.txt"
    assert table.canonical_value("table") == "tables/a.txt"


@pytest.mark.parametrize("text", ["{table: built-in}", "{table: null}", "{}", "{mode: fast}"])
def test_words_and_null_are_not_files(text: str) -> None:
    assert settings(text).file("table") is None
    assert settings(text).file("mode") is None


def test_a_file_counts_by_its_content(tmp_path: Path) -> None:
    for name, content in (("a", b"x"), ("b", b"x"), ("c", b"y")):
        (tmp_path / name).write_bytes(content)
    a, b, c = (settings(f"{{table: {name}}}", file=tmp_path / "r.yaml").normal_form for name in "abc")
    assert a == b != c
    assert a["table"].startswith("sha256:2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881")


def test_lazy_settings_are_attributes_that_are_parsed_when_they_are_read() -> None:
    lazy = LazySettings(settings("{length: 5 min, edges: [not a quantity]}"))
    assert lazy.length == Quantity(300, "s")
    assert lazy.mode == "fast"
    with pytest.raises(AttributeError, match="stage example has no setting lenght"):
        lazy.lenght  # noqa: B018
