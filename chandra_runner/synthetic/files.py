"""The files of a synthetic observation, in the archive's directories, and their index."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from chandra_runner.fits.gti import GoodTimes, make_gti
from chandra_runner.fits.writer import write_fits
from chandra_runner.native.aspect import Aspect
from chandra_runner.observation.raw_files import ARCHIVE_FOLDERS

from .catalog import Interval, Sample
from .event_table import event_table, gti_tables
from .headers import NOT_FLIGHT_DATA, VERSION, EventList, index_cards, primary_cards
from .photons import simulate_photons
from .readout import EventColumns, good_times, level_1, level_2
from .sky import aspect_of
from .tables import (
    aspect_table,
    bad_pixel_tables,
    dead_time_table,
    field_of_view_table,
    filter_table,
    mask_tables,
)

_GZIP_LEVEL = 6


@dataclass(frozen=True)
class SampleFile:
    """A FITS file to write.

    Parameters
    ----------
    path : str
        Relative to the ObsID directory, without ``.gz``.
    events : EventList
        The event list that its primary header describes.
    tables : sequence of BinTableHDU
        The extensions.
    """

    path: str
    events: EventList
    tables: Sequence[Any]


@dataclass(frozen=True)
class ExposedEvents:
    """A level-1 event list, the files that belong to it, and its events in level 2."""

    events: EventList
    files: tuple[SampleFile, ...]
    level_2: EventColumns


def write_files(sample: Sample, directory: Path) -> None:
    """Write all files of a synthetic observation into an empty directory."""
    for folder in ARCHIVE_FOLDERS:
        (directory / folder).mkdir()
    exposed = [e for interval in sample.intervals for e in _observe(sample, interval)]
    files = sorted(
        (*_level_2_files(sample, exposed), *(f for e in exposed for f in e.files)), key=lambda f: f.path
    )
    sizes = [_write(directory / f"{file.path}.gz", file.events, file.tables) for file in files]
    _write(directory / "oif.fits", exposed[0].events, [_index_table(exposed[0].events, files, sizes)])


def _observe(sample: Sample, interval: Interval) -> Iterator[ExposedEvents]:
    """Simulate an observing interval; yield an event list for each cycle of frames."""
    rng = np.random.default_rng([sample.obsid, interval.number])
    aspect = aspect_of(sample, interval)
    photons = simulate_photons(sample, interval, aspect, rng)
    for number, cycle in enumerate(sample.cycles):
        events = EventList(sample, (interval,), cycle, good_times(sample, interval))
        columns = level_1(sample, interval, cycle, photons, aspect, rng)
        files = [
            SampleFile(
                f"secondary/{events.root}_evt1.fits",
                events,
                [event_table(events, columns, 1), *gti_tables(events)],
            )
        ]
        files += _companions(events, aspect)
        if number == 0:
            files.append(
                SampleFile(f"primary/{events.aspect_names[0]}", events, [aspect_table(events, aspect)])
            )
        yield ExposedEvents(events, tuple(files), level_2(sample, columns, events.gtis))


def _companions(events: EventList, aspect: Aspect) -> Iterator[SampleFile]:
    root = events.root
    yield SampleFile(f"primary/{root}_bpix1.fits", events, bad_pixel_tables(events))
    yield SampleFile(f"primary/{root}_fov1.fits", events, [field_of_view_table(events, aspect)])
    yield SampleFile(f"secondary/{root}_flt1.fits", events, [filter_table(events), *gti_tables(events)])
    yield SampleFile(f"secondary/{root}_msk1.fits", events, mask_tables(events))
    if events.sample.instrument == "HRC":
        yield SampleFile(f"primary/{root}_dtf1.fits", events, [dead_time_table(events)])


def _level_2_files(sample: Sample, exposed: Sequence[ExposedEvents]) -> Iterator[SampleFile]:
    """Yield the level-2 event lists: one for each cycle of frames, of all observing intervals."""
    for cycle in sample.cycles:
        parts = [e for e in exposed if e.events.cycle is cycle]
        events = EventList(sample, sample.intervals, cycle, _union([p.events.gtis for p in parts]))
        columns = {n: np.concatenate([p.level_2[n] for p in parts]) for n in parts[0].level_2}
        tables = [event_table(events, columns, 2), *gti_tables(events)]
        yield SampleFile(f"primary/{events.level_2_root}_evt2.fits", events, tables)


def _union(parts: Sequence[GoodTimes]) -> GoodTimes:
    merged = {}
    for chip in parts[0].by_chip:
        gtis = [part.of(chip) for part in parts]
        merged[chip] = make_gti(
            np.concatenate([g.start for g in gtis]), np.concatenate([g.stop for g in gtis])
        )
    return GoodTimes(merged, parts[0].shared)


def _write(path: Path, events: EventList, tables: Sequence[Any]) -> int:
    """Write a FITS file, gzipped if its name ends in .gz; return the uncompressed size, bytes."""
    primary = fits.PrimaryHDU()
    primary.header.extend(primary_cards(events))
    for hdu in (primary, *tables):
        hdu.header.add_history(NOT_FLIGHT_DATA)
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    write_fits(plain, [primary, *tables])
    size = plain.stat().st_size
    if plain != path:
        # Without time and name in the gzip header, the same data give the same bytes.
        path.write_bytes(gzip.compress(plain.read_bytes(), _GZIP_LEVEL, mtime=0))
        plain.unlink()
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return size


def _index_table(events: EventList, files: Sequence[SampleFile], sizes: Sequence[int]) -> fits.BinTableHDU:
    """Return the table of oif.fits, one row for each file; like the archive's, it omits ``.gz``."""
    headers = [file.tables[0].header for file in files]
    texts = {
        "MEMBER_LOCATION": ("128A", [file.path for file in files]),
        "MEMBER_XTENSION": ("32A", ["BINTABLE"] * len(files)),
        "MEMBER_NAME": ("32A", [header["EXTNAME"] for header in headers]),
        "MEMBER_VERSION": ("1I", [1] * len(files)),
        "MEMBER_URI_TYPE": ("6A", ["URL"] * len(files)),
        "MEMBER_CONTENT": ("32A", [header["CONTENT"] for header in headers]),
        "MEMBER_TSTART": ("1D", [header["TSTART"] for header in headers]),
        "MEMBER_TSTOP": ("1D", [header["TSTOP"] for header in headers]),
        "MEMBER_DATE-OBS": ("20A", [header["DATE-OBS"] for header in headers]),
        "MEMBER_DATE-END": ("20A", [header["DATE-END"] for header in headers]),
        "MEMBER_SIZE": ("1J", [-(-size // 1024) for size in sizes]),
        "MEMBER_REVISION": ("1I", [VERSION] * len(files)),
    }
    columns = [fits.Column(name, kind, array=array) for name, (kind, array) in texts.items()]
    hdu = fits.BinTableHDU.from_columns(columns, name="GROUPING")
    hdu.header.extend(index_cards(events))
    return hdu
