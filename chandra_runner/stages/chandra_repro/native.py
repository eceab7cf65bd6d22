"""Stage chandra_repro with the native engine: level 2 from the archive's own calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes
from chandra_runner.fits.reader import unpack
from chandra_runner.native.event_selection import HeaderUpdate, Selection, select_events
from chandra_runner.native.level2 import (
    level2_selection,
    mean_live_fraction,
    read_good_times,
    sort_events,
    write_level2_gti,
)
from chandra_runner.native.pixel_adjustment import PixelAdjustment, pixel_adjustment
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.stages.job import Job
from chandra_runner.stages.outcome import Excluded
from chandra_runner.stages.product_names import ProductNames

from .companions import KEYWORDS
from .settings import ChandraReproSettings

_AS_ARCHIVED = (
    "energies, gain, CTI correction, bad pixels and boresight are those of the archive's processing; "
    "making them anew needs CIAO and the CALDB"
)
_STREAKED_CHIP = 8
_RANDOM_SEED = 1
_COMPANIONS = {"badpix": "bpix1", "fov": "fov1", "mask": "msk1", "dtf": "dtf1"}
"""Kind of the raw file that a product is a copy of, by role."""
_RENAMED = frozenset({"badpix", "fov"})
"""Roles whose files get the exposure's name, because CIAO's chandra_repro makes new ones."""
_WITHOUT = {
    "asol": "no aspect solution: the dither is reconstructed from the events",
    "badpix": "no bad-pixel file: exposure maps will exclude only columns without events",
    "mask": "no mask file: exposure maps will not include windows",
    "dtf": "no dead-time file: DTCOR is that of the event list",
}
"""What a missing file means, by role."""


def reprocess(job: Job[ChandraReproSettings]) -> None:
    """Make level 2 of every exposure that has good time.

    Raises
    ------
    Excluded
        No exposure has any.
    """
    text = job.need("observation", "prepare_chandra_info").read_text(encoding="utf-8")
    observation = Observation.from_json(text)
    logger.info(_AS_ARCHIVED)
    for exposure in observation.exposures:
        _Reduction(job, observation, exposure).run()
    if not job.products:
        raise Excluded("no exposure has good time")


@dataclass(frozen=True)
class _Reduction:
    """The reduction of one exposure."""

    job: Job[ChandraReproSettings]
    observation: Observation
    exposure: Exposure

    def run(self) -> None:
        source = self.raw("evt1") or self.raw("evt2")
        if not source:
            raise DataError(f"{self.exposure.id} has no event list")
        with EventFile.open(source[0]) as events:
            for note in events.notes:
                self.warn(note)
            good_times = self.good_times(events)
            if not any(gti.total() for gti in good_times.by_chip.values()):
                self.warn("no good time: this exposure has no products")
                return
            for limitation in self.limitations(events, good_times):
                self.warn(limitation)
            self.write(events, good_times)

    @property
    def names(self) -> ProductNames:
        """File names of the products."""
        return ProductNames(self.exposure.stem)

    def raw(self, kind: str) -> tuple[Path, ...]:
        return tuple(self.job.raw / path for path in self.exposure.files.get(kind, ()))

    def warn(self, message: str) -> None:
        self.job.warn(message, self.exposure.id)

    def log(self, message: str) -> None:
        self.job.log(message, self.exposure.id)

    def output(self, name: str, role: str) -> Path:
        return self.job.output(name, role, self.exposure.id)

    def good_times(self, events: EventFile) -> GoodTimes:
        """Return the good times that event list and filter file (flt1) have in common."""
        filters = self.raw("flt1")
        if not filters:
            self.log(f"no flt1 file: good times are those of {events.path.name}")
            return events.good_times
        return events.good_times.intersect(read_good_times(filters[0]))

    def limitations(self, events: EventFile, good_times: GoodTimes) -> Iterator[str]:
        """Yield what was requested but cannot be done for this exposure."""
        settings = self.job.settings
        if settings.destreak and self.raw("evt1") and _STREAKED_CHIP in good_times.by_chip:
            yield "chip 8 is on: only streak events that the archive's processing flagged are removed"
        if settings.grating_pi_filter and self.is_letg_hrc_s():
            yield "grating_pi_filter is not applied: it requires CIAO"
        if settings.check_very_faint and self.is_very_faint() and not _has_islands(events):
            yield f"check_very_faint is not applied: {events.path.name} has no 5 x 5 pixel phas column"
        if settings.pix_adj == "edser" and events.header.get("PIX_ADJ") != "EDSER":
            yield "pix_adj edser requires CIAO and the CALDB: positions are those of the archive"

    def is_letg_hrc_s(self) -> bool:
        return (self.observation.detector, self.observation.grating) == ("HRC-S", "LETG")

    def is_very_faint(self) -> bool:
        return self.observation.datamode == "VFAINT"

    def write(self, events: EventFile, good_times: GoodTimes) -> None:
        """Write all products."""
        companions = self.companions(events)
        very_faint = self.job.settings.check_very_faint and self.is_very_faint() and _has_islands(events)
        selection = level2_selection(events, good_times, very_faint)
        adjustment = self.pixel_adjustment(events, companions)
        update = self.header_update(events, selection, adjustment, companions)
        self.write_events(events, selection, update, adjustment)
        write_level2_gti(
            self.output(self.names.level2_gti, "gti"), events, good_times, update.dtcor, update.history[:1]
        )

    def companions(self, events: EventFile) -> Mapping[str, tuple[Path, ...]]:
        """Copy the files that go with the events, uncompressed; return those that exist by role."""
        sources = {role: self.raw(kind) for role, kind in _COMPANIONS.items()}
        sources["asol"] = self.aspect_files(events)
        copies = {role: tuple(self.copy(role, path) for path in paths) for role, paths in sources.items()}
        for role, message in _WITHOUT.items():
            if not copies[role] and (role != "dtf" or events.instrument == "HRC"):
                self.warn(message)
        return {role: paths for role, paths in copies.items() if paths}

    def aspect_files(self, events: EventFile) -> tuple[Path, ...]:
        """Return the aspect solution files.

        Without guide stars only the solution made on board exists, which CIAO then uses.
        """
        on_board = str(events.header.get("ASPTYPE", "KALMAN")).strip() != "KALMAN"
        return self.raw("asol1") or (self.raw("osol1") if on_board else ())

    def copy(self, role: str, source: Path) -> Path:
        name = source.name.removesuffix(".gz")
        if role in _RENAMED:
            name = self.names.remade(_COMPANIONS[role])
            self.log(f"{name} is the archive's {source.name}")
        target = self.output(name, role)
        if not target.exists():  # interleaved exposures share their aspect solution
            unpack(source, target)
        return target

    def pixel_adjustment(
        self, events: EventFile, companions: Mapping[str, tuple[Path, ...]]
    ) -> PixelAdjustment | None:
        """Return how positions are computed again, where that was requested and is possible."""
        wanted = self.job.settings.pix_adj
        if wanted not in ("none", "randomize"):
            self.log(
                f"positions are those of the archive (PIX_ADJ {events.header.get('PIX_ADJ', 'unknown')})"
            )
            return None
        if "asol" not in companions:
            self.warn(f"pix_adj {wanted} requires an aspect solution: positions are those of the archive")
            return None
        if self.observation.readmode == "CONTINUOUS":
            self.warn(
                f"pix_adj {wanted} does not apply to continuous clocking: positions are those of the archive"
            )
            return None
        self.log(f"pix_adj {wanted}: positions are computed again from chip coordinates and aspect solution")
        return pixel_adjustment(events, companions["asol"], _RANDOM_SEED if wanted == "randomize" else None)

    def header_update(
        self,
        events: EventFile,
        selection: Selection,
        adjustment: PixelAdjustment | None,
        companions: Mapping[str, tuple[Path, ...]],
    ) -> HeaderUpdate:
        """Return the changes to the event list's header."""
        keywords: dict[str, object] = {
            "CONTENT": "EVT2",
            "HDUCLAS2": "ACCEPTED",
            "FLTFILE": self.names.level2_gti,
        }
        for role, keyword in KEYWORDS.items():
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
        """Return DTCOR: for HRC the mean of the dead-time file, else that of the event list."""
        if not dtf or events.instrument != "HRC":
            return events.dtcor
        mean = mean_live_fraction(dtf[0], good_times.first)
        if mean is None:
            self.warn(f"{dtf[0].name} has no rows inside the good times: DTCOR is that of the event list")
        return events.dtcor if mean is None else mean

    def write_events(
        self,
        events: EventFile,
        selection: Selection,
        update: HeaderUpdate,
        adjustment: PixelAdjustment | None,
    ) -> None:
        """Write the event list, sorted by time."""
        target = self.output(self.names.level2_events, "events")
        report = select_events(events, target, selection, update, adjustment)
        self.log(f"{events.path.name}: {report}")
        if not report.in_order:
            unsorted = target.rename(self.job.scratch / target.name)
            sort_events(unsorted, target)
            unsorted.unlink()


def _has_islands(events: EventFile) -> bool:
    """Return whether the events have pulse heights of 5 x 5 pixels, which VFAINT cleaning requires."""
    return "phas" in (events.dtype.names or ()) and events.dtype["phas"].shape == (25,)
