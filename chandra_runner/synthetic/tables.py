"""The tables of companion files: aspect solution, bad pixels, mask, field of view, dead time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from astropy.io import fits
from scipy.spatial import ConvexHull

from chandra_runner.native.aspect import Aspect, event_positions
from chandra_runner.native.geometry import Array

from .catalog import HRC_LIVE
from .event_table import chip_cards
from .headers import EventList, aspect_cards, sky_cards, table_cards
from .photons import active_pixels
from .readout import bad_regions
from .sky import pointing_of, quaternion

_LOW_PHA, _PHA_RANGE = 20, 3249
"""Least pulse height of events that ACIS sends, and the range above it, adu."""
_DTF_STEP = 2.05
"""Time between rows of the dead-time file, s."""


def aspect_table(events: EventList, aspect: Aspect) -> fits.BinTableHDU:
    """Return the table ASPSOL: attitude over time."""
    count = len(aspect.time)
    doubles = (("time", "s"), ("ra", "deg"), ("dec", "deg"), ("roll", "deg"))
    columns = [fits.Column(name, "1D", unit, array=getattr(aspect, name)) for name, unit in doubles]
    errors = (("ra_err", "deg", 1e-5), ("dec_err", "deg", 1e-5), ("roll_err", "deg", 1e-4))
    columns += [fits.Column(name, "1E", unit, array=np.full(count, error)) for name, unit, error in errors]
    offsets = (("dy", "mm"), ("dz", "mm"), ("dtheta", "deg"))
    columns += [fits.Column(name, "1E", unit, array=getattr(aspect, name)) for name, unit in offsets]
    zeros = np.zeros(count)
    columns += [fits.Column(f"{name}_err", "1E", unit, array=zeros) for name, unit in offsets]
    columns.append(fits.Column("q_att", "4D", array=quaternion(aspect.ra, aspect.dec, aspect.roll)))
    columns += [fits.Column(f"{axis}_bias", "1E", "deg/s", array=zeros) for axis in ("roll", "pitch", "yaw")]
    hdu = fits.BinTableHDU.from_columns(columns, name="ASPSOL")
    hdu.header["HDUNAME"] = ("ASPSOL", "ASCDM block name")
    hdu.header.extend(aspect_cards(events, aspect.time))
    return hdu


def bad_pixel_tables(events: EventList) -> list[fits.BinTableHDU]:
    """Return a table BADPIX for each chip."""
    tables = []
    for chip in events.sample.background:
        regions = bad_regions(events.sample, chip)
        status = np.zeros((len(regions), 32), dtype=bool)
        status[range(len(regions)), [31 - region.bit for region in regions]] = True
        columns = _rectangles([("rectangle", n, r.chipx, r.chipy) for n, r in enumerate(regions, 1)])
        if events.sample.instrument == "ACIS":
            since, until = events.start - 1e6, events.stop
            columns.append(fits.Column("TIME", "1D", "s", array=np.full(len(regions), since)))
            columns.append(fits.Column("TIME_STOP", "1D", "s", array=np.full(len(regions), until)))
        columns.append(fits.Column("STATUS", "32X", "coded", array=status))
        tables.append(_chip_table(events, "BADPIX", chip, columns, "BADPIX", ("REGION", "BADPIX")))
    return tables


def mask_tables(events: EventList) -> list[fits.BinTableHDU]:
    """Return a table MASK for each chip: the pixels that are read out."""
    tables = []
    sample = events.sample
    for chip in sample.background:
        (x0, x1), (y0, y1) = active_pixels(sample, pointing_of(sample), chip)
        if sample.instrument == "HRC":
            columns = _rectangles([("rectangle", 1, (x0, x1), (y0, y1))])
            columns.append(fits.Column("SAMP_CYC", "1I", array=[1]))
        else:
            whole = (1, 1024)
            columns = _rectangles(
                [
                    ("rectangle", 1, (x0, x1), (y0, y1)),
                    ("rectangle", 2, whole, whole),
                    ("!rectangle", 2, (x0, x1), (y0, y1)),
                ]
            )
            columns.append(fits.Column("SAMP_CYC", "1I", array=[1, 0, 1]))
            columns.append(fits.Column("PHAMIN", "1I", "adu", array=[_LOW_PHA] * 3))
            highest = np.full(3, _LOW_PHA + _PHA_RANGE, dtype=np.uint16)
            columns.append(fits.Column("PHAMAX", "1I", "adu", bzero=32768, array=highest))
        tables.append(_chip_table(events, "MASK", chip, columns, "MSK", ("REGION", "MASK")))
    return tables


def filter_table(events: EventList) -> fits.BinTableHDU:
    """Return the table FILTER: the empty block before the good times of a flt1 file."""
    hdu = fits.BinTableHDU.from_columns([], name="FILTER")
    hdu.header["HDUNAME"] = ("FILTER", "ASCDM block name")
    hdu.header.extend(table_cards(events, "GTI", ("FILTER", "")))
    return hdu


def field_of_view_table(events: EventList, aspect: Aspect) -> fits.BinTableHDU:
    """Return the table FOV: for each chip, the polygon on the sky that it observed at some time."""
    chips = list(events.sample.background)
    polygons = [_outline(events, aspect, chip) for chip in chips]
    # Polygons with fewer corners repeat their last one.
    corners = max(len(polygon) for polygon in polygons)
    filled = np.stack([np.pad(p, ((0, corners - len(p)), (0, 0)), mode="edge") for p in polygons])
    columns = [
        fits.Column("X", f"{corners}D", "pixel", array=filled[..., 0]),
        fits.Column("Y", f"{corners}D", "pixel", array=filled[..., 1]),
        fits.Column("SHAPE", "16A", array=["Polygon"] * len(chips)),
        fits.Column("R", "2D", "pixel", array=np.full((len(chips), 2), np.nan)),
        fits.Column("ROTANG", "2D", "deg", array=np.full((len(chips), 2), np.nan)),
        fits.Column("COMPONENT", "1I", array=np.arange(1, len(chips) + 1)),
        fits.Column(pointing_of(events.sample).detector.chip_column.upper(), "1I", array=chips),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="FOV")
    hdu.header["HDUNAME"] = ("FOV", "ASCDM block name")
    hdu.header.extend(table_cards(events, "FOV", ("REGION", "FOV")))
    hdu.header.extend(sky_cards(events.sample, (1, 2)))
    hdu.header["MTYPE1"], hdu.header["MFORM1"] = "POS", "X,Y"
    return hdu


def dead_time_table(events: EventList) -> fits.BinTableHDU:
    """Return the table DTF: live fraction of HRC over time."""
    time = np.arange(events.start, events.stop, _DTF_STEP)
    columns = [
        fits.Column("TIME", "1D", "s", array=time),
        fits.Column("PROC_EVT_COUNT", "1J", array=np.full(len(time), 200)),
        fits.Column("TOTAL_EVT_COUNT", "1J", array=np.full(len(time), 201)),
        fits.Column("DTF", "1E", array=np.full(len(time), HRC_LIVE)),
        fits.Column("DTF_ERR", "1E", array=np.full(len(time), 0.001)),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="DTF")
    hdu.header["HDUNAME"] = ("DTF", "ASCDM block name")
    hdu.header.extend(table_cards(events, "DTF", ("TEMPORALDATA", "DTF")))
    return hdu


def _chip_table(
    events: EventList,
    name: str,
    chip: int,
    columns: Sequence[fits.Column],
    content: str,
    classes: tuple[str, str],
) -> fits.BinTableHDU:
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header.extend(chip_cards(events, name, chip))
    hdu.header.extend(table_cards(events, content, classes))
    hdu.header["MTYPE1"], hdu.header["MFORM1"] = "CHIP", "CHIPX,CHIPY"
    return hdu


def _rectangles(rows: Iterable[tuple[str, int, tuple[int, int], tuple[int, int]]]) -> list[fits.Column]:
    shape, component, chipx, chipy = zip(*rows, strict=True)
    return [
        fits.Column("SHAPE", "16A", array=shape),
        fits.Column("COMPONENT", "1I", array=component),
        fits.Column("CHIPX", "2I", "pixel", array=chipx),
        fits.Column("CHIPY", "2I", "pixel", array=chipy),
    ]


def _outline(events: EventList, aspect: Aspect, chip: int) -> Array:
    """Return the closed convex hull, shape (n, 2), of the positions of a chip's corners on the sky."""
    sample = events.sample
    right, (low, high) = pointing_of(sample).detector.chip(chip).nx + 0.5, sample.rows
    corners = np.array([(0.5, low - 0.5), (right, low - 0.5), (right, high + 0.5), (0.5, high + 0.5)])
    time = np.repeat(aspect.time[::16], 4)
    chipx, chipy = np.tile(corners, (len(time) // 4, 1)).T
    found = event_positions(pointing_of(sample), aspect, np.full(len(time), chip), chipx, chipy, time)
    points = np.column_stack([found.x, found.y])
    # scipy goes around the hull counterclockwise, but from any corner: begin with the leftmost.
    hull = points[ConvexHull(points).vertices]
    hull = np.roll(hull, -np.lexsort((hull[:, 1], hull[:, 0]))[0], axis=0)
    return np.vstack([hull, hull[:1]])
