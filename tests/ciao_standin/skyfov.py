"""The field-of-view file that chandra_repro makes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from chandra_runner.fits.event_file import EventFile
from chandra_runner.native.field_extent import chip_extent
from chandra_runner.native.field_of_view import Companions, load_field_of_view


def write(target: Path, events: Path, aspect: tuple[Path, ...], mask: Path) -> None:
    """Write a polygon for each chip: here the rectangle around it and its dither."""
    with EventFile.open(events) as opened:
        field = load_field_of_view(opened, Companions(aspect, mask=mask))
        header = opened.header
    extents = [chip_extent(field.pointing, (chip,)) for chip in field.chips]
    x = np.array([[e.x_min, e.x_max, e.x_max, e.x_min, e.x_min] for e in extents])
    y = np.array([[e.y_min, e.y_min, e.y_max, e.y_max, e.y_min] for e in extents])
    columns = [
        fits.Column("SHAPE", "16A", array=np.full(len(extents), "Polygon")),
        fits.Column("X", "5D", "pixel", array=x),
        fits.Column("Y", "5D", "pixel", array=y),
        fits.Column("CCD_ID", "1I", array=np.array([chip.number for chip in field.chips])),
    ]
    table = fits.BinTableHDU.from_columns(columns, name="FOV")
    table.header.update({key: header[key] for key in ("INSTRUME", "DETNAM", "OBS_ID")})
    table.header["CONTENT"] = "FOV"
    fits.HDUList([fits.PrimaryHDU(), table]).writeto(target)
