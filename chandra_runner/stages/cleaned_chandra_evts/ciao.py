"""Stage cleaned_chandra_evts with CIAO's dmcopy."""

from __future__ import annotations

from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.fits.gti import GoodTimes
from chandra_runner.fits.reader import read_header
from chandra_runner.stages.ciao_session import ciao_session, take
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.product_names import ProductNames

from .ciao_commands import filter_call, good_time_call
from .exposures import clean_exposures, warn_of_status_bits
from .settings import CleanedChandraEvtsSettings


def clean_events(job: Job[CleanedChandraEvtsSettings]) -> None:
    """Select the events of every exposure that has good time left."""
    clean_exposures(job, _clean_exposure)


def _clean_exposure(
    job: Job[CleanedChandraEvtsSettings], product: Product, events: EventFile, _: GoodTimes
) -> None:
    names = ProductNames.of_events(product.path.name)
    gti = job.need("gti", "deflare", product.exposure)
    hrc, has_status = events.instrument == "HRC", bool(events.status_mask(1))
    try:
        with ciao_session(job, product.exposure) as session:
            session.place({names.level2_events: product.path, names.flare_free_gti: gti})
            session.run([filter_call(names, job.settings, hrc=hrc, has_status=has_status)])
            left = _number_of_rows(session.made(names.filtered_events, "dmcopy"))
            session.run([good_time_call(names)])
            made = session.made(names.cleaned_events, "dmcopy")
            take(made, job.output(names.cleaned_events, "events", product.exposure))
    except DataError as error:
        raise DataError(job.about(product.exposure, error.message), error.hint) from error
    job.log(f"{left} of {events.nrows} events are left by the cuts", product.exposure)
    if hrc and left < events.nrows:
        warn_of_status_bits(job, product.exposure, events.nrows - left)


def _number_of_rows(path: Path) -> int:
    return int(read_header(path, "EVENTS")["NAXIS2"])
