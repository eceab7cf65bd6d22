"""Stage deflare with the native engine."""

from __future__ import annotations

from pathlib import Path

from chandra_runner.fits.carried_keywords import LIGHT_CURVE_KEYWORDS, carried_keywords
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.flares import write_gti
from chandra_runner.native.light_curve import light_curve, write_light_curve
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.product_names import ProductNames

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
    exposure, settings = product.exposure, job.settings
    names = ProductNames.of_events(product.path.name)
    with EventFile.open(product.path) as events:
        band = band_of(job, exposure, events)
        curve = light_curve(events, settings.time_bin_size.to_value("s"), band)
        result = filter_flares(curve, settings)
        text = summary(events, band, result, settings)
        history = (text, f"rates from {result.min_rate:.6g} to {result.max_rate:.6g} count/s count as quiet")
        job.log("; ".join(history), exposure)
        warn_of_few_counts_or_bins(job, exposure, curve)

        def output(name: str, role: str) -> Path:
            return job.output(name, role, exposure)

        write_light_curve(output(names.light_curve, "lightcurve"), curve, events, band, history)
        carried = carried_keywords(events.header, LIGHT_CURVE_KEYWORDS)
        write_gti(output(names.flare_free_gti, "gti"), result.gti, carried, history)
        draw_light_curve(
            output(names.light_curve_plot, "plot"), job.title(exposure), curve, result, events, text
        )
