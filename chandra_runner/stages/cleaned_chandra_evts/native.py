"""Stage cleaned_chandra_evts with the native engine."""

from __future__ import annotations

from chandra_runner.fits.carried_keywords import COMPANION_FILES
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
    update = HeaderUpdate((history,), events.dtcor, _companion_files(events))
    report = select_events(events, target, selection, update)
    job.log(str(report), exposure)
    if events.instrument == "HRC" and report.dropped["status"]:
        warn_of_status_bits(job, exposure, report.dropped["status"])


def _companion_files(events: EventFile) -> dict[str, str]:
    """Return the names of the files beside the events as they are seen from this stage's directory."""
    directory = events.path.parent

    def seen_from_here(name: str) -> str:
        return f"../{directory.name}/{name}" if name and (directory / name).is_file() else name

    values = {key: str(events.header[key]) for key in COMPANION_FILES if key in events.header}
    return {key: ",".join(map(seen_from_here, value.split(","))) for key, value in values.items()}


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
