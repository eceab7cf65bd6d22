"""``chandra-run find TARGET``: find observations by target or position, and write a recipe for them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from chandra_runner.cli.options import Subparsers, add_command, add_json_option
from chandra_runner.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from chandra_runner.archive.catalog.catalogs import CatalogEntry
    from chandra_runner.archive.catalog.search import Criteria
    from chandra_runner.archive.catalog.sky import Position

INSTRUMENTS = ("acis", "hrc", "acis-i", "acis-s", "hrc-i", "hrc-s")
STANDARDS = {"ACIS": "standard/acis-imaging", "HRC": "standard/hrc-imaging"}
MAX_RADIUS = 30.0
"""Degrees."""
MAX_TIMEOUT = 3600.0
"""Seconds."""
_ANGLES = {"'": "arcmin", '"': "arcsec", "°": "deg"}


def add_parser(subparsers: Subparsers) -> None:
    """Add the command, with its help and its options."""
    summary = "find observations by target or position, and write a recipe for them"
    parser = add_command(subparsers, "find", summary, execute)
    parser.add_argument("name", nargs="*", metavar="TARGET", help="name of a target, such as Abell 1795")
    parser.add_argument("--ra", metavar="RA", help="or a position: decimal degrees, or hours as 13:48:52.5")
    parser.add_argument("--dec", metavar="DEC", help="decimal degrees, or +26:35:34")
    parser.add_argument(
        "--radius", type=_radius, default="10'", metavar="ANGLE", help="radius of the cone (default: 10')"
    )
    _add_filters(parser)
    parser.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="recipe to write, which must not exist"
    )
    parser.add_argument(
        "--extends",
        metavar="RECIPE",
        help="recipe that it extends (default: standard/acis-imaging or standard/hrc-imaging)",
    )
    add_json_option(parser)
    _add_services(parser)


def _add_filters(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--instrument", type=str.lower, choices=INSTRUMENTS, help="only with this instrument")
    parser.add_argument(
        "--grating",
        type=str.lower,
        choices=("none", "hetg", "letg"),
        help="only with this grating",
    )
    parser.add_argument(
        "--min-exposure",
        type=_kiloseconds,
        default=0.0,
        metavar="TIME",
        help="only if longer, such as '5 ks'",
    )
    parser.add_argument("--after", type=_date, metavar="DATE", help="first day, such as 2010-01-31")
    parser.add_argument("--before", type=_date, metavar="DATE", help="day after the last day")
    parser.add_argument("--public", action="store_true", help="leave out proprietary observations")


def _add_services(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--service",
        default="cxc",
        metavar="NAME",
        help="catalog to search: cxc (default), heasarc, the URL of a TAP service with the CXC's table, "
        "or heasarc=URL for one with HEASARC's",
    )
    parser.add_argument("--name-service", metavar="URL", help="Sesame service for names (default: the CDS's)")
    parser.add_argument(
        "--timeout", type=_timeout, default=60.0, metavar="TIME", help="time for each service (default: 60 s)"
    )


def execute(options: argparse.Namespace) -> ExitCode:
    """Search the catalog, show what was found, and write the recipe where one is wanted."""
    from chandra_runner.archive.catalog.catalogs import catalog_at
    from chandra_runner.archive.catalog.search import find
    from chandra_runner.cli.found_observations import found_json, found_recipe, found_text
    from chandra_runner.cli.output_files import check_new, write_new_recipe

    if options.output:
        check_new(options.output)
    catalog = catalog_at(options.service)
    criteria = _criteria(options)
    found = find(catalog, criteria, options.timeout)
    if not options.json:
        print(found_text(found, criteria.center))
    written = options.output if found else None
    if written:
        title = " ".join(options.name) or str(criteria.center)
        extends = options.extends or _standard(found)
        write_new_recipe(
            written, found_recipe(found, criteria, title=title, extends=extends, catalog=catalog)
        )
    if options.json:
        print(found_json(found, criteria, written))
    elif written:
        print(f"written to {written}")
    return ExitCode.OK if found else ExitCode.TASKS


def _criteria(options: argparse.Namespace) -> Criteria:
    from chandra_runner.archive.catalog.search import Criteria

    return Criteria(
        center=_center(options),
        radius=options.radius,
        instrument=(options.instrument or "").upper(),
        grating=(options.grating or "").upper(),
        min_exposure=options.min_exposure,
        after=options.after,
        before=options.before,
        public=options.public,
    )


def _center(options: argparse.Namespace) -> Position:
    """Return the center of the cone: the position that is given, or that of the named target."""
    from loguru import logger

    from chandra_runner.archive.catalog.name_resolver import SESAME, resolve
    from chandra_runner.archive.catalog.sky import read_position

    name, position = " ".join(options.name).strip(), (options.ra, options.dec)
    if bool(name) == any(position) or (any(position) and not all(position)):
        raise UsageError("find needs a target, or --ra and --dec", "such as: chandra-run find Abell 1795")
    if not name:
        return read_position(*position)
    center = resolve(name, options.name_service or SESAME, options.timeout)
    logger.info(f"{name} is at {center} (Sesame)")
    return center


def _standard(found: Sequence[CatalogEntry]) -> str:
    """Return the packaged recipe for the instrument of all observations."""
    instruments = {entry.instrument.partition("-")[0] for entry in found}
    if len(instruments) > 1 or not instruments <= STANDARDS.keys():
        raise UsageError(
            f"{' and '.join(sorted(instruments))} need different settings: no recipe was written",
            "choose one with --instrument, or name the recipe to extend with --extends",
        )
    return STANDARDS[instruments.pop()]


def _radius(text: str) -> float:
    """Read an angle; return degrees."""
    from chandra_runner.quantities import QuantityError, number_in_unit

    sign = text.strip()[-1:]
    plain = f"{text.strip()[:-1]} {_ANGLES[sign]}" if sign in _ANGLES else text
    try:
        radius = number_in_unit(plain, "deg")
    except QuantityError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an angle with a unit; write 10' or 0.2 deg"
        ) from None
    if not 0 < radius <= MAX_RADIUS:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and {MAX_RADIUS:g} deg")
    return radius


def _kiloseconds(text: str) -> float:
    return _seconds(text) / 1000


def _timeout(text: str) -> float:
    seconds = _seconds(text)
    if not 0 < seconds <= MAX_TIMEOUT:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and {MAX_TIMEOUT:g} s")
    return seconds


def _seconds(text: str) -> float:
    """Read a time with its unit; return seconds."""
    from chandra_runner.quantities import QuantityError, number_in_unit

    try:
        return number_in_unit(text, "s")
    except QuantityError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _date(text: str) -> date:
    try:
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date; write it as 2010-01-31") from None
