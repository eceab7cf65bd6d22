"""What both executors of cleaned_chandra_evts share: which exposures have good time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes
from chandra_runner.native.level2 import GOOD_GRADES, read_good_times
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.outcome import Excluded

from .settings import CleanedChandraEvtsSettings

CleanExposure = Callable[[Job[CleanedChandraEvtsSettings], Product, EventFile, GoodTimes], None]
"""Writes the cleaned event list of one exposure."""


def clean_exposures(job: Job[CleanedChandraEvtsSettings], clean: CleanExposure) -> None:
    """Clean each exposure that has good time left.

    Raises
    ------
    Excluded
        No exposure has any.
    """
    for product in job.all("events", "chandra_repro"):
        _clean_exposure(job, product, clean)
    if not job.products:
        raise Excluded("no exposure has good time left")


def warn_of_status_bits(job: Job[CleanedChandraEvtsSettings], exposure: str, removed: int) -> None:
    """Warn that status_zero removes HRC events that level 2 lets through."""
    job.warn(f"status_zero removed {removed} events that pass the level-2 status filter of HRC", exposure)


def _clean_exposure(job: Job[CleanedChandraEvtsSettings], product: Product, clean: CleanExposure) -> None:
    exposure = product.exposure
    flare_free = job.find("gti", "deflare", exposure)
    if flare_free is None:
        job.warn("deflare found no good time; no cleaned event list is made", exposure)
        return
    with EventFile.open(product.path) as events:
        good_times = events.good_times.intersect(read_good_times(flare_free))
        if not any(gti.total() for gti in good_times.by_chip.values()):
            job.warn("no good time is left; no cleaned event list is made", exposure)
            return
        for setting_without_effect in _settings_without_effect(events, job.settings):
            job.warn(setting_without_effect, exposure)
        clean(job, product, events, good_times)


def _settings_without_effect(events: EventFile, settings: CleanedChandraEvtsSettings) -> Iterator[str]:
    """Yield what was requested but does not apply to these events."""
    if settings.status_zero and not events.status_mask(1):
        yield f"status_zero is not applied: {events.path.name} has no column status"
    if events.instrument == "HRC":
        if settings.lo_en is not None:
            yield "HRC events have no energies; lo_en and hi_en are not used"
        return
    dropped = sorted(set(settings.allowed_grades) - set(GOOD_GRADES))
    if dropped:
        grades = ", ".join(map(str, dropped))
        yield f"allowed_grades: chandra_repro has already removed grade {grades}"
