"""What both executors of the image stages share: which exposures have images, and their companion files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.field_of_view import Companions
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.outcome import Excluded


def image_exposures(job: Job[Any], make: Callable[[Product, EventFile], None]) -> None:
    """Make the images of each exposure that can have any.

    Parameters
    ----------
    job : Job
        The task.
    make : callable
        Makes the images of one exposure from its cleaned event list.

    Raises
    ------
    Excluded
        No exposure can have an image.
    """
    for product in job.all("events", "cleaned_chandra_evts"):
        try:
            with EventFile.open(product.path) as events:
                if str(events.header.get("READMODE", "")).strip() == "CONTINUOUS":
                    job.warn("continuous clocking has no image", product.exposure)
                else:
                    make(product, events)
        except DataError as error:
            raise DataError(job.about(product.exposure, error.message), error.hint) from error
    if not job.products:
        raise Excluded("continuous clocking has no image, because one dimension is lost")


def companions(job: Job[Any], exposure: str) -> Companions:
    """Return the files that go with the events of an exposure."""
    asol = tuple(p.path for p in job.all("asol", "chandra_repro") if p.exposure == exposure)
    others = (job.find(role, "chandra_repro", exposure) for role in ("badpix", "mask", "fov", "dtf"))
    return Companions(asol, *others)
