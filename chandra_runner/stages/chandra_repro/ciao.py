"""Level-2 events with CIAO's chandra_repro."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from chandra_runner.ciao.commands import INPUT, output_directory, pixel_adjustment, reprocess
from chandra_runner.ciao.input_files import missing, placed
from chandra_runner.ciao.session import Session
from chandra_runner.errors import DataError
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.observation.raw_files import list_files
from chandra_runner.stages.ciao_session import ciao_session, keep
from chandra_runner.stages.stage import Excluded, Job

_LINKED = {"asol": "ASOLFILE", "badpix": "BPIXFILE", "mask": "MASKFILE", "dtf": "DTFFILE"}
"""Keywords of EVENTS by which the event list names its companions, by role."""
_ENDINGS = {
    "gti": "flt2",
    "badpix": "bpix1",
    "fov": "fov1",
    "mask": "msk1",
    "asol": "asol1",
    "dtf": "dtf1",
}
"""End of a file's name, by role, where the event list does not name it."""
_WITHOUT = {
    "asol": "no aspect solution: there can be no images",
    "badpix": "no bad-pixel file: exposure maps will count bad pixels as good",
    "mask": "no mask file: exposure maps will not know of windows",
}
_ARCHIVED = re.compile(r"_(?:bias0|mtl1|stat1|pbk0|bpix1|fov1|evt1)\.fits$")
"""Copies of the archive's files, and steps on the way, that are not worth keeping."""


def reprocess_with_ciao(job: Job) -> None:
    """Make level 2 of every exposure that has good time."""
    text = job.need("observation", "prepare_chandra_info").read_text(encoding="utf-8")
    observation = Observation.from_json(text)
    paths = list_files(job.raw)
    _require(observation, paths)
    if pixel_adjustment(observation, job.settings["pix_adj"]) != job.settings["pix_adj"] != "default":
        job.warn(f"pix_adj {job.settings['pix_adj']} is not for {observation.detector}: default is taken")
    with ciao_session(job) as session:
        session.place({name: job.raw / path for name, path in placed(observation, paths).items()})
        session.run(reprocess(observation, job.settings))
        for exposure in observation.exposures:
            _Harvest(job, session, observation, exposure).run()
    if not job.products:
        raise Excluded("no exposure has good time")


def _require(observation: Observation, paths: tuple[str, ...]) -> None:
    for exposure in observation.exposures:
        if not exposure.files.get("evt1"):
            raise DataError(
                f"{exposure.id} has no level-1 events, with which CIAO's chandra_repro begins",
                "engine: native can begin with level 2",
            )
        kinds = ", ".join(missing(observation, exposure, paths))
        if kinds:
            hint = "fetch them, or use engine: native"
            raise DataError(f"{exposure.id} lacks files that chandra_repro needs: {kinds}", hint)


@dataclass(frozen=True)
class _Harvest:
    """Takes the products of one exposure from where chandra_repro left them."""

    job: Job
    session: Session
    observation: Observation
    exposure: Exposure

    def run(self) -> None:
        from chandra_runner.fits.event_file import EventFile

        made = self.session.made(f"{self.directory}/{self.exposure.stem}_repro_evt2.fits", "chandra_repro")
        with EventFile.open(made) as events:
            links = {role: str(events.header.get(key, "")) for role, key in _LINKED.items()}
            if not any(gti.total() for gti in events.good_times.by_chip.values()):
                self.job.warn("no good time, nothing is made of it", self.exposure.id)
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
            self.take(path, _kind(path))

    @property
    def directory(self) -> str:
        """Where chandra_repro put them, relative to the session's directory."""
        return output_directory(self.observation, self.exposure)

    @property
    def places(self) -> tuple[Path, ...]:
        """Where companions can be: some are only linked to by their names, and stay where they were."""
        below = (self.directory, f"{INPUT}/primary", f"{INPUT}/secondary", f"{INPUT}/secondary/aspect")
        return tuple(self.session.directory / place for place in below)

    def linked(self, names: str) -> tuple[Path, ...]:
        """The files that a keyword names, in the order of the keyword; none where one is not there."""
        found = [self.find(name) for name in _names(names)]
        return tuple(path for path in found if path) if all(found) else ()

    def find(self, name: str) -> Path | None:
        """A file by its name; one that the other exposure has taken already is in its new place."""
        candidates = (self.job.directory, *self.places)
        return next((place / name for place in candidates if (place / name).is_file()), None)

    def ending(self, kind: str) -> tuple[Path, ...]:
        """Files of a kind: what was made anew, else what was there."""
        for place in (*self.places, self.job.directory):
            files = [path for path in sorted(place.glob(f"*_{kind}.fits")) if self.is_own(path)]
            made = [path for path in files if "_repro_" in path.name]
            if made or files:
                return tuple(made or files)
        return ()

    def is_own(self, path: Path) -> bool:
        """Whether a file is of this exposure, and not of another one in the same place."""
        others = [exposure for exposure in self.observation.exposures if exposure != self.exposure]
        return not any(path.name.startswith(other.stem) or _tag(other) in path.name for other in others)

    def take(self, path: Path, role: str) -> None:
        """Make a product of a file; exposures share some, which are there already."""
        below = self.session.directory / self.directory
        name = path.relative_to(below).as_posix() if path.is_relative_to(below) else path.name
        target = self.job.output(name, role, self.exposure.id)
        if not target.exists():
            keep(path, target)

    def others(self) -> Iterator[Path]:
        """What else was made and is of use: spectra, responses and event orders of gratings, statistics."""
        below = self.session.directory / self.directory
        for path in sorted(below.rglob("*.*")):
            kept = path.suffix in (".fits", ".arf", ".rmf", ".pha")
            if path.is_file() and kept and not _ARCHIVED.search(path.name) and self.is_own(path):
                yield path

    def check_link(self, role: str, names: str) -> None:
        """Say so where the event list names a file that is not among the products."""
        lost = [name for name in _names(names) if not (self.job.directory / name).is_file()]
        if lost:
            key = _LINKED[role]
            self.job.warn(
                f"{key} of the events names {', '.join(lost)}, which chandra_repro left out", self.exposure.id
            )


def _names(text: str) -> tuple[str, ...]:
    """File names in a keyword: several are separated by commas, some have a directory."""
    names = (name.strip().rpartition("/")[2].removesuffix(".gz") for name in text.split(","))
    return tuple(name for name in names if name and name.upper() != "NONE")


def _tag(exposure: Exposure) -> str:
    """How the archive's file names tell exposures apart: ``_e1_``, ``_001N``."""
    return f"_{exposure.id[1:]}N" if exposure.id.startswith("E") else f"_{exposure.id}_"


def _kind(path: Path) -> str:
    """Role of a further product: what its name ends with."""
    return path.stem.rpartition("_")[2] if path.suffix == ".fits" else path.suffix.removeprefix(".")
