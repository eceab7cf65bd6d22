"""Flares with CIAO's dmextract and deflare."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.ciao.commands import Flares, deflare, light_curve
from chandra_runner.ciao.session import ToolError
from chandra_runner.errors import DataError
from chandra_runner.stages.ciao_session import ciao_session, keep
from chandra_runner.stages.stage import Job, Product

from .flare_filter import band_of, draw, filter_flares, stem_of, summary, warn_of_few

if TYPE_CHECKING:
    from chandra_runner.native.flares import FlareFilterResult
    from chandra_runner.native.light_curve import LightCurve


def flare_names(events: str, stem: str) -> Flares:
    """File names of an exposure."""
    return Flares(events, f"{stem}_ltc1.fits", f"{stem}_deflare_gti.fits")


def deflare_with_ciao(job: Job, product: Product) -> None:
    """Light curve, good times and plot of one exposure."""
    from chandra_runner.fits.event_file import EventFile
    from chandra_runner.native.light_curve import read_light_curve

    exposure, stem = product.exposure, stem_of(product)
    names = flare_names(product.path.name, stem)
    with EventFile.open(product.path) as events:
        band = band_of(job, exposure, events)
        with ciao_session(job, exposure) as session:
            session.place({names.events: product.path})
            session.run([light_curve(names, job.settings, hrc=band is None)])
            made = session.made(names.light_curve, "dmextract")
            curve = read_light_curve(made)
            warn_of_few(job, exposure, curve)
            try:
                session.run([deflare(names, job.settings)])
            except ToolError as error:
                raise _reason(curve, job, error) from error
            keep(session.made(names.gti, "deflare"), job.output(names.gti, "gti", exposure))
            keep(made, job.output(names.light_curve, "lightcurve", exposure))
        quiet = _found(job.directory / names.gti, curve, job)
        told = summary(events, band, quiet, job.settings)
        job.log(told, exposure)
        plot = job.output(f"{stem}_ltc1.png", "plot", exposure)
        draw(plot, job.title(exposure), curve, quiet, events, told)


def _reason(curve: LightCurve, job: Job, error: ToolError) -> DataError:
    """Why deflare failed: that there is no good time is a result, which it tells in words only.

    The same rules tell it here; what else they have to say, CIAO has said already.
    """
    from chandra_runner.native.flares import NoGoodTime

    try:
        filter_flares(curve, job.settings)
    except NoGoodTime as none:
        return none
    except DataError:
        return error
    return error


def _found(path: Path, curve: LightCurve, job: Job) -> FlareFilterResult:
    """What CIAO kept of a light curve, with the limits that its method has."""
    from chandra_runner.native.level2 import read_good_times

    gti = read_good_times(path).first
    return replace(filter_flares(curve, job.settings), gti=gti, good=gti.contains(curve.time))
