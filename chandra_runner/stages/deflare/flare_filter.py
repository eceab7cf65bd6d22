"""What both executors of deflare share: filtering a light curve, describing and drawing the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from chandra_runner.errors import DataError
from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.flares import FlareFilterResult, NoGoodTime, clean_mean, clean_sigma, most_dropped
from chandra_runner.native.light_curve import Band, LightCurve
from chandra_runner.plots.light_curve import LightCurveCaption, plot_light_curve
from chandra_runner.quantities import electronvolts
from chandra_runner.stages.job import Job, Product
from chandra_runner.stages.outcome import Excluded

from .settings import DeflareSettings

FEW_BINS = 2
"""If a method can drop at most this many bins, a longer flare may go unnoticed."""


def deflare_exposures(
    job: Job[DeflareSettings], work: Callable[[Job[DeflareSettings], Product], None]
) -> None:
    """Do the work for each exposure.

    An exposure without good time is only a warning, unless no exposure has any.

    Raises
    ------
    Excluded
        No exposure has good time.
    """
    without_good_time = []
    exposures = job.all("events", "chandra_repro")
    for product in exposures:
        try:
            work(job, product)
        except NoGoodTime as error:
            without_good_time.append(job.about(product.exposure, str(error)))
        except DataError as error:
            raise DataError(job.about(product.exposure, error.message), error.hint) from error
    if len(without_good_time) == len(exposures):
        raise Excluded(f"no good time left: {'; '.join(without_good_time)}")
    for reason in without_good_time:
        job.warn(f"{reason}; this exposure is left out")


def band_of(job: Job[DeflareSettings], exposure: str, events: EventFile) -> Band | None:
    """Return the energy band of the light curve, eV; None for HRC, whose events have no energies."""
    if events.instrument == "HRC":
        job.log("HRC events have no energies; lc_lo_en and lc_hi_en are not used", exposure)
        return None
    return electronvolts(job.settings.lc_lo_en), electronvolts(job.settings.lc_hi_en)


def filter_flares(curve: LightCurve, settings: DeflareSettings) -> FlareFilterResult:
    """Find the good times of a light curve with the method of the settings.

    Raises
    ------
    NoGoodTime
        No bin is left.
    DataError
        The method cannot be applied to this light curve.
    """
    if settings.method == "sigma":
        return clean_sigma(
            curve.time_min,
            curve.time_max,
            curve.rate,
            allowed_sigma=settings.allowed_sigma,
            min_length=settings.min_length,
        )
    mean = settings.mean
    return clean_mean(
        curve.time_min,
        curve.time_max,
        curve.rate,
        curve.exposure,
        allowed_sigma=settings.allowed_sigma,
        mean=mean if mean is None else mean.to_value("ct/s"),
        stddev=settings.stddev,
        scale=settings.scale,
        minfrac=settings.minfrac,
    )


def summary(
    events: EventFile, band: Band | None, result: FlareFilterResult, settings: DeflareSettings
) -> str:
    """Return one line with band, bins, method and how much time is kept."""
    energies = f"{band[0] / 1e3:g}-{band[1] / 1e3:g} keV" if band else "all energies"
    method = f"method {settings.method} (allowed_sigma {settings.allowed_sigma:g})"
    good = events.good_times.first
    total, kept = good.total() / 1e3, good.intersect(result.gti).total() / 1e3
    return (
        f"{energies}, bins of {settings.time_bin_size.to_value('s'):g} s, {method}: "
        f"{kept:.2f} of {total:.2f} ks kept ({kept / total:.1%})"
    )


def warn_of_few_counts_or_bins(job: Job[DeflareSettings], exposure: str, curve: LightCurve) -> None:
    """Warn where the result may be wrong because there are few counts, or few bins."""
    # Empty bins pull the mean and the limits down; partly exposed bins may be empty by chance.
    empty = int(((curve.counts == 0) & (curve.exposure > curve.bin_size / 2)).sum())
    if empty:
        job.warn(
            f"{empty} of {len(curve.counts)} bins were exposed but have no counts, which biases "
            f"the limits; make time_bin_size longer than {curve.bin_size:g} s",
            exposure,
        )
    bins, sigma = int((curve.rate > 0).sum()), job.settings.allowed_sigma
    most = most_dropped(bins, sigma)
    if job.settings.method == "sigma" and most <= FEW_BINS:
        job.warn(
            f"with only {bins} bins, allowed_sigma {sigma:g} can drop no more than {most}: a longer flare "
            f"would stay; make time_bin_size shorter than {curve.bin_size:g} s",
            exposure,
        )


def draw_light_curve(
    path: Path, title: str, curve: LightCurve, result: FlareFilterResult, events: EventFile, text: str
) -> None:
    """Draw a light curve and its good times as PNG."""
    names = (title, _text(events, "DETNAM"), _text(events, "OBJECT"))
    start = f"{_text(events, 'DATE-OBS')} {_text(events, 'TIMESYS')}".strip() or "the start"
    good_time = events.good_times.first.intersect(result.gti)
    caption = LightCurveCaption(title=" · ".join(filter(None, names)), subtitle=text, start=start)
    plot_light_curve(path, curve, result, good_time, caption)


def _text(events: EventFile, keyword: str) -> str:
    return str(events.header.get(keyword, "")).strip()
