"""What is known of an ObsID's products: are they what a task would make, and if not, why.

The manifests are the truth. One state file per ObsID caches them together with the stat of each
file whose digest is known, so that a run with nothing to do opens one file an ObsID and reads no data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property
from pathlib import Path

from chandra_runner.observation.raw_files import find_directory, kind_of, list_files
from chandra_runner.stages.stage import Stage
from chandra_runner.storage.atomic_write import write_atomically
from chandra_runner.storage.state_directory import state_directory

from .digests import FileDigest, FileStat, digest_bytes, digest_product, stat_of
from .manifest import NAME, FingerprintParts, Manifest, read_manifest

STATE_VERSION = 1
RAW = "raw/"
KINDS = "kinds"
"""In the fingerprint of a download: kinds of raw files that its recipe's stages want."""


class Ledger:
    """The manifests and digests of one ObsID.

    Parameters
    ----------
    products : Path
        The products tree.
    data : Path
        Where ObsID directories are.
    obsid : int
        Which one.
    """

    def __init__(self, products: Path, data: Path, obsid: int) -> None:
        self.obsid = obsid
        self.directory = products / str(obsid)
        self._data = data
        self._state_path = state_directory(products) / "state" / f"{obsid}.json"
        self._dirty = False
        self._files: dict[str, FileDigest] = {}
        self._manifests: dict[str, tuple[FileStat, Manifest]] = {}
        self._failures: dict[str, str] = {}
        self._load()

    @cached_property
    def raw_directory(self) -> Path:
        """Where the raw data are, or where they would be put."""
        return find_directory(self._data, self.obsid) or self._data / str(self.obsid)

    @cached_property
    def raw_files(self) -> Mapping[str, str]:
        """Digests of the raw files, by path relative to the ObsID directory."""
        return {
            name: self._digest(f"{RAW}{name}", self.raw_directory / name, digest_bytes).digest
            for name in list_files(self.raw_directory)
        }

    def manifest(self, stage: str) -> Manifest | None:
        """The manifest of a stage's products; None where there is none that can be read."""
        directory = self.directory / stage
        try:
            stat = stat_of(directory / NAME)
        except OSError:
            return None
        known = self._manifests.get(stage)
        if known is not None and known[0] == stat:
            return known[1]
        manifest = read_manifest(directory)
        if manifest is None:
            return None
        self._manifests[stage] = (stat, manifest)
        self._dirty = True
        return manifest

    def damage(self, manifest: Manifest) -> Iterator[str]:
        """Products that are gone or are not what was made, one reason each."""
        for output in manifest.outputs:
            name = f"{manifest.stage}/{output.path}"
            try:
                digest = self._digest(name, self.directory / name, digest_product).digest
            except FileNotFoundError:
                yield f"product {output.path} is missing"
            except Exception as error:  # damage of any kind: the file is not what was made
                yield f"product {output.path} cannot be read: {error}"
            else:
                if digest != output.digest:
                    yield f"product {output.path} was altered"

    def failure(self, stage: str) -> str:
        """Why the stage failed when it was last tried; empty where it did not."""
        return self._failures.get(stage, "")

    def record(self, manifest: Manifest, digests: Mapping[str, FileDigest]) -> None:
        """Remember a stage's new products, and the digests of its files by their paths in its directory."""
        stage = manifest.stage
        self._files = {name: known for name, known in self._files.items() if not name.startswith(f"{stage}/")}
        self._files |= {f"{stage}/{name}": digest for name, digest in digests.items()}
        self._manifests[stage] = (stat_of(self.directory / stage / NAME), manifest)
        self._failures.pop(stage, None)
        self._dirty = True

    def record_failure(self, stage: str, reason: str) -> None:
        """Remember why a stage failed."""
        self._failures[stage] = reason
        self._dirty = True

    def record_raw_digests(self, sha256: Mapping[str, str], before_ns: int) -> None:
        """Take over digests of raw files, but not of those changed after `before_ns` (as `st_mtime_ns`)."""
        for cached in ("raw_directory", "raw_files"):
            self.__dict__.pop(cached, None)
        for name, digest in sha256.items():
            stat = stat_of(self.raw_directory / name)
            if stat.mtime_ns < before_ns:
                self._files[f"{RAW}{name}"] = FileDigest(stat, digest, digest)
        self._dirty = True

    def save(self) -> None:
        """Write the state file, where something in it changed. It can always be rebuilt."""
        if not self._dirty:
            return
        state = {
            "state": STATE_VERSION,
            "files": {
                name: [d.stat.size, d.stat.mtime_ns, d.stat.inode, d.digest, d.content]
                for name, d in self._files.items()
            },
            "manifests": {
                stage: ([stat.size, stat.mtime_ns, stat.inode], manifest.to_json())
                for stage, (stat, manifest) in self._manifests.items()
            },
            "failures": self._failures,
        }
        self._state_path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._state_path, json.dumps(state))
        self._dirty = False

    def _digest(self, name: str, path: Path, digest: Callable[[Path], FileDigest]) -> FileDigest:
        """The digest of a file, read only where its stat is not the known one."""
        known = self._files.get(name)
        if known is None or known.stat != stat_of(path):
            known = self._files[name] = digest(path)
            self._dirty = True
        return known

    def _load(self) -> None:
        """Read the state file; one that is missing, damaged or of another version counts as empty."""
        try:
            state = json.loads(self._state_path.read_text(encoding="utf-8"))
            if state["state"] != STATE_VERSION:
                return
            files = {name: FileDigest(FileStat(*e[:3]), *e[3:]) for name, e in state["files"].items()}
            manifests = {
                stage: (FileStat(*stat), Manifest.from_json(document))
                for stage, (stat, document) in state["manifests"].items()
            }
            failures = dict(state["failures"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return
        self._files, self._manifests, self._failures = files, manifests, failures


def compare(
    made: FingerprintParts, now: FingerprintParts, stage: type[Stage], unsettled: Collection[str] = ()
) -> Iterator[str]:
    """Why products made of `made` are not what a task of `now` would make: one reason a difference.

    Inputs that come from `unsettled` stages are left aside.
    """
    if made.version != now.version:
        yield f"stage version: {made.version} -> {now.version}"
    if made.engine != now.engine:
        yield f"engine: {made.engine} -> {now.engine}"
    properties = stage.schema()["properties"]
    kinds = set(now.settings.get(KINDS, ())) - set(made.settings.get(KINDS, ()))
    if kinds:
        yield f"raw files of more kinds are wanted: {', '.join(sorted(kinds))}"
    for name in sorted((made.settings.keys() | now.settings.keys()) - {KINDS}):
        default = properties.get(name, {}).get("default")
        old, new = made.settings.get(name, default), now.settings.get(name, default)
        if old != new:
            yield f"setting {name}: {_text(old)} -> {_text(new)}"
    settled = {name: content for name, content in made.inputs.items() if _maker(name) not in unsettled}
    yield from _compare_inputs(settled, now.inputs)


def _compare_inputs(made: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name in sorted(made.keys() | now.keys()):
        old, new = made.get(name), now.get(name)
        if old is None:
            yield f"{_input(name)} is new"
        elif new is None:
            yield f"{_input(name)} is gone"
        elif old != new:
            yield f"{_input(name)} changed"


def _input(name: str) -> str:
    return f"raw file {name.removeprefix(RAW)}" if name.startswith(RAW) else f"input {name}"


def _maker(name: str) -> str:
    """The stage that an input comes from."""
    return "download" if name.startswith(RAW) else name.partition(".")[0]


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def inputs_of(stage: type[Stage], ledger: Ledger, unsettled: Collection[str] = ()) -> dict[str, str]:
    """Content digests of what a stage reads, by name, but of what comes from `unsettled` stages."""
    if "raw" in stage.makes:
        return {f"{RAW}{path}": digest for path, digest in ledger.raw_files.items()}
    inputs: dict[str, str] = {}
    for need in stage.needs:
        if need.stage in unsettled:
            continue
        if need.role == "raw":
            inputs |= {f"{RAW}{p}": d for p, d in ledger.raw_files.items() if kind_of(p) in stage.raw}
            continue
        manifest = ledger.manifest(need.stage)
        for output in manifest.outputs if manifest else ():
            if output.role == need.role:
                name = ".".join(filter(None, (need.stage, output.role, output.exposure, output.band)))
                inputs[name] = output.content
    return inputs
