"""What both executors of deflare share: how light curves are judged, described and drawn."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.errors import DataError
from chandra_runner.quantities import electronvolts
from chandra_runner.stages.stage import Excluded, Job, Product, Settings

if TYPE_CHECKING:
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.flares import FlareFilterResult
    from chandra_runner.native.light_curve import Band, LightCurve

FEW = 2
"""Where no more bins than this can be dropped, a flare may hide."""


def deflare_exposures(job: Job, work: Callable[[Job, Product], None]) -> None:
    """Do the work for each exposure; a dead exposure is only a warning, but for the last one."""
    from chandra_runner.native.flares import NoGoodTime

    dead = []
    exposures = job.all("events", "chandra_repro")
    for product in exposures:
        try:
            work(job, product)
        except NoGoodTime as error:
            dead.append(f"{product.exposure}: {error}")
        except DataError as error:
            raise DataError(f"{product.exposure}: {error.message}", error.hint) from error
    if len(dead) == len(exposures):
        raise Excluded(f"zero good time: {'; '.join(dead)}")
    for reason in dead:
        job.warn(f"{reason}; this exposure is left out")


def stem_of(product: Product) -> str:
    """What the names of all products of an exposure begin with."""
    return product.path.name.partition("_repro_")[0]


def band_of(job: Job, exposure: str, events: EventFile) -> Band | None:
    """The light curve's energies, eV; None for HRC, which has none."""
    if events.instrument == "HRC":
        job.log("HRC events have no energies, lc_lo_en and lc_hi_en are not used", exposure)
        return None
    return electronvolts(job.settings["lc_lo_en"]), electronvolts(job.settings["lc_hi_en"])


def filter_flares(curve: LightCurve, settings: Settings) -> FlareFilterResult:
    """The quiet part of a light curve, by the method of the settings.

    Raises
    ------
    NoGoodTime
        There is none.
    DataError
        The method cannot be applied.
    """
    from chandra_runner.native.flares import clean_mean, clean_sigma

    if settings["method"] == "sigma":
        return clean_sigma(
            curve.time_min,
            curve.time_max,
            curve.rate,
            allowed_sigma=settings["allowed_sigma"],
            min_length=settings["min_length"],
        )
    mean = settings["mean"]
    return clean_mean(
        curve.time_min,
        curve.time_max,
        curve.rate,
        curve.exposure,
        clip=settings["allowed_sigma"],
        mean=mean if mean is None else mean.to_value("ct/s"),
        stddev=settings["stddev"],
        scale=settings["scale"],
        minfrac=settings["minfrac"],
    )


def summary(events: EventFile, band: Band | None, quiet: FlareFilterResult, settings: Settings) -> str:
    """Band, bins, method, and how much was kept."""
    energies = f"{band[0] / 1e3:g}-{band[1] / 1e3:g} keV" if band else "all energies"
    method = f"method {settings['method']} (allowed_sigma {settings['allowed_sigma']:g})"
    good = events.good_times.first
    total, kept = good.total() / 1e3, good.intersect(quiet.gti).total() / 1e3
    return (
        f"{energies}, bins of {settings['time_bin_size'].to_value('s'):g} s, {method}: "
        f"{kept:.2f} of {total:.2f} ks kept ({kept / total:.1%})"
    )


def warn_of_few(job: Job, exposure: str, curve: LightCurve) -> None:
    """Say where the methods are not to be trusted: few counts, or few bins."""
    from chandra_runner.native.flares import most_dropped

    length = curve.time_max[0] - curve.time_min[0]
    empty = int(((curve.counts == 0) & (curve.exposure > length / 2)).sum())
    if empty:
        job.warn(
            f"{empty} of {len(curve.counts)} bins were exposed and have no counts, which biases "
            f"the limits; make time_bin_size longer than {length:g} s",
            exposure,
        )
    bins, sigma = int((curve.rate > 0).sum()), job.settings["allowed_sigma"]
    most = most_dropped(bins, sigma)
    if job.settings["method"] == "sigma" and most <= FEW:
        job.warn(
            f"with only {bins} bins, allowed_sigma {sigma:g} can drop no more than {most}: a longer flare "
            f"would stay; make time_bin_size shorter than {length:g} s",
            exposure,
        )


def draw(
    path: Path, title: str, curve: LightCurve, quiet: FlareFilterResult, events: EventFile, told: str
) -> None:
    """Draw a light curve with what was kept of it, as PNG."""
    from chandra_runner.plots.light_curve import Caption, plot_light_curve

    names = (title, _text(events, "DETNAM"), _text(events, "OBJECT"))
    start = f"{_text(events, 'DATE-OBS')} {_text(events, 'TIMESYS')}".strip() or "the start"
    left = events.good_times.first.intersect(quiet.gti)
    plot_light_curve(path, curve, quiet, left, Caption(" · ".join(filter(None, names)), told, start))


def _text(events: EventFile, keyword: str) -> str:
    return str(events.header.get(keyword, "")).strip()
