"""Stages of other distributions: found, validated by their own schema, and harmless when broken."""

from __future__ import annotations

import json
from pathlib import Path

from ..conftest import ProbeProject, Run


def test_plugins_are_listed_and_a_broken_one_is_named_with_its_version(
    chandra_run: Run, plugins: Path
) -> None:
    answer = chandra_run("stages", env={"PYTHONPATH": str(plugins)})
    assert answer.code == 0
    assert "probe_reader\n" in answer.out
    assert "plugin chandra-runner-broken 0.0.7: stage 'broken' was not loaded: RuntimeError" in answer.err


def test_settings_of_a_plugin_are_checked_by_its_own_schema(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {behave: badly, lable: x, length: 3}\n")
    answer = probe.run()
    assert answer.code == 2
    places = [line.split(": ")[0] for line in answer.err.splitlines() if line.startswith("recipe.yaml:")]
    assert places == ["recipe.yaml:7:19", "recipe.yaml:7:26", "recipe.yaml:7:44"]


def test_settings_of_a_plugin_are_shown(chandra_run: Run, plugins: Path) -> None:
    answer = chandra_run("stages", "probe", env={"PYTHONPATH": str(plugins)})
    assert "length = 1 s  [quantity in s]" in answer.out


def test_without_the_plugin_its_stage_is_unknown(probe: ProbeProject, chandra_run: Run) -> None:
    probe.write("stages:\n  probe: {}\n")
    answer = chandra_run("recipe.yaml")
    assert answer.code == 2
    assert "there is no stage probe" in answer.err


def test_a_plugin_runs_beside_the_built_in_stages(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {label: of mine}\n")
    answer = probe.run("--json")
    assert set(answer.outcomes.values()) == {"done"}
    assert probe.product(11, "probe/count.txt").read_text() == "1 files of mine\n"
    manifest = json.loads(probe.product(11, "probe/manifest.json").read_text())
    assert manifest["settings"]["label"] == "of mine"
