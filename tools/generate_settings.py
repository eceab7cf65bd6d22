"""Write the settings class of each built-in stage from its schema file.

The schema is the only declaration of a stage's settings; the class lets mypy check their use. Run it after a
change of a schema; with ``--check`` it writes nothing and exits with 1 where a class is out of date.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chandra_runner.resources import read_schema, resource

_ROOT = Path(__file__).resolve().parents[1]
_TYPES = {"boolean": "bool", "integer": "int", "number": "float", "string": "str"}


def settings_module(stage: str, schema: Mapping[str, Any]) -> str:
    """Return the text of a stage's module ``settings.py``."""
    types = {name: _type_of(setting) for name, setting in schema["properties"].items()}
    used = " ".join(types.values())
    typing = [name for name in ("Any", "Literal") if name in used]
    runtime = [f"from typing import TYPE_CHECKING{''.join(', ' + name for name in typing)}"]
    checking = ["    from pathlib import Path\n"] if "Path" in used else []
    checking += ["    from astropy.units import Quantity"] if "Quantity" in used else []
    return "\n".join(
        [
            f'"""Settings of the stage {stage}; generated from its schema by tools/generate_settings.py."""',
            "",
            "from __future__ import annotations",
            "",
            "from dataclasses import dataclass",
            *runtime,
            "",
            "if TYPE_CHECKING:",
            *checking,
            "",
            "",
            "@dataclass(frozen=True, kw_only=True)",
            f"class {''.join(word.capitalize() for word in stage.split('_'))}Settings:",
            '    """All settings of the stage, defaults filled in; the schema describes them."""',
            "",
            *(f"    {name}: {annotation}" for name, annotation in types.items()),
            "",
        ]
    )


def _type_of(setting: Mapping[str, Any]) -> str:
    kinds = setting.get("type", ())
    kinds = [kinds] if isinstance(kinds, str) else list(kinds)
    optional = " | None" if "null" in kinds else ""
    if "x-unit" in setting:
        return f"Quantity{optional}"
    if "x-path" in setting:
        return f"Path | str{optional}"
    if "enum" in setting:
        return f"Literal[{', '.join(map(json.dumps, setting['enum']))}]"
    if "array" in kinds:
        return f"list[{_type_of(setting['items'])}]{optional}"
    plain = [_TYPES[kind] for kind in kinds if kind != "null"]
    return " | ".join(plain) + optional if plain else "Any"


def modules() -> Iterator[tuple[Path, str]]:
    """Yield path and text of every generated module."""
    for path in sorted(resource("schemas", "stages").glob("*.schema.json")):
        stage = path.name.removesuffix(".schema.json")
        yield (
            _ROOT / "chandra_runner" / "stages" / stage / "settings.py",
            settings_module(stage, read_schema(path)),
        )


def main(arguments: list[str]) -> int:
    """Write or check the modules."""
    stale = [(path, text) for path, text in modules() if not path.is_file() or path.read_text() != text]
    for path, text in stale:
        print(f"{path.relative_to(_ROOT)} {'is out of date' if '--check' in arguments else 'written'}")
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
