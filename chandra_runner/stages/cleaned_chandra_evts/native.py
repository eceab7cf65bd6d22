"""Stage cleaned_chandra_evts with the native engine."""

from __future__ import annotations

from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes
from chandra_runner.native.event_selection import ANY_STATUS, HeaderUpdate, Selection, select_events
from chandra_runner.quantities import electronvolts
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.product_names import ProductNames

from .exposures import clean_exposures, warn_of_status_bits
from .settings import CleanedChandraEvtsSettings


def clean_events(job: Job[CleanedChandraEvtsSettings]) -> None:
    """Select the events of every exposure that has good time left."""
    clean_exposures(job, _clean_exposure)


def _clean_exposure(
    job: Job[CleanedChandraEvtsSettings], product: Product, events: EventFile, good_times: GoodTimes
) -> None:
    exposure = product.exposure
    selection = _selection(events, good_times, job.settings)
    names = ProductNames.of_events(product.path.name)
    target = job.output(names.cleaned_events, "events", exposure)
    history = f"cleaned_chandra_evts (native): {product.path.name}, {selection}"
    report = select_events(events, target, selection, HeaderUpdate((history,), events.dtcor))
    job.log(str(report), exposure)
    if events.instrument == "HRC" and report.dropped["status"]:
        warn_of_status_bits(job, exposure, report.dropped["status"])


def _selection(events: EventFile, good_times: GoodTimes, settings: CleanedChandraEvtsSettings) -> Selection:
    status = events.status_mask(ANY_STATUS) if settings.status_zero else 0
    if events.instrument == "HRC":
        return Selection(good_times, status)
    return Selection(good_times, status, tuple(settings.allowed_grades), _energy_range(settings))


def _energy_range(settings: CleanedChandraEvtsSettings) -> tuple[float, float] | None:
    """Return the energies that are kept, eV; None for all."""
    if settings.lo_en is None:
        return None
    return electronvolts(settings.lo_en), electronvolts(settings.hi_en)
