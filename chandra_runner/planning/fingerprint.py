"""What the products of a task depend on: its fingerprint, and how two of them differ."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chandra_runner.observation.raw_files import kind_of
from chandra_runner.recipe.settings import FILE_CONTENT
from chandra_runner.stages.stage import RAW, Stage

from .digests import digest_of

if TYPE_CHECKING:
    from .ledger import Ledger

RAW_PREFIX = "raw/"
"""What the names of raw files among the inputs begin with."""
CALIBRATION_PREFIX = "calibration/"
"""What the names of calibration files among the inputs begin with."""
KINDS = "kinds"
"""In the fingerprint of the raw data: kinds of raw files that the recipe's stages read."""


@dataclass(frozen=True)
class FingerprintParts:
    """What a task's fingerprint is made of.

    Parameters
    ----------
    stage : str
        Name of the stage.
    version : int
        Version of the stage.
    engine : str
        The executor: ``native``, ``ciao`` or ``any``.
    settings : Mapping of str to object
        Settings in normal form: units converted, without those at their default.
    inputs : Mapping of str to str
        Content digests of the inputs, by name (``chandra_repro.events.E001``, ``raw/primary/...``,
        ``calibration/...``).
    """

    stage: str
    version: int
    engine: str
    settings: Mapping[str, Any]
    inputs: Mapping[str, str]

    def fingerprint(self) -> str:
        """Return the digest of all parts, hexadecimal."""
        return digest_of(json.dumps(asdict(self), sort_keys=True))


def inputs_of(stage: type[Stage], ledger: Ledger, pending: Collection[str] = ()) -> dict[str, str]:
    """Return the content digests of what a stage reads, by name.

    Parameters
    ----------
    stage : type of Stage
        The stage.
    ledger : Ledger
        The products and raw data of the observation.
    pending : collection of str
        Stages whose products are not final, because they run first; their products are left out.
    """
    if RAW in stage.makes:
        return {f"{RAW_PREFIX}{path}": digest for path, digest in ledger.raw_files.items()}
    inputs: dict[str, str] = {}
    for need in stage.needs:
        if need.stage in pending:
            continue
        if need.role == RAW:
            # Of the raw data only the kinds that the stage reads count: a new V&V report reruns nothing.
            raw_files = ledger.raw_files.items()
            inputs |= {f"{RAW_PREFIX}{path}": d for path, d in raw_files if kind_of(path) in stage.raw}
            continue
        manifest = ledger.manifest(need.stage)
        for output in manifest.outputs if manifest else ():
            if output.role == need.role:
                name = ".".join(filter(None, (need.stage, output.role, output.exposure, output.band)))
                inputs[name] = output.content
    return inputs


def calibration_inputs(files: Iterable[Path], ledger: Ledger) -> dict[str, str]:
    """Return the digests of calibration files, by the names under which they are inputs."""
    return {f"{CALIBRATION_PREFIX}{path.name}": ledger.calibration_digest(path) for path in files}


def differences(
    made: FingerprintParts, now: FingerprintParts, stage: type[Stage], pending: Collection[str] = ()
) -> Iterator[str]:
    """Yield why products made of `made` are not what a task of `now` would make: one reason a difference.

    Parameters
    ----------
    made : FingerprintParts
        What the products were made of.
    now : FingerprintParts
        What the task would make them of.
    stage : type of Stage
        The stage of both.
    pending : collection of str
        Stages whose products are not final; inputs that come from them are not compared.
    """
    if made.version != now.version:
        yield f"stage version: {made.version} -> {now.version}"
    if made.engine != now.engine:
        yield f"engine: {made.engine} -> {now.engine}"
    yield from _setting_differences(made.settings, now.settings, stage)
    settled = {name: d for name, d in made.inputs.items() if _maker(name, stage) not in pending}
    yield from _input_differences(settled, now.inputs)


def _setting_differences(
    made: Mapping[str, Any], now: Mapping[str, Any], stage: type[Stage]
) -> Iterator[str]:
    new_kinds = set(now.get(KINDS, ())) - set(made.get(KINDS, ()))
    if new_kinds:
        yield f"raw files of more kinds are needed: {', '.join(sorted(new_kinds))}"
    properties = stage.schema()["properties"]
    for name in sorted((made.keys() | now.keys()) - {KINDS}):
        default = properties.get(name, {}).get("default")
        old, new = made.get(name, default), now.get(name, default)
        if old != new:
            yield f"setting {name}: {_change(_text(old), _text(new))}"


def _input_differences(made: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(made.keys() | now.keys()):
        old, new = made.get(name), now.get(name)
        if old is None:
            yield f"{_describe(name)} is new"
        elif new is None:
            yield f"{_describe(name)} is gone"
        elif old != new:
            yield f"{_describe(name)} changed"


def _describe(name: str) -> str:
    for prefix, kind in ((RAW_PREFIX, "raw file"), (CALIBRATION_PREFIX, "calibration file")):
        if name.startswith(prefix):
            return f"{kind} {name.removeprefix(prefix)}"
    return f"input {name}"


def _maker(name: str, stage: type[Stage]) -> str:
    """Return the stage that an input of a stage comes from."""
    if not name.startswith(RAW_PREFIX):
        return name.partition(".")[0]
    return next((need.stage for need in stage.needs if need.role == RAW), stage.name)


def _change(old: str, new: str) -> str:
    """Say how a setting changed; digests of files tell a user nothing."""
    is_file = old.startswith(FILE_CONTENT) and new.startswith(FILE_CONTENT)
    return "the content of the file changed" if is_file else f"{old} -> {new}"


def _text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"  # 3, as a recipe states it, not 3.0
    return value if isinstance(value, str) else json.dumps(value)
