"""Cleaned events with CIAO's dmcopy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.ciao.commands import Cleaning, clean
from chandra_runner.errors import DataError
from chandra_runner.stages.ciao_session import ciao_session, keep
from chandra_runner.stages.stage import Job, Product

if TYPE_CHECKING:
    from chandra_runner.fits.event_file import EventFile


def cleaning_names(events: str, gti: str) -> Cleaning:
    """File names of an exposure."""
    stem = events.partition("_repro_")[0]
    return Cleaning(events, gti, f"{stem}_filtered_evt2.fits", f"{stem}_clean_evt2.fits")


def clean_with_ciao(job: Job, product: Product, events: EventFile) -> None:
    """Filter the events of one exposure."""
    gti = job.need("gti", "deflare", product.exposure)
    names = cleaning_names(product.path.name, gti.name)
    hrc, status = events.instrument == "HRC", bool(events.status_mask(1))
    calls = clean(names, job.settings, hrc=hrc, status=status)
    try:
        with ciao_session(job, product.exposure) as session:
            session.place({names.events: product.path, names.gti: gti})
            session.run(calls[:1])
            left = _rows(session.made(names.filtered, "dmcopy"))
            session.run(calls[1:])
            made = session.made(names.cleaned, "dmcopy")
            keep(made, job.output(names.cleaned, "events", product.exposure))
    except DataError as error:
        raise DataError(f"{product.exposure}: {error.message}", error.hint) from error
    job.log(f"{left} of {events.nrows} events are left by the cuts", product.exposure)
    if hrc and left < events.nrows:
        taken = events.nrows - left
        job.warn(f"status_zero took {taken} events that HRC's level 2 lets through", product.exposure)


def _rows(path: Path) -> int:
    from chandra_runner.fits.header import read_header

    return int(read_header(path, "EVENTS")["NAXIS2"])
