"""Stage chandra_repro with CIAO's chandra_repro."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chandra_runner.ciao.session import Session
from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.observation.raw_files import list_files
from chandra_runner.stages.ciao_session import ciao_session, take
from chandra_runner.stages.job import Job
from chandra_runner.stages.outcome import Excluded
from chandra_runner.stages.product_names import ProductNames

from .ciao_commands import output_directory, pixel_adjustment, reprocess_calls
from .ciao_inputs import INPUT, input_files, missing_kinds
from .companions import KEYWORDS
from .settings import ChandraReproSettings

_ENDINGS = {
    "gti": "flt2",
    "badpix": "bpix1",
    "fov": "fov1",
    "mask": "msk1",
    "asol": "asol1",
    "dtf": "dtf1",
}
"""Last part of a file's name, by role, for files that the event list does not name."""
_WITHOUT = {
    "asol": "no aspect solution: images cannot be made",
    "badpix": "no bad-pixel file: exposure maps will include bad pixels",
    "mask": "no mask file: exposure maps will not include windows",
}
_ARCHIVED = re.compile(r"_(?:bias0|mtl1|stat1|pbk0|bpix1|fov1|evt1)\.fits$")
"""Copies of the archive's files and intermediate files, which are not kept."""


def reprocess(job: Job[ChandraReproSettings]) -> None:
    """Make level 2 of every exposure that has good time.

    Raises
    ------
    Excluded
        No exposure has any.
    """
    text = job.need("observation", "prepare_chandra_info").read_text(encoding="utf-8")
    observation = Observation.from_json(text)
    paths = list_files(job.raw)
    _require(job, observation, paths)
    requested = job.settings.pix_adj
    applied = pixel_adjustment(observation, requested)
    if requested != "default" and applied != requested:
        job.warn(f"pix_adj {requested} does not apply to {observation.detector}; {applied} is used")
    with ciao_session(job) as session:
        session.place({name: job.raw / path for name, path in input_files(observation, paths).items()})
        session.run(reprocess_calls(observation, job.settings))
        for exposure in observation.exposures:
            _ProductCollection(job, session, observation, exposure).run()
    if not job.products:
        raise Excluded("no exposure has good time")


def _require(job: Job[ChandraReproSettings], observation: Observation, paths: tuple[str, ...]) -> None:
    for exposure in observation.exposures:
        if not exposure.files.get("evt1"):
            raise DataError(
                job.about(exposure.id, "there are no level-1 events, which CIAO's chandra_repro requires"),
                "use engine: native, which can start from level 2",
            )
        kinds = ", ".join(missing_kinds(observation, exposure, paths))
        if kinds:
            message = job.about(exposure.id, f"files that chandra_repro requires are missing: {kinds}")
            raise DataError(message, "download them, or use engine: native")


@dataclass(frozen=True)
class _ProductCollection:
    """Collects the products of one exposure from where chandra_repro wrote them."""

    job: Job[ChandraReproSettings]
    session: Session
    observation: Observation
    exposure: Exposure

    def run(self) -> None:
        made = self.session.made(
            f"{self.directory}/{ProductNames(self.exposure.stem).level2_events}", "chandra_repro"
        )
        with EventFile.open(made) as events:
            links = {role: str(events.header.get(key, "")) for role, key in KEYWORDS.items()}
            if not any(gti.total() for gti in events.good_times.by_chip.values()):
                self.job.warn("no good time: this exposure has no products", self.exposure.id)
                return
        self.take(made, "events")
        for role, ending in _ENDINGS.items():
            found = self.linked(links.get(role, "")) or self.ending(ending)
            for path in found:
                self.take(path, role)
            if not found and role in _WITHOUT:
                self.job.warn(_WITHOUT[role], self.exposure.id)
            self.check_link(role, links.get(role, ""))
        for path in self.others():
            self.take(path, _role(path))

    @property
    def directory(self) -> str:
        """Where chandra_repro wrote them, relative to the session's directory."""
        return output_directory(self.observation, self.exposure)

    @property
    def search_path(self) -> tuple[Path, ...]:
        """Directories that can hold companion files: chandra_repro leaves some of them among its input."""
        below = (self.directory, f"{INPUT}/primary", f"{INPUT}/secondary", f"{INPUT}/secondary/aspect")
        return tuple(self.session.directory / place for place in below)

    def linked(self, names: str) -> tuple[Path, ...]:
        """Return the files that a keyword names, in its order; none if one of them is missing."""
        found = [self.find(name) for name in _names(names)]
        return tuple(path for path in found if path) if all(found) else ()

    def find(self, name: str) -> Path | None:
        """Return a file by its name; exposures can share one, which may already be among the products."""
        candidates = (self.job.directory, *self.search_path)
        return next((place / name for place in candidates if (place / name).is_file()), None)

    def ending(self, kind: str) -> tuple[Path, ...]:
        """Return the files of a kind: those that chandra_repro made, otherwise those of the archive."""
        for place in (*self.search_path, self.job.directory):
            files = [path for path in sorted(place.glob(f"*_{kind}.fits")) if self.is_own(path)]
            made = [path for path in files if "_repro_" in path.name]
            if made or files:
                return tuple(made or files)
        return ()

    def is_own(self, path: Path) -> bool:
        """Return whether a file belongs to this exposure, not to another one in the same directory."""
        others = [exposure for exposure in self.observation.exposures if exposure != self.exposure]
        return not any(path.name.startswith(other.stem) or _tag(other) in path.name for other in others)

    def take(self, path: Path, role: str) -> None:
        """Make a file a product; one that exposures share may already be there."""
        below = self.session.directory / self.directory
        name = path.relative_to(below).as_posix() if path.is_relative_to(below) else path.name
        target = self.job.output(name, role, self.exposure.id)
        if not target.exists():
            take(path, target)

    def others(self) -> Iterator[Path]:
        """Yield other useful results: spectra, responses and event orders of gratings, statistics."""
        below = self.session.directory / self.directory
        for path in sorted(below.rglob("*.*")):
            kept = path.suffix in (".fits", ".arf", ".rmf", ".pha")
            if path.is_file() and kept and not _ARCHIVED.search(path.name) and self.is_own(path):
                yield path

    def check_link(self, role: str, names: str) -> None:
        """Warn where the event list names a file that is not among the products."""
        lost = [name for name in _names(names) if not (self.job.directory / name).is_file()]
        if lost:
            key = KEYWORDS[role]
            self.job.warn(
                f"{key} of the events names {', '.join(lost)}, which chandra_repro did not make",
                self.exposure.id,
            )


def _names(text: str) -> tuple[str, ...]:
    """Return the file names in a keyword: separated by commas, some with a directory."""
    names = (name.strip().rpartition("/")[2].removesuffix(".gz") for name in text.split(","))
    return tuple(name for name in names if name and name.upper() != "NONE")


def _tag(exposure: Exposure) -> str:
    """Return what identifies an exposure in the archive's file names: ``_e1_``, ``_001N``."""
    return f"_{exposure.id[1:]}N" if exposure.id.startswith("E") else f"_{exposure.id}_"


def _role(path: Path) -> str:
    """Return the role of an additional product: the last part of its name."""
    return path.stem.rpartition("_")[2] if path.suffix == ".fits" else path.suffix.removeprefix(".")
