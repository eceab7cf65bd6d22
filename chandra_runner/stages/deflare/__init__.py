"""Find the times without background flares in a light curve of each exposure."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from chandra_runner.stages.stage import Job, Need, Product, Stage

from .flare_filter import band_of, deflare_exposures, draw, filter_flares, stem_of, summary, warn_of_few


def native(job: Job) -> None:
    """Light curve, good times and plot of each exposure."""
    deflare_exposures(job, _deflare)


def ciao(job: Job) -> None:
    """The same, with CIAO's dmextract and deflare."""
    from .ciao import deflare_with_ciao

    deflare_exposures(job, deflare_with_ciao)


def _deflare(job: Job, product: Product) -> None:
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.flares import write_gti
    from chandra_runner.native.light_curve import inherited, light_curve, write_light_curve

    exposure, settings = product.exposure, job.settings
    with EventFile.open(product.path) as events:
        band = band_of(job, exposure, events)
        curve = light_curve(events, settings["time_bin_size"].to_value("s"), band)
        quiet = filter_flares(curve, settings)
        told = summary(events, band, quiet, settings)
        history = (told, f"rates from {quiet.min_rate:.6g} to {quiet.max_rate:.6g} count/s count as quiet")
        job.log("; ".join(history), exposure)
        warn_of_few(job, exposure, curve)

        def output(ending: str, role: str) -> Path:
            return job.output(f"{stem_of(product)}_{ending}", role, exposure)

        write_light_curve(output("ltc1.fits", "lightcurve"), curve, events, band, history)
        write_gti(output("deflare_gti.fits", "gti"), quiet.gti, inherited(events.header), history)
        draw(output("ltc1.png", "plot"), job.title(exposure), curve, quiet, events, told)


class Deflare(Stage):
    """Light curve, and the good times without flares in it."""

    name = "deflare"
    needs = (Need("events", "chandra_repro"),)
    makes = ("lightcurve", "gti", "plot")
    executors: ClassVar = {"native": native, "ciao": ciao}


STAGE = Deflare
