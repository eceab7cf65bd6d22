"""Asking the archives for newer versions of the raw data."""

from __future__ import annotations

from chandra_runner.archive.download.archives import open_archive
from chandra_runner.archive.download.file_selection import FileSelection, processing_versions
from chandra_runner.archive.download.refresh import newer_versions
from chandra_runner.archive.errors import ArchiveError
from chandra_runner.stages.updates import UpdateCheck


def find_updates(check: UpdateCheck) -> str:
    """Say which newer raw data the first archive that answers has; empty for none."""
    timeout = float(check.settings.idle_timeout.to_value("s"))
    failed: list[str] = []
    for name in check.archives:
        try:
            files = open_archive(
                name, idle_timeout=timeout, state=check.scratch, scratch=check.scratch
            ).files(check.observation)
        except ArchiveError as error:
            failed.append(f"{name}: {error.message}")
            continue
        found = newer_versions(files, check.raw, FileSelection(check.kinds))
        if not found:
            return ""
        theirs, ours = processing_versions(found.values()), processing_versions(found)
        return f"{name} has {theirs}, this directory has {ours}; use --refresh data to download it"
    return f"could not check for newer data: {'; '.join(failed)}"
