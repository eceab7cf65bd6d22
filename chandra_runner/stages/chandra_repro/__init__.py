"""Level-2 events of each exposure, with their good times and the files that go with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from loguru import logger

from chandra_runner.errors import DataError
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.stages.stage import Excluded, Job, Need, Stage

if TYPE_CHECKING:
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.fits.gti import GoodTimes
    from chandra_runner.native.event_selection import HeaderUpdate, Selection
    from chandra_runner.native.pixel_adjustment import PixelAdjustment

_AS_ARCHIVED = (
    "energies, gain, CTI correction, bad pixels and boresight are those of the archive's processing; "
    "making them anew needs CIAO and the CALDB"
)
_STREAKED_CHIP = 8
_RANDOM_SEED = 1
_COMPANIONS = {"badpix": "bpix1", "fov": "fov1", "mask": "msk1", "dtf": "dtf1"}
"""Kind of the raw file that becomes a product, by role."""
_RENAMED = frozenset({"badpix", "fov"})
"""Roles whose files carry the exposure's name, as chandra_repro makes them anew."""
_LINKS = {"asol": "ASOLFILE", "badpix": "BPIXFILE", "mask": "MASKFILE", "dtf": "DTFFILE"}
"""Keywords of EVENTS that name other products, by role."""
_WITHOUT = {
    "asol": "no aspect solution: the dither has to be taken from the events",
    "badpix": "no bad-pixel file: of bad pixels, exposure maps will know only columns without events",
    "mask": "no mask file: exposure maps will not know of windows",
    "dtf": "no dead-time file: DTCOR stays that of the event list",
}
"""What a user should know of a missing file, by role."""


def native(job: Job) -> None:
    """Make level 2 of every exposure that has good time."""
    text = job.need("observation", "prepare_chandra_info").read_text(encoding="utf-8")
    observation = Observation.from_json(text)
    logger.info(_AS_ARCHIVED)
    for exposure in observation.exposures:
        _Reduction(job, observation, exposure).run()
    if not job.products:
        raise Excluded("no exposure has good time")


def ciao(job: Job) -> None:
    """The same, with CIAO's chandra_repro, which also redoes gain, CTI, bad pixels and boresight."""
    from .ciao import reprocess_with_ciao

    reprocess_with_ciao(job)


@dataclass(frozen=True)
class _Reduction:
    """Makes the products of one exposure."""

    job: Job
    observation: Observation
    exposure: Exposure

    def run(self) -> None:
        from chandra_runner.fits.event_file import EventFile

        source = self.raw("evt1") or self.raw("evt2")
        if not source:
            raise DataError(f"{self.exposure.id} has no event list")
        with EventFile.open(source[0]) as events:
            for note in events.notes:
                self.warn(note)
            good_times = self.good_times(events)
            if not any(gti.total() for gti in good_times.by_chip.values()):
                self.warn("no good time, nothing is made of it")
                return
            for limit in self.limits(events, good_times):
                self.warn(limit)
            self.write(events, good_times)

    def raw(self, kind: str) -> tuple[Path, ...]:
        return tuple(self.job.raw / path for path in self.exposure.files.get(kind, ()))

    def warn(self, message: str) -> None:
        self.job.warn(message, self.exposure.id)

    def log(self, message: str) -> None:
        self.job.log(message, self.exposure.id)

    def output(self, name: str, role: str) -> Path:
        return self.job.output(name, role, self.exposure.id)

    def good_times(self, events: EventFile) -> GoodTimes:
        """Good times of the event list that the filter file (flt1) takes for good, too."""
        from chandra_runner.native.level2 import read_good_times

        filters = self.raw("flt1")
        if not filters:
            self.log(f"no flt1 file: good times are those of {events.path.name}")
            return events.good_times
        return events.good_times.intersect(read_good_times(filters[0]))

    def limits(self, events: EventFile, good_times: GoodTimes) -> Iterator[str]:
        """What was asked for and cannot be done to this exposure."""
        settings = self.job.settings
        if settings["destreak"] and self.raw("evt1") and _STREAKED_CHIP in good_times.by_chip:
            yield "chip 8 is on: only those streak events go that the archive's processing flagged"
        if settings["grating_pi_filter"] and self.is_letg_hrc_s():
            yield "grating_pi_filter is not applied, it needs CIAO"
        if settings["check_very_faint"] and self.is_very_faint() and not _has_islands(events):
            yield f"check_very_faint is not done: {events.path.name} has no phas of 5 x 5 pixels"
        if settings["pix_adj"] == "edser" and events.header.get("PIX_ADJ") != "EDSER":
            yield "pix_adj edser needs CIAO and the CALDB: positions stay those of the archive"

    def is_letg_hrc_s(self) -> bool:
        return (self.observation.detector, self.observation.grating) == ("HRC-S", "LETG")

    def is_very_faint(self) -> bool:
        return self.observation.datamode == "VFAINT"

    def write(self, events: EventFile, good_times: GoodTimes) -> None:
        """Write all products."""
        from chandra_runner.native.level2 import level2_selection, write_level2_gti

        companions = self.companions(events)
        very_faint = self.job.settings["check_very_faint"] and self.is_very_faint() and _has_islands(events)
        selection = level2_selection(events, good_times, very_faint)
        adjustment = self.pixel_adjustment(events, companions)
        flt2 = f"{self.exposure.stem}_repro_flt2.fits"
        imprint = self.imprint(events, selection, adjustment, companions, flt2)
        self.write_events(events, selection, imprint, adjustment)
        write_level2_gti(self.output(flt2, "gti"), events, good_times, imprint.dtcor, imprint.history[:1])

    def companions(self, events: EventFile) -> Mapping[str, tuple[Path, ...]]:
        """Copy the files that go with the events, unpacked; those that are there by role."""
        sources = {role: self.raw(kind) for role, kind in _COMPANIONS.items()}
        sources["asol"] = self.aspect_files(events)
        copies = {role: tuple(self.copy(role, path) for path in paths) for role, paths in sources.items()}
        for role, message in _WITHOUT.items():
            if not copies[role] and (role != "dtf" or events.instrument == "HRC"):
                self.warn(message)
        return {role: paths for role, paths in copies.items() if paths}

    def aspect_files(self, events: EventFile) -> tuple[Path, ...]:
        """The aspect solution; without guide stars there is only the one made on board, as CIAO takes it."""
        on_board = str(events.header.get("ASPTYPE", "KALMAN")).strip() != "KALMAN"
        return self.raw("asol1") or (self.raw("osol1") if on_board else ())

    def copy(self, role: str, source: Path) -> Path:
        from chandra_runner.fits.reader import unpack

        name = source.name.removesuffix(".gz")
        if role in _RENAMED:
            name = f"{self.exposure.stem}_repro_{_COMPANIONS[role]}.fits"
            self.log(f"{name} is the archive's {source.name}")
        target = self.output(name, role)
        if not target.exists():  # interleaved exposures share their aspect solution
            unpack(source, target)
        return target

    def pixel_adjustment(
        self, events: EventFile, companions: Mapping[str, tuple[Path, ...]]
    ) -> PixelAdjustment | None:
        """New positions, where they were asked for and can be made."""
        from chandra_runner.native.pixel_adjustment import pixel_adjustment

        wanted = self.job.settings["pix_adj"]
        if wanted not in ("none", "randomize"):
            self.log(f"positions are those of the archive, PIX_ADJ {events.header.get('PIX_ADJ', 'unknown')}")
            return None
        if "asol" not in companions:
            self.warn(f"pix_adj {wanted} is not done without aspect solution: positions stay the archive's")
            return None
        if self.observation.readmode == "CONTINUOUS":
            self.warn(f"pix_adj {wanted} is not done in continuous clocking: positions stay the archive's")
            return None
        self.log(f"pix_adj {wanted}: positions are made anew from chip coordinates and aspect solution")
        return pixel_adjustment(events, companions["asol"], _RANDOM_SEED if wanted == "randomize" else None)

    def imprint(
        self,
        events: EventFile,
        selection: Selection,
        adjustment: PixelAdjustment | None,
        companions: Mapping[str, tuple[Path, ...]],
        flt2: str,
    ) -> HeaderUpdate:
        """What the new event list's header says."""
        from chandra_runner.native.event_selection import HeaderUpdate

        keywords: dict[str, object] = {"CONTENT": "EVT2", "HDUCLAS2": "ACCEPTED", "FLTFILE": flt2}
        for role, keyword in _LINKS.items():
            if role in companions or keyword in events.header:
                keywords[keyword] = ",".join(path.name for path in companions.get(role, ())) or "NONE"
        if adjustment is not None:
            keywords.update(adjustment.keywords())
        if selection.very_faint:
            keywords["CHKVFPHA"] = True
        dtcor = self.live_fraction(events, selection.good_times, companions.get("dtf", ()))
        history = (f"chandra_repro (native): level 2 of {events.path.name}, {selection}", _AS_ARCHIVED)
        return HeaderUpdate(history, dtcor, keywords)

    def live_fraction(self, events: EventFile, good_times: GoodTimes, dtf: tuple[Path, ...]) -> float:
        """DTCOR: of HRC the mean in the dead-time file, else that of the event list."""
        from chandra_runner.native.level2 import mean_live_fraction

        if not dtf or events.instrument != "HRC":
            return events.dtcor
        mean = mean_live_fraction(dtf[0], good_times.first)
        if mean is None:
            self.warn(f"{dtf[0].name} says nothing of the good times: DTCOR stays that of the event list")
        return events.dtcor if mean is None else mean

    def write_events(
        self,
        events: EventFile,
        selection: Selection,
        imprint: HeaderUpdate,
        adjustment: PixelAdjustment | None,
    ) -> None:
        """Write the event list, in order of time."""
        from chandra_runner.native.event_selection import select_events
        from chandra_runner.native.level2 import sort_events

        target = self.output(f"{self.exposure.stem}_repro_evt2.fits", "events")
        report = select_events(events, target, selection, imprint, adjustment)
        self.log(f"{events.path.name}: {report}")
        if not report.in_order:
            unsorted = target.rename(self.job.scratch / target.name)
            sort_events(unsorted, target)
            unsorted.unlink()


def _has_islands(events: EventFile) -> bool:
    """Whether there are pulse heights of 5 x 5 pixels."""
    return "phas" in (events.dtype.names or ()) and events.dtype["phas"].shape == (25,)


class ChandraRepro(Stage):
    """Level-2 events: good status, grade and time, with exposure keywords that agree."""

    name = "chandra_repro"
    needs = (Need("raw", "download"), Need("observation", "prepare_chandra_info"))
    makes = ("events", "gti", "badpix", "fov", "mask", "asol", "dtf")
    raw = frozenset(
        {"evt1", "evt2", "flt1", "bpix1", "asol1", "osol1", "msk1", "fov1", "dtf1"}
        | {"mtl1", "stat1", "pbk0", "bias0"}  # CIAO alone reads these
    )
    executors: ClassVar = {"native": native, "ciao": ciao}


STAGE = ChandraRepro
