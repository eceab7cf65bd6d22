"""dmextract: light curves (opt=ltc1)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.light_curve import light_curve, write_light_curve

from .dmcopy import select
from .files import mark, output, parse
from .messages import Failure, not_opened, warn


def run(values: dict[str, Any]) -> list[Path]:
    """Count events in bins of time."""
    if values["opt"] != "ltc1":
        raise Failure(f"the stand-in makes light curves with opt=ltc1, not '{values['opt']}'")
    if not Path(values["defaults"]).is_file():
        raise not_opened(values["defaults"])
    source = parse(values["infile"])
    match = re.fullmatch(r"time=::(\d+\.?\d*)", source.binning)
    if not match or float(match[1]) <= 0:
        raise Failure(f"'[bin {source.binning}]' is no binning of time, '[bin time=::200]'", "dsVFSYNTAXERR")
    with EventFile.open(source.path) as events:
        selection = select(source, events)
        if selection.status or selection.grades is not None:
            raise Failure("the stand-in filters light curves by energy only")
        if not events.nrows:
            warn("dmextract", f'Input file, "{source.path}", has no rows in it.')
        curve = light_curve(events, float(match[1]), selection.energy)
        target = output(values["outfile"], values["clobber"])
        write_light_curve(target, curve, events, selection.energy, ())
    return [mark(target, "dmextract")]
