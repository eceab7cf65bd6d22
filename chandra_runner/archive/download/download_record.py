"""What is known of an ObsID directory's files: where each came from and when, and which are still to come."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from chandra_runner.storage.atomic_write import write_atomically

NAME = ".download.json"


@dataclass(frozen=True)
class Source:
    """Where a file came from.

    Parameters
    ----------
    url : str
        Its address.
    fetched : str
        When, UTC, ISO 8601.
    """

    url: str
    fetched: str


@dataclass
class Record:
    """The record in an ObsID directory.

    Parameters
    ----------
    pending : list of str
        Paths of files that a download that has not ended was to bring.
    sources : dict of str to Source
        By path.
    """

    pending: list[str] = field(default_factory=list)
    sources: dict[str, Source] = field(default_factory=dict)

    @classmethod
    def read(cls, directory: Path) -> Record:
        """The record of a directory; an empty one where there is none that can be read."""
        try:
            document = json.loads((directory / NAME).read_text(encoding="utf-8"))
            sources = {str(path): Source(**source) for path, source in document["sources"].items()}
            return cls([str(path) for path in document["pending"]], sources)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls()

    def write(self, directory: Path) -> None:
        """Put it into its directory, whole."""
        directory.mkdir(parents=True, exist_ok=True)
        write_atomically(directory / NAME, self.text())

    def text(self, paths: Iterable[str] | None = None) -> str:
        """As JSON; only the sources of certain files where `paths` says so."""
        known = self.sources if paths is None else {p: self.sources[p] for p in paths if p in self.sources}
        sources = {path: asdict(source) for path, source in sorted(known.items())}
        return json.dumps({"pending": self.pending, "sources": sources}, indent=1) + "\n"
