"""Stage deflare with CIAO's dmextract and deflare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from chandra_runner.ciao.session import ToolError
from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.flares import FlareFilterResult, NoGoodTime
from chandra_runner.native.level2 import read_good_times
from chandra_runner.native.light_curve import LightCurve, read_light_curve
from chandra_runner.stages.ciao_session import ciao_session, take
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.product_names import ProductNames

from .ciao_commands import deflare_call, light_curve_call
from .flare_filter import (
    band_of,
    deflare_exposures,
    draw_light_curve,
    filter_flares,
    summary,
    warn_of_few_counts_or_bins,
)
from .settings import DeflareSettings


def deflare(job: Job[DeflareSettings]) -> None:
    """Make light curve, good times and plot of each exposure."""
    deflare_exposures(job, _deflare_exposure)


def _deflare_exposure(job: Job[DeflareSettings], product: Product) -> None:
    exposure, names = product.exposure, ProductNames.of_events(product.path.name)
    with EventFile.open(product.path) as events:
        band = band_of(job, exposure, events)
        with ciao_session(job, exposure) as session:
            session.place({names.level2_events: product.path})
            session.run([light_curve_call(names, job.settings, hrc=band is None)])
            made = session.made(names.light_curve, "dmextract")
            curve = read_light_curve(made)
            warn_of_few_counts_or_bins(job, exposure, curve)
            try:
                session.run([deflare_call(names, job.settings)])
            except ToolError as error:
                raise _reason_of_failure(curve, job, error) from error
            gti = session.made(names.flare_free_gti, "deflare")
            # Before anything becomes a product: an exposure whose filter selects no bin has none.
            result = _filter_result(gti, curve, job)
            take(gti, job.output(names.flare_free_gti, "gti", exposure))
            take(made, job.output(names.light_curve, "lightcurve", exposure))
        text = summary(events, band, result, job.settings)
        job.log(text, exposure)
        plot = job.output(names.light_curve_plot, "plot", exposure)
        draw_light_curve(plot, job.title(exposure), curve, result, events, text)


def _reason_of_failure(curve: LightCurve, job: Job[DeflareSettings], error: ToolError) -> DataError:
    """Return why deflare failed.

    Zero good time is a result, not a failure, but deflare reports it only in words. Whether that is the
    reason follows from the same rules here; any other reason is already in the tool's own message.
    """
    try:
        filter_flares(curve, job.settings)
    except NoGoodTime as no_good_time:
        return no_good_time
    except DataError:
        return error
    return error


def _filter_result(path: Path, curve: LightCurve, job: Job[DeflareSettings]) -> FlareFilterResult:
    """Return the good times that CIAO found, with the limits that the method has."""
    gti = read_good_times(path).first
    return replace(filter_flares(curve, job.settings), gti=gti, good=gti.contains(curve.time))
