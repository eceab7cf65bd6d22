"""Find the times without background flares in a light curve of each exposure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from ..errors import DataError
from ..stage import Excluded, Job, Need, Product, Settings, Stage

if TYPE_CHECKING:
    from ..native.eventfile import EventFile
    from ..native.flares import Quiet
    from ..native.lightcurve import Band, LightCurve

FEW = 2
"""Where no more bins than this can be dropped, a flare may hide."""


def native(job: Job) -> None:
    """Light curve, good times and plot of each exposure; a dead exposure is only a warning."""
    from ..native.flares import NoGoodTime

    dead = []
    exposures = job.all("events", "chandra_repro")
    for product in exposures:
        try:
            _deflare(job, product)
        except NoGoodTime as error:
            dead.append(f"{product.exposure}: {error}")
        except DataError as error:
            raise DataError(f"{product.exposure}: {error.message}", error.hint) from error
    if len(dead) == len(exposures):
        raise Excluded(f"zero good time: {'; '.join(dead)}")
    for reason in dead:
        job.warn(f"{reason}; this exposure is left out")


def _deflare(job: Job, product: Product) -> None:
    from ..native.eventfile import EventFile
    from ..native.flares import write_gti
    from ..native.lightcurve import inherited, light_curve, write_light_curve
    from ..native.lightcurveplot import Caption, plot_light_curve

    exposure, settings = product.exposure, job.settings
    stem = product.path.name.partition("_repro_")[0]
    with EventFile.open(product.path) as events:
        band = _band(job, exposure, events)
        curve = light_curve(events, settings["time_bin_size"].to_value("s"), band)
        quiet = _clean(curve, settings)
        summary = _summary(events, band, quiet, settings)
        history = (summary, f"rates from {quiet.min_rate:.6g} to {quiet.max_rate:.6g} count/s count as quiet")
        job.log("; ".join(history), exposure)
        _warn(job, exposure, curve)

        def output(ending: str, role: str) -> Path:
            return job.output(f"{stem}_{ending}", role, exposure)

        write_light_curve(output("ltc1.fits", "lightcurve"), curve, events, band, history)
        write_gti(output("deflare_gti.fits", "gti"), quiet.gti, inherited(events.header), history)
        names = (job.title(exposure), _text(events, "DETNAM"), _text(events, "OBJECT"))
        title = " · ".join(filter(None, names))
        start = f"{_text(events, 'DATE-OBS')} {_text(events, 'TIMESYS')}".strip() or "the start"
        left = events.good_times.first.intersect(quiet.gti)
        plot_light_curve(output("ltc1.png", "plot"), curve, quiet, left, Caption(title, summary, start))


def _band(job: Job, exposure: str, events: EventFile) -> Band | None:
    """Energies in eV, to the millionth: 1.005 keV is 1005 eV, not 1004.9999999999999."""
    if events.instrument == "HRC":
        job.log("HRC events have no energies, lc_lo_en and lc_hi_en are not used", exposure)
        return None
    low, high = (round(job.settings[key].to_value("eV"), 6) for key in ("lc_lo_en", "lc_hi_en"))
    return low, high


def _clean(curve: LightCurve, settings: Settings) -> Quiet:
    from ..native.flares import clean_mean, clean_sigma

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


def _summary(events: EventFile, band: Band | None, quiet: Quiet, settings: Settings) -> str:
    """Band, bins, method, and how much was kept."""
    energies = f"{band[0] / 1e3:g}-{band[1] / 1e3:g} keV" if band else "all energies"
    method = f"method {settings['method']} (allowed_sigma {settings['allowed_sigma']:g})"
    good = events.good_times.first
    total, kept = good.total() / 1e3, good.intersect(quiet.gti).total() / 1e3
    return (
        f"{energies}, bins of {settings['time_bin_size'].to_value('s'):g} s, {method}: "
        f"{kept:.2f} of {total:.2f} ks kept ({kept / total:.1%})"
    )


def _warn(job: Job, exposure: str, curve: LightCurve) -> None:
    """Say where the methods are not to be trusted."""
    from ..native.flares import most_dropped

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


def _text(events: EventFile, keyword: str) -> str:
    return str(events.header.get(keyword, "")).strip()


class Deflare(Stage):
    """Light curve, and the good times without flares in it."""

    name = "deflare"
    needs = (Need("events", "chandra_repro"),)
    makes = ("lightcurve", "gti", "plot")
    executors: ClassVar = {"native": native}


STAGE = Deflare
