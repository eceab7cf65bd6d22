"""deflare: the good times of a light curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from astropy.io import fits

from chandra_runner.fits.carried_keywords import LIGHT_CURVE_KEYWORDS, carried_keywords
from chandra_runner.native.flares import FlareFilterResult, clean_mean, clean_sigma, write_gti
from chandra_runner.native.light_curve import LightCurve, read_light_curve

from .files import mark, output, parse
from .messages import Failure

_FORMATS = (".pdf", ".ps", ".eps", ".png", ".svg")


def run(values: dict[str, Any]) -> list[Path]:
    """Clean a light curve; it has no parameter clobber, and replaces what is there."""
    source = parse(values["infile"])
    curve = read_light_curve(source.path)
    quiet = _clean(curve, values)
    header = carried_keywords(fits.getheader(source.path, "LIGHTCURVE"), LIGHT_CURVE_KEYWORDS)
    target = output(values["outfile"], clobber=True)
    write_gti(target, quiet.gti, header, ())
    print(f"Light curve cleaned using the lc_{values['method']} routine.")
    made = [mark(target, "deflare")]
    if values["save"]:
        made.append(_plot(values["save"], curve, quiet))
    if values["plot"]:
        raise Failure("prompted to press ENTER to close the plot window, and nobody did")
    return made


def _clean(curve: LightCurve, values: dict[str, Any]) -> FlareFilterResult:
    if values["method"] == "sigma":
        return clean_sigma(
            curve.time_min,
            curve.time_max,
            curve.rate,
            allowed_sigma=values["nsigma"],
            min_length=int(values["minlength"]),
        )
    return clean_mean(
        curve.time_min,
        curve.time_max,
        curve.rate,
        curve.exposure,
        allowed_sigma=values["nsigma"],
        mean=values["mean"] or None,
        stddev=values["stddev"] or None,
        scale=values["scale"],
        minfrac=values["minfrac"],
    )


def _plot(name: str, curve: LightCurve, quiet: FlareFilterResult) -> Path:
    """Draw the light curve; the ending says in which format."""
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.plot(curve.time, curve.rate)
    axes.axhspan(quiet.min_rate, quiet.max_rate, alpha=0.2)
    path = output(name if name.lower().endswith(_FORMATS) else f"{name}.pdf", clobber=True)
    figure.savefig(path)
    return path
