"""Write the parts of the documentation that follow from the code: commands, recipe keys, stages, examples.

A page has them between ``<!-- begin generated: ... -->`` and ``<!-- end generated -->``. Run it after a
change of the parser, a schema or an example; with ``--check`` it writes nothing and exits with 1 where a page
is out of date.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from chandra_runner.cli.command_line import build_parsers
from chandra_runner.cli.options import usable_cores
from chandra_runner.cli.stage_reference import stages_markdown
from chandra_runner.resources import read_schema, resource
from chandra_runner.stages.registry import BUILT_IN, get

_ROOT = Path(__file__).resolve().parents[1]
_REGION = re.compile(r"(<!-- begin generated: (.+?) -->\n).*?(<!-- end generated -->)", re.DOTALL)
_LANGUAGES = {".py": "python", ".toml": "toml", ".json": "json"}


def pages() -> Iterator[tuple[Path, str]]:
    """Yield every page with generated parts, and the text that it should have."""
    docs = _ROOT / "docs"
    yield docs / "stages.md", f"{stages_markdown(map(get, BUILT_IN))}\n"
    for path in sorted(docs.rglob("*.md")):
        text = path.read_text(encoding="utf-8")
        if _REGION.search(text):
            yield path, _REGION.sub(lambda match: f"{match[1]}\n{_region(match[2])}\n\n{match[3]}", text)


def _region(name: str) -> str:
    """Return the text of a generated part."""
    kind, _, argument = name.partition(" ")
    return _KINDS[kind](argument)


def _commands(_: str) -> str:
    """Return a section for each command: what it does, and its arguments."""
    _, commands = build_parsers()
    return "\n\n".join(_command(name, parser) for name, parser in commands.items())


def _command(name: str, parser: argparse.ArgumentParser) -> str:
    actions = [action for action in parser._actions if action.dest != "help"]
    positionals = [action for action in actions if not action.option_strings]
    words = " ".join(_positional(action) for action in positionals)
    options = " [options]" if len(positionals) < len(actions) else ""
    rows = [f"| `{_flags(action)}` | {_help(action)} |" for action in actions]
    return (
        f"### {name}\n\n{parser.description}\n\n```sh\nchandra-run {name} {words}{options}\n```\n\n"
        "| argument | meaning |\n|---|---|\n" + "\n".join(rows)
    )


def _positional(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest)
    return {"?": f"[{name}]", "*": f"[{name} ...]"}.get(str(action.nargs), name)


def _flags(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    flags = ", ".join(action.option_strings)
    if action.nargs == 0:
        return flags
    values = action.metavar or "{" + ",".join(map(str, action.choices or ())) + "}"
    return f"{flags} {values}"


def _help(action: argparse.Action) -> str:
    # The number of cores is this machine's.
    text = str(action.help).replace(f"or all {usable_cores()}", "or all")
    return _cell(text % vars(action))


def _schema_keys(name: str) -> str:
    """Return a table of the keys that a schema declares at its top."""
    schema = read_schema(resource("schemas", f"{name}.schema.json"))
    rows = [
        f"| `{key}` | {_default(value)} | {_meaning(value)} |" for key, value in schema["properties"].items()
    ]
    return "| key | default | meaning |\n|---|---|---|\n" + "\n".join(rows)


def _default(schema: Mapping[str, Any]) -> str:
    return f"`{json.dumps(schema['default'])}`" if schema.get("default") else ""


def _meaning(schema: Mapping[str, Any]) -> str:
    values = f" One of {', '.join(schema['enum'])}." if "enum" in schema else ""
    return _cell(schema["description"] + values)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _file(name: str) -> str:
    """Return a file of the checkout as a block of code."""
    path = _ROOT / name
    return f"```{_LANGUAGES[path.suffix]}\n{path.read_text(encoding='utf-8').rstrip()}\n```"


_KINDS: Mapping[str, Callable[[str], str]] = {"commands": _commands, "keys": _schema_keys, "file": _file}


def main(arguments: list[str]) -> int:
    """Write or check the pages."""
    stale = [(path, text) for path, text in pages() if path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        print(f"{path.relative_to(_ROOT)} {'is out of date' if '--check' in arguments else 'written'}")
        if "--check" not in arguments:
            path.write_text(text, encoding="utf-8")
    return int(bool(stale) and "--check" in arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
