"""The record of downloads in an ObsID directory: the origin of each file, and files that are pending."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from chandra_runner.storage.atomic_write import write_atomically

NAME = ".download.json"


@dataclass(frozen=True)
class FileOrigin:
    """Where a file came from.

    Parameters
    ----------
    url : str
        Address.
    fetched : str
        Time of the download, UTC, ISO 8601.
    """

    url: str
    fetched: str


@dataclass
class DownloadRecord:
    """The record of an ObsID directory.

    Parameters
    ----------
    pending : list of str
        Paths of files that a download has not received yet.
    sources : dict of str to FileOrigin
        Origins by path.
    """

    pending: list[str] = field(default_factory=list)
    sources: dict[str, FileOrigin] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> DownloadRecord:
        """Read the record of a directory; return an empty one if there is none that can be read."""
        try:
            document = json.loads((directory / NAME).read_text(encoding="utf-8"))
            sources = {str(path): FileOrigin(**source) for path, source in document["sources"].items()}
            return cls([str(path) for path in document["pending"]], sources)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self, directory: Path) -> None:
        """Write it into its directory."""
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / NAME, self.text())

    def text(self, paths: Iterable[str] | None = None) -> str:
        """Return it as JSON; with `paths` only the origins of these files."""
        known = self.sources if paths is None else {p: self.sources[p] for p in paths if p in self.sources}
        sources = {path: asdict(source) for path, source in sorted(known.items())}
        return json.dumps({"pending": self.pending, "sources": sources}, indent=1) + "\n"
