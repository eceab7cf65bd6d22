"""The stages and their settings, from their schemas: as text for the terminal and as a page for the docs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Mapping
from typing import Any

from chandra_runner.stages.stage import Stage

_WIDTH = 80


def stages_text(stages: Iterable[type[Stage]]) -> str:
    """Return what each stage does, needs and makes, and which engines run it."""
    return "\n\n".join(
        f"{stage.name}\n{_wrapped(stage.schema().get('description', ''))}\n"
        f"    needs: {_needs(stage)}\n    makes: {', '.join(stage.makes)}\n    engines: {_engines(stage)}"
        for stage in stages
    )


def stage_text(stage: type[Stage]) -> str:
    """Return the settings of one stage, with their defaults and allowed values."""
    schema = stage.schema()
    blocks = [f"{stage.name}: {schema.get('description', '')}"]
    for name, setting in schema["properties"].items():
        meaning = _wrapped(setting.get("description", ""))
        blocks.append(f"  {name} = {_default(setting)}  [{_allowed(setting)}]\n{meaning}")
    return "\n".join(blocks)


def stages_markdown(stages: Iterable[type[Stage]]) -> str:
    """Return the page for the documentation: every stage with a table of its settings."""
    sections = [
        "# Stages and their settings\n\nMade by `chandra-run stages --markdown` from the stages' schemas."
    ]
    for stage in stages:
        schema = stage.schema()
        rows = [
            f"| `{name}` | `{_default(setting)}` | {_allowed(setting)} | {setting.get('description', '')} |"
            for name, setting in schema["properties"].items()
        ]
        sections.append(
            f"## {stage.name}\n\n{schema.get('description', '')}\n\n"
            f"Needs: {_needs(stage)}. Makes: {', '.join(stage.makes)}. Engines: {_engines(stage)}.\n\n"
            "| setting | default | values | meaning |\n|---|---|---|---|\n" + "\n".join(rows)
        )
    return "\n\n".join(sections)


def _needs(stage: type[Stage]) -> str:
    return ", ".join(f"{need.role} of {need.stage}" for need in stage.needs) or "nothing"


def _engines(stage: type[Stage]) -> str:
    return ", ".join(sorted(stage.executors)) or "none in this version"


def _default(setting: Mapping[str, Any]) -> str:
    default = setting.get("default")
    if default is None:
        return "null"
    return default if isinstance(default, str) and default else json.dumps(default)


def _allowed(setting: Mapping[str, Any]) -> str:
    """Return the allowed values of a setting, in a few words."""
    if "enum" in setting:
        return ", ".join(map(str, setting["enum"]))
    kinds = setting.get("type", "anything")
    words = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if "x-unit" in setting:
        words = words.replace("string", f"quantity in {setting['x-unit']}")
    bounds = {
        "minimum": "at least",
        "exclusiveMinimum": "over",
        "maximum": "at most",
        "exclusiveMaximum": "under",
    }
    limits = [
        f"{phrase} {setting[key]:g}"
        for name, phrase in bounds.items()
        for key in (name, f"x-{name}")
        if key in setting
    ]
    return ", ".join([words, *limits])


def _wrapped(text: str) -> str:
    return textwrap.fill(text, _WIDTH, initial_indent="    ", subsequent_indent="    ")
