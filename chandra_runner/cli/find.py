"""The options of ``chandra-run find``, and what it does with them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from chandra_runner.archive.catalog.search import Criteria
    from chandra_runner.archive.catalog.sky import Position
    from chandra_runner.archive.catalog.tap import CatalogueEntry

INSTRUMENTS = ("acis", "hrc", "acis-i", "acis-s", "hrc-i", "hrc-s")
STANDARDS = {"ACIS": "standard/acis-imaging", "HRC": "standard/hrc-imaging"}
MAX_RADIUS = 30.0  # degrees

_ANGLES = {"'": "arcmin", '"': "arcsec", "°": "deg"}


def find(options: argparse.Namespace) -> ExitCode:
    """Find observations by target or position, and write a recipe of them."""
    from chandra_runner.archive.catalog.search import find, found_json, found_recipe, found_table
    from chandra_runner.archive.catalog.tap import catalogue_at

    from .init import check_free, write_recipe

    if options.output:
        check_free(options.output)
    catalogue = catalogue_at(options.service)
    criteria = _criteria(options)
    found = find(catalogue, criteria, options.timeout)
    if not options.json:
        print(found_table(found, criteria.centre))
    written = options.output if found else None
    if written:
        title = " ".join(options.name) or str(criteria.centre)
        extends = options.extends or _standard(found)
        text = found_recipe(found, criteria, title=title, extends=extends, catalogue=catalogue)
        write_recipe(written, text)
    if options.json:
        print(found_json(found, criteria, written))
    elif written:
        print(f"written to {written}")
    return ExitCode.OK if found else ExitCode.TASKS


def add_find_options(parser: argparse.ArgumentParser) -> None:
    """What ``find`` understands."""
    from chandra_runner.archive.catalog.name_resolver import SESAME

    parser.add_argument("name", nargs="*", metavar="NAME", help="a target, such as Abell 1795")
    parser.add_argument("--ra", metavar="RA", help="or a position: decimal degrees, or 13:48:52.5 (hours)")
    parser.add_argument("--dec", metavar="DEC", help="decimal degrees, or +26:35:34")
    parser.add_argument("--radius", type=_radius, default="10'", metavar="ANGLE", help="of the cone (10')")
    parser.add_argument("--instrument", type=str.lower, choices=INSTRUMENTS, help="only with it")
    parser.add_argument("--grating", type=str.lower, choices=("none", "hetg", "letg"), help="only with it")
    parser.add_argument(
        "--min-exposure", type=_kiloseconds, default=0.0, metavar="TIME", help="such as '5 ks'"
    )
    parser.add_argument("--after", type=_date, metavar="DATE", help="begun on this day or later: 2010-01-01")
    parser.add_argument("--before", type=_date, metavar="DATE", help="begun before this day")
    parser.add_argument("--public", action="store_true", help="leave out what is still proprietary")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="write this recipe; it must not exist"
    )
    parser.add_argument(
        "--extends", metavar="RECIPE", help="what it extends (standard/acis-imaging or hrc-imaging)"
    )
    parser.add_argument("--json", action="store_true", help="write one JSON document to standard output")
    parser.add_argument(
        "--service",
        default="cxc",
        metavar="NAME",
        help="cxc, heasarc, or the URL of a TAP service with the CXC's table; heasarc=URL: with HEASARC's",
    )
    parser.add_argument("--name-service", default=SESAME, metavar="URL", help="a Sesame service (the CDS's)")
    parser.add_argument(
        "--timeout", type=_timeout, default=60.0, metavar="TIME", help="for each service (60 s)"
    )


def _criteria(options: argparse.Namespace) -> Criteria:
    from chandra_runner.archive.catalog.search import Criteria

    return Criteria(
        centre=_centre(options),
        radius=options.radius,
        instrument=(options.instrument or "").upper(),
        grating=(options.grating or "").upper(),
        min_exposure=options.min_exposure,
        after=options.after,
        before=options.before,
        public=options.public,
    )


def _centre(options: argparse.Namespace) -> Position:
    from loguru import logger

    from chandra_runner.archive.catalog.name_resolver import resolve
    from chandra_runner.archive.catalog.sky import read_position

    name, place = " ".join(options.name).strip(), (options.ra, options.dec)
    if bool(name) == any(place) or (any(place) and not all(place)):
        raise UsageError("find needs a name, or --ra and --dec", "such as: chandra-run find Abell 1795")
    if not name:
        return read_position(*place)
    centre = resolve(name, options.name_service, options.timeout)
    logger.info(f"{name} is at {centre} (Sesame)")
    return centre


def _standard(found: Sequence[CatalogueEntry]) -> str:
    """The packaged standard for what was found."""
    instruments = {entry.instrument.partition("-")[0] for entry in found}
    if len(instruments) > 1 or not instruments <= STANDARDS.keys():
        raise UsageError(
            f"{' and '.join(sorted(instruments))} need different settings: no recipe was written",
            "choose with --instrument, or name the recipe that it shall extend with --extends",
        )
    return STANDARDS[instruments.pop()]


def _radius(text: str) -> float:
    """An angle, in degrees."""
    from chandra_runner.quantities import QuantityError, magnitude

    sign = text.strip()[-1:]
    plain = f"{text.strip()[:-1]} {_ANGLES[sign]}" if sign in _ANGLES else text
    try:
        radius = magnitude(plain, "deg")
    except QuantityError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no angle with its unit; write 10' or 0.2 deg"
        ) from None
    if not 0 < radius <= MAX_RADIUS:
        raise argparse.ArgumentTypeError(f"{text!r} is not more than 0 and at most {MAX_RADIUS:g} deg")
    return radius


def _kiloseconds(text: str) -> float:
    return _time(text) / 1000


def _timeout(text: str) -> float:
    seconds = _time(text)
    if not 0 < seconds <= 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is not more than 0 and at most 3600 s")
    return seconds


def _time(text: str) -> float:
    """A time, in seconds."""
    from chandra_runner.quantities import QuantityError, magnitude

    try:
        return magnitude(text, "s")
    except QuantityError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _date(text: str) -> date:
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as 2010-01-31") from None
