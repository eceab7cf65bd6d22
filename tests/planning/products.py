"""Products of an observation, written without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chandra_runner.planning.digests import digest_product
from chandra_runner.planning.fingerprint import FingerprintParts
from chandra_runner.planning.manifest import Manifest, Output, write_manifest
from chandra_runner.stages.outcome import Outcome


def publish(directory: Path, parts: FingerprintParts, files: Mapping[str, str], **fields: Any) -> Manifest:
    """Write text files by role, and the manifest beside them, into a stage's directory."""
    directory.mkdir(parents=True, exist_ok=True)
    outputs = []
    for role, text in files.items():
        path = directory / f"{role}.txt"
        path.write_text(text)
        known = digest_product(path)
        outputs.append(Output(role, path.name, known.stat.size, known.digest, known.content))
    values = {"outcome": Outcome.DONE} | fields
    manifest = Manifest(
        stage=parts.stage,
        observation=11,
        engine=parts.engine,
        fingerprint=parts.fingerprint(),
        parts=parts,
        outputs=tuple(outputs),
        **values,
    )
    write_manifest(manifest, directory)
    return manifest
