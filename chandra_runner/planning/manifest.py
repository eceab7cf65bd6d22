"""The manifest of a stage's products: what was made, from what, and how."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Self

from chandra_runner.stages.outcome import Outcome

from .fingerprint import FingerprintParts

NAME = "manifest.json"


@dataclass(frozen=True)
class Output:
    """One product, as the manifest lists it; `path` is relative to the manifest."""

    role: str
    path: str
    size: int
    digest: str
    content: str
    exposure: str = ""
    band: str = ""


@dataclass(frozen=True)
class Manifest:
    """What is known about one stage's products for one observation.

    Parameters
    ----------
    stage, observation, engine
        The task, and its executor.
    outcome : Outcome
        ``done`` or ``excluded``.
    reason : str
        Why it was excluded; otherwise empty.
    fingerprint : str
        The digest of `parts`.
    parts : FingerprintParts
        What the fingerprint was made of.
    settings : Mapping
        All settings, including those at their default, quantities as text.
    versions : Mapping of str to str
        Versions of chandra_runner, numpy, astropy; of CIAO, contrib and CALDB where they were used.
    warnings : tuple of str
        Warnings of the stage for the user.
    started : str
        UTC, ISO 8601.
    seconds, cpu_seconds : float
        Wall clock and processor time of the executor and of digesting its outputs, s.
    peak_memory : int
        Largest resident size, bytes.
    host : str
        Name of the machine.
    outputs : tuple of Output
        The products.
    """

    stage: str
    observation: int
    engine: str
    outcome: Outcome
    fingerprint: str
    parts: FingerprintParts
    reason: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    started: str = ""
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    host: str = ""
    outputs: tuple[Output, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document of ``manifest.json`` (schemas/manifest.schema.json)."""
        document = asdict(self)
        document["warnings"] = list(self.warnings)
        document["outputs"] = [
            {key: value for key, value in asdict(output).items() if value != ""} for output in self.outputs
        ]
        return {"manifest": 1, **document}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Return the manifest that `to_json` wrote.

        Raises
        ------
        KeyError, TypeError, ValueError
            The document is not a manifest of this version, or names files outside its directory.
        """
        if document["manifest"] != 1:
            raise ValueError(f"manifest version {document['manifest']!r}")
        fields = {key: value for key, value in document.items() if key != "manifest"}
        fields["outcome"] = Outcome(fields["outcome"])
        fields["parts"] = FingerprintParts(**fields["parts"])
        fields["warnings"] = tuple(fields["warnings"])
        fields["outputs"] = tuple(Output(**output) for output in fields["outputs"])
        for output in fields["outputs"]:
            path = PurePosixPath(output.path)
            if path.is_absolute() or ".." in path.parts:
                raise ValueError(f"output outside the stage's directory: {output.path}")
        return cls(**fields)


def read_manifest(directory: Path) -> Manifest | None:
    """Return the manifest in a stage's directory; None where there is none that can be read."""
    try:
        return Manifest.from_json(json.loads((directory / NAME).read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def other_files(directory: Path, manifest: Manifest | None) -> Iterator[str]:
    """Yield the files in a stage's directory that its manifest does not list: a user's notes or regions.

    Parameters
    ----------
    directory : Path
        The directory; nothing is yielded if it is not one, or is a link.
    manifest : Manifest or None
        Its manifest; None if there is none that can be read.
    """
    if directory.is_symlink():
        return
    listed = {NAME, *(output.path for output in (manifest.outputs if manifest else ()))}
    for path in sorted(directory.rglob("*")):
        name = path.relative_to(directory).as_posix()
        if name not in listed and (path.is_symlink() or not path.is_dir()):
            yield name


def write_manifest(manifest: Manifest, directory: Path) -> None:
    """Write ``manifest.json`` into a directory that is not published yet."""
    text = json.dumps(manifest.to_json(), indent=1, ensure_ascii=False)
    (directory / NAME).write_text(text + "\n", encoding="utf-8")
