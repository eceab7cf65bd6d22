"""The profile: settings of the site, which no recipe states and which are not part of any fingerprint."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from chandra_runner.errors import RecipeError, UsageError

NAME = "profile.yaml"


@dataclass(frozen=True)
class Profile:
    """Settings of the site.

    Parameters
    ----------
    ciao : Path or None
        Directory of CIAO; None to look for it.
    cores : int or None
        Number of cores that a run may use; None for all.
    mirror : str
        URL of a mirror of the Chandra archive; empty for none.
    """

    ciao: Path | None = None
    cores: int | None = None
    mirror: str = ""


def load_profile(path: Path | None) -> Profile:
    """Read a profile: by default the user's own, if there is one.

    Parameters
    ----------
    path : Path or None
        The file; None for ``chandra_runner/profile.yaml`` in the user's configuration directory, where there
        need not be one.

    Raises
    ------
    RecipeError
        The profile is not valid; each problem is reported with its place.
    UsageError
        The file could not be read.
    """
    if path is None:
        path = _own_profile()
        if not path.is_file():
            return Profile()
    from chandra_runner.recipe.yaml_text import UnreadableFileError, read_yaml_text

    try:
        text = read_yaml_text(path)
    except UnreadableFileError as error:
        raise UsageError(f"--profile: {error}") from error
    return _parse(text, path)


def _own_profile() -> Path:
    from platformdirs import user_config_path

    return user_config_path("chandra_runner") / NAME


def _parse(text: str, path: Path) -> Profile:
    """Check a profile against its schema and return its settings; its paths are relative to it."""
    from chandra_runner.recipe.schema_validation import schema_problems
    from chandra_runner.recipe.yaml_reader import parse_yaml
    from chandra_runner.resources import read_schema, resource

    root = parse_yaml(text, path)
    schema = read_schema(resource("schemas", "profile.schema.json"))
    problems = [found.problem for found in schema_problems(root, schema=schema, document="profile")]
    if problems:
        raise RecipeError(problems)
    values = root.plain()
    ciao = values.get("ciao")
    return Profile(
        ciao=None if ciao is None else (path.parent / Path(ciao).expanduser()).absolute(),
        cores=values.get("cores"),
        mirror=values.get("mirror", ""),
    )
