"""The events that science is done with: of the wanted energies and grades, outside flares."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, ClassVar

from chandra_runner.quantities import electronvolts
from chandra_runner.stages.stage import Excluded, Job, Need, Product, Settings, Stage

if TYPE_CHECKING:
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.fits.gti import GoodTimes
    from chandra_runner.native.event_selection import Selection


def native(job: Job) -> None:
    """Filter the level-2 events of every exposure that has good time left."""
    _clean_exposures(job, lambda product, events, good: _clean(job, product, events, good))


def ciao(job: Job) -> None:
    """The same, with CIAO's dmcopy."""
    from .ciao import clean_with_ciao

    _clean_exposures(job, lambda product, events, _: clean_with_ciao(job, product, events))


def _clean_exposures(job: Job, work: Callable[[Product, EventFile, GoodTimes], None]) -> None:
    """Do the work for each exposure that has good time left."""
    for product in job.all("events", "chandra_repro"):
        _clean_exposure(job, product, work)
    if not job.products:
        raise Excluded("no exposure has good time left")


def _clean_exposure(
    job: Job, product: Product, work: Callable[[Product, EventFile, GoodTimes], None]
) -> None:
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.level2 import read_good_times

    exposure = product.exposure
    flare_free = job.find("gti", "deflare", exposure)
    if flare_free is None:
        job.warn("deflare found no good time, nothing is made of it", exposure)
        return
    with EventFile.open(product.path) as events:
        good_times = events.good_times.intersect(read_good_times(flare_free))
        if not any(gti.total() for gti in good_times.by_chip.values()):
            job.warn("no good time is left, nothing is made of it", exposure)
            return
        for limit in _limits(events, job.settings):
            job.warn(limit, exposure)
        work(product, events, good_times)


def _clean(job: Job, product: Product, events: EventFile, good_times: GoodTimes) -> None:
    from chandra_runner.native.event_selection import HeaderUpdate, select_events

    exposure = product.exposure
    selection = _selection(events, good_times, job.settings)
    stem = product.path.name.partition("_repro_")[0]
    target = job.output(f"{stem}_clean_evt2.fits", "events", exposure)
    imprint = HeaderUpdate(
        (f"cleaned_chandra_evts (native): {product.path.name}, {selection}",), events.dtcor
    )
    report = select_events(events, target, selection, imprint)
    job.log(str(report), exposure)
    if events.instrument == "HRC" and report.taken["status"]:
        taken = report.taken["status"]
        job.warn(f"status_zero took {taken} events that HRC's level 2 lets through", exposure)


def _limits(events: EventFile, settings: Settings) -> Iterator[str]:
    """What was asked for and does not apply to these events."""
    from chandra_runner.native.level2 import GRADES

    if settings["status_zero"] and not events.status_mask(1):
        yield f"status_zero is not applied, {events.path.name} has no column status"
    if events.instrument == "HRC":
        if settings["lo_en"] is not None:
            yield "HRC events have no energies, lo_en and hi_en are not used"
        return
    dropped = sorted(set(settings["allowed_grades"]) - set(GRADES))
    if dropped:
        yield f"allowed_grades: chandra_repro has dropped grade {', '.join(map(str, dropped))} already"


def _selection(events: EventFile, good_times: GoodTimes, settings: Settings) -> Selection:
    from chandra_runner.native.event_selection import ANY_STATUS, Selection

    status = events.status_mask(ANY_STATUS) if settings["status_zero"] else 0
    if events.instrument == "HRC":
        return Selection(good_times, status)
    return Selection(good_times, status, tuple(settings["allowed_grades"]), _energy(settings))


def _energy(settings: Settings) -> tuple[float, float] | None:
    """Energies that are kept, eV; None: all."""
    if settings["lo_en"] is None:
        return None
    return electronvolts(settings["lo_en"]), electronvolts(settings["hi_en"])


class CleanedChandraEvts(Stage):
    """Events inside the quiet good times, of the wanted energies, grades and status."""

    name = "cleaned_chandra_evts"
    needs = (Need("events", "chandra_repro"), Need("gti", "deflare"))
    makes = ("events",)
    executors: ClassVar = {"native": native, "ciao": ciao}


STAGE = CleanedChandraEvts
