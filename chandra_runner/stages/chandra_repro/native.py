"""Stage chandra_repro with the native engine: level 2 from the archive's own calibration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from loguru import logger

from chandra_runner.errors import DataError
from chandra_runner.fits.checksums import damage_note, damaged_hdus
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes
from chandra_runner.fits.reader import unpack
from chandra_runner.native.aspect import Aspect, read_aspect
from chandra_runner.native.event_selection import UNDEFINED_TIME, HeaderUpdate, Selection, select_events
from chandra_runner.native.level2 import (
    level2_selection,
    mean_live_fraction,
    sort_events,
    write_level2_gti,
)
from chandra_runner.native.level2_good_times import GoodTimeInputs, Level2GoodTimes, level2_good_times
from chandra_runner.native.pixel_adjustment import PixelAdjustment, pixel_adjustment
from chandra_runner.observation.observation import Exposure, Observation
from chandra_runner.stages.job import Job
from chandra_runner.stages.outcome import Excluded
from chandra_runner.stages.product_names import ProductNames

from .companions import KEYWORDS
from .limitations import RECOMPUTED, aspect_content, cleans_very_faint, limitations
from .settings import ChandraReproSettings

_AS_ARCHIVED = (
    "energies, gain, CTI correction, bad pixels and boresight are those of the archive's processing; "
    "making them anew needs CIAO and the CALDB"
)
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
            raise DataError(self.job.about(self.exposure.id, "there is no event list"))
        with EventFile.open(source[0], check_datasum=True) as events:
            asol = self.aspect_files(events)
            aspect = read_aspect(asol) if asol else None
            good = self.good_times(events, aspect)
            for warning in (*events.notes, *self.damage(), *good.warnings):
                self.warn(warning)
            if not any(gti.total() for gti in good.good_times.by_chip.values()):
                self.warn("no good time: this exposure has no products")
                return
            self.write(events, good, asol, aspect)

    @property
    def names(self) -> ProductNames:
        """File names of the products."""
        return ProductNames(self.exposure.stem)

    @property
    def has_level_1(self) -> bool:
        """Whether level 2 is made from level 1, not from the archive's level 2."""
        return bool(self.raw("evt1"))

    def raw(self, kind: str) -> tuple[Path, ...]:
        return tuple(self.job.raw / path for path in self.exposure.files.get(kind, ()))

    def warn(self, message: str) -> None:
        self.job.warn(message, self.exposure.id)

    def log(self, message: str) -> None:
        self.job.log(message, self.exposure.id)

    def output(self, name: str, role: str) -> Path:
        return self.job.output(name, role, self.exposure.id)

    def damage(self) -> Iterator[str]:
        """Yield which of the files that go with the events do not match their checksums."""
        for kind in (*_COMPANIONS.values(), "asol1", "flt1", "stat1"):
            for path in self.raw(kind):
                if names := damaged_hdus(path):
                    yield damage_note(path, *names)

    def good_times(self, events: EventFile, aspect: Aspect | None) -> Level2GoodTimes:
        """Return the good times of level 2; those of continuous clocking and HRC have no frames."""
        filters, statistics = (next(iter(self.raw(kind)), None) for kind in ("flt1", "stat1"))
        if filters is None:
            self.log(f"no flt1 file: good times are those of {events.path.name}")
        if events.instrument != "ACIS" or self.observation.readmode == "CONTINUOUS":
            statistics = None
        elif statistics is None:
            self.log("no stat1 file: good times are not aligned with exposure frames")
        inputs = GoodTimeInputs(filters, statistics, aspect)
        return level2_good_times(events, inputs, level_1=self.has_level_1)

    def write(
        self, events: EventFile, good: Level2GoodTimes, asol: tuple[Path, ...], aspect: Aspect | None
    ) -> None:
        """Write all products."""
        settings = self.job.settings
        not_done = tuple(limitations(settings, self.observation, events, asol, level_1=self.has_level_1))
        for limitation in not_done:
            self.warn(limitation)
        companions = self.companions(events, asol)
        very_faint = cleans_very_faint(settings, self.observation, events)
        selection = level2_selection(events, good.good_times, very_faint)
        adjustment = self.pixel_adjustment(events, aspect)
        keywords = self.keywords(events, selection, adjustment, companions)
        history = (
            f"chandra_repro (native): level 2 of {events.path.name}, {selection}",
            *good.history,
            *not_done,
            _AS_ARCHIVED,
        )
        dtcor = self.live_fraction(events, good.good_times, companions.get("dtf", ()))
        self.write_events(events, selection, HeaderUpdate(history, dtcor, keywords), adjustment)
        gti = self.output(self.names.level2_gti, "gti")
        write_level2_gti(gti, events, good.good_times, dtcor, (history[0], *good.history))

    def companions(self, events: EventFile, asol: tuple[Path, ...]) -> Mapping[str, tuple[Path, ...]]:
        """Copy the files that go with the events, uncompressed; return those that exist by role."""
        sources = {role: self.raw(kind) for role, kind in _COMPANIONS.items()} | {"asol": asol}
        copies = {role: tuple(self.copy(role, path) for path in paths) for role, paths in sources.items()}
        for role, message in _WITHOUT.items():
            if not copies[role] and (role != "dtf" or events.instrument == "HRC"):
                self.warn(message)
        return {role: paths for role, paths in copies.items() if paths}

    def aspect_files(self, events: EventFile) -> tuple[Path, ...]:
        """Return the aspect solution files.

        Where the archive has a solution of the whole interval besides those of its parts, CIAO uses the
        former. Without guide stars only the solution made on board exists, which CIAO then uses.
        """
        on_board = str(events.header.get("ASPTYPE", "KALMAN")).strip() != "KALMAN"
        files = self.raw("asol1") or (self.raw("osol1") if on_board else ())
        whole = tuple(path for path in files if aspect_content(path) == "ASPSOLOBI")
        return whole or files

    def copy(self, role: str, source: Path) -> Path:
        name = source.name.removesuffix(".gz")
        if role in _RENAMED:
            name = self.names.remade(_COMPANIONS[role])
            self.log(f"{name} is the archive's {source.name}")
        target = self.output(name, role)
        if not target.exists():  # interleaved exposures share their aspect solution
            unpack(source, target)
        return target

    def pixel_adjustment(self, events: EventFile, aspect: Aspect | None) -> PixelAdjustment | None:
        """Return how positions are computed again, where that was requested and is possible."""
        wanted = self.job.settings.pix_adj
        if wanted not in RECOMPUTED or aspect is None or self.observation.readmode == "CONTINUOUS":
            self.log(
                f"positions are those of the archive (PIX_ADJ {events.header.get('PIX_ADJ', 'unknown')})"
            )
            return None
        self.log(f"pix_adj {wanted}: positions are computed again from chip coordinates and aspect solution")
        return pixel_adjustment(events, aspect, _RANDOM_SEED if wanted == "randomize" else None)

    def keywords(
        self,
        events: EventFile,
        selection: Selection,
        adjustment: PixelAdjustment | None,
        companions: Mapping[str, tuple[Path, ...]],
    ) -> Mapping[str, object]:
        """Return the keywords of the event list that change."""
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
        return keywords

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
        if undefined := report.dropped.get(UNDEFINED_TIME):
            self.warn(f"{undefined} events of {events.path.name} have no time and are dropped")
        if not report.in_order:
            unsorted = target.rename(self.job.scratch / target.name)
            sort_events(unsorted, target)
            unsorted.unlink()
