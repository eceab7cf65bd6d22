"""What is known about an ObsID: its manifests, the digests of its files, its last failures.

The manifests are the truth. One state file per ObsID caches them together with the stat of each
file whose digest is known, so that a run with nothing to do opens one file an ObsID and reads no data.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from chandra_runner.observation.raw_files import find_directory, list_files
from chandra_runner.storage.atomic_write import write_atomically
from chandra_runner.storage.state_directory import state_directory

from .digests import FileDigest, FileStat, digest_bytes, digest_product, digest_shared_file, stat_of
from .fingerprint import CALIBRATION_PREFIX, RAW_PREFIX
from .manifest import NAME, Manifest, read_manifest

STATE_VERSION = 1


class Ledger:
    """The manifests and digests of one ObsID.

    Parameters
    ----------
    products : Path
        The products tree.
    data : Path
        The directory with the ObsID directories.
    obsid : int
        The ObsID.
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
        self._raw_directory: Path | None = None
        self._raw_files: Mapping[str, str] | None = None
        self._load()

    @property
    def raw_directory(self) -> Path:
        """The directory of the raw data, or the one that a download would make."""
        if self._raw_directory is None:
            found = find_directory(self._data, self.obsid)
            self._raw_directory = found or self._data / str(self.obsid)
        return self._raw_directory

    @property
    def raw_files(self) -> Mapping[str, str]:
        """Digests of the raw files, by path relative to the ObsID directory.

        Raises
        ------
        DataError
            The directory cannot be read.
        """
        if self._raw_files is None:
            self._raw_files = {
                name: self._digest(f"{RAW_PREFIX}{name}", self.raw_directory / name, digest_bytes).digest
                for name in list_files(self.raw_directory)
            }
        return self._raw_files

    def manifest(self, stage: str) -> Manifest | None:
        """Return the manifest of a stage's products; None where there is none that can be read."""
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
        """Yield why products are not what was made: missing, altered or unreadable, one reason each."""
        for output in manifest.outputs:
            name = f"{manifest.stage}/{output.path}"
            try:
                digest = self._digest(name, self.directory / name, digest_product).digest
            except FileNotFoundError:
                yield f"product {output.path} is missing"
            except Exception as error:  # whatever is wrong with it, the file is not what was made
                yield f"product {output.path} cannot be read: {error}"
            else:
                if digest != output.digest:
                    yield f"product {output.path} was altered"

    def calibration_digest(self, path: Path) -> str:
        """Return the digest of a calibration file, which many observations share."""
        return self._digest(f"{CALIBRATION_PREFIX}{path}", path, digest_shared_file).digest

    def failure(self, stage: str) -> str:
        """Return why the stage failed when it last ran; empty where it did not."""
        return self._failures.get(stage, "")

    def record(self, manifest: Manifest, digests: Mapping[str, FileDigest]) -> None:
        """Record a stage's new products, and the digests of their files by path in the stage's directory."""
        stage = manifest.stage
        self._files = {name: known for name, known in self._files.items() if not name.startswith(f"{stage}/")}
        self._files |= {f"{stage}/{name}": digest for name, digest in digests.items()}
        self._manifests[stage] = (stat_of(self.directory / stage / NAME), manifest)
        self._failures.pop(stage, None)
        self._dirty = True

    def record_failure(self, stage: str, reason: str) -> None:
        """Record why a stage failed."""
        self._failures[stage] = reason
        self._dirty = True

    def record_raw_digests(self, sha256: Mapping[str, str], before_ns: int) -> None:
        """Record the digests that an inventory of the raw files found.

        Parameters
        ----------
        sha256 : Mapping of str to str
            Digests by path relative to the ObsID directory.
        before_ns : int
            When the inventory began, ns since 1970. A file that was modified later may have been digested
            before the change: its digest is not recorded, and the file is read again.
        """
        self._raw_directory = self._raw_files = None
        for name, digest in sha256.items():
            stat = stat_of(self.raw_directory / name)
            if stat.mtime_ns < before_ns:
                self._files[f"{RAW_PREFIX}{name}"] = FileDigest(stat, digest, digest)
        self._dirty = True

    def save(self) -> None:
        """Write the state file if something in it changed; it can always be rebuilt."""
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
        """Return the digest of a file, which is read only if its size, mtime or inode changed."""
        known = self._files.get(name)
        if known is None or known.stat != stat_of(path):
            known = self._files[name] = digest(path)
            self._dirty = True
        return known

    def _load(self) -> None:
        """Read the state file; one that is missing, damaged or of another version is ignored."""
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
