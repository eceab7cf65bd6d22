"""``chandra-run find``: which observations it finds, what it writes, and what it says of bad services."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from chandra_runner.cli.main import main
from chandra_runner.recipe.recipe import load_recipe

from ..command_line import Answer, Run
from ..tap_service import Services, running

A1795 = ("--ra", "207.2188", "--dec", "26.5928")


@pytest.fixture(scope="module")
def services() -> Iterator[Services]:
    """The archives' services, on loopback."""
    with running() as running_services:
        yield running_services
        assert not running_services.errors


class Finder:
    """Calls ``chandra-run find`` with the services on loopback."""

    def __init__(self, call: Run, services: Services) -> None:
        self.call = call
        self.services = services

    def __call__(self, *arguments: str, service: str = "cxc", names: str = "sesame") -> Answer:
        options = ("--service", self.address(service), "--name-service", f"{self.services.url}/{names}/")
        return self.call("find", *arguments, *options, env={"PYTHONWARNINGS": "error"})

    def obsids(self, *arguments: str, service: str = "cxc") -> list[int]:
        """The ObsIDs that are found; in this process, where all warnings are errors."""
        with redirect_stdout(io.StringIO()) as out:
            main(["find", *arguments, "--json", "--service", self.address(service)])
        return [found["observation"] for found in json.loads(out.getvalue())["observations"]]

    def address(self, service: str) -> str:
        """What ``--service`` calls it."""
        url = f"{self.services.url}/{service}"
        return f"heasarc={url}" if service == "heasarc" else url


@pytest.fixture
def find(chandra_run: Run, services: Services) -> Finder:
    """``chandra-run find`` in an empty directory."""
    return Finder(chandra_run, services)


def test_the_table_shows_what_is_in_the_cone(find: Finder) -> None:
    answer = find(*A1795, "--instrument", "acis-s", "--grating", "none")
    assert answer.code == 0
    assert answer.out.splitlines() == [
        "ObsID  target     instrument  grating  exposure  date         off",
        "  493  ABELL1795  ACIS-S      NONE      19.6 ks  2000-03-21  0.2'",
        "  494  ABELL1795  ACIS-S      NONE      19.5 ks  1999-12-20  0.2'",
        " 3666  A1795      ACIS-S      NONE      14.4 ks  2002-06-10  0.2'",
        "3 observations, 53.6 ks",
    ]
    assert answer.err == ""


@pytest.mark.parametrize("service", ["cxc", "heasarc"])
@pytest.mark.parametrize(
    ("options", "obsids"),
    [
        ([], [493, 494, 3666, 4001, 4002, 10432, 29999]),
        (["--public"], [493, 494, 3666, 4001, 4002, 10432]),
        (["--radius", "16 arcmin", "--instrument", "ACIS-I"], [4003, 4004, 10432, 29999]),
        (["--radius", "0.2 deg", "--instrument", "acis-i"], [10432, 29999]),
        (["--radius", '20"'], [493, 494, 3666, 29999]),
        (["--instrument", "hrc"], [4001]),
        (["--instrument", "hrc-s"], []),
        (["--grating", "hetg"], [4002]),
        (["--min-exposure", "19600 s"], [493, 4002, 29999]),
        (["--after", "2002-06-10"], [3666, 4001, 4002, 10432, 29999]),
        (["--before", "2002-06-10"], [493, 494]),
        (["--after", "2004-01-01", "--before", "2009-04-25"], [4001, 4002, 10432]),
    ],
)
def test_filters_mean_the_same_for_every_catalog(
    find: Finder, service: str, options: list[str], obsids: list[int]
) -> None:
    assert find.obsids(*A1795, *options, service=service) == obsids


@pytest.mark.parametrize(
    ("ra", "dec", "radius", "obsids"),
    [
        ("0", "10", "5'", [5001, 5002]),
        ("359.99", "10", "3'", [5001]),
        ("0.01", "10", "3'", [5002]),
        ("100", "89.99", "8'", [6001, 6002]),
        ("13h48m52.5s", "+26d35m34s", "20 arcsec", [493, 494, 3666, 29999]),
        ("13:48:52.5", "26:35:34", "20 arcsec", [493, 494, 3666, 29999]),
        ("13:48:52.5", "-26:35:34", "20 arcsec", []),
        ("207.2", "-26.5", "20 arcsec", []),
    ],
)
def test_cones_are_round_everywhere_on_the_sky(
    find: Finder, ra: str, dec: str, radius: str, obsids: list[int]
) -> None:
    assert find.obsids("--ra", ra, "--dec", dec, "--radius", radius) == obsids


def test_a_name_becomes_a_position(find: Finder) -> None:
    answer = find("Abell", "1795", "--instrument", "hrc", "--json")
    assert answer.code == 0
    assert answer.err == "Abell 1795 is at RA 207.21880, Dec +26.59280 (Sesame)\n"
    assert (answer.document["ra"], answer.document["dec"]) == (207.2188, 26.5928)


def test_an_unknown_name_is_the_users_mistake(find: Finder) -> None:
    answer = find("Abel", "l795")
    assert answer.code == 2
    assert answer.err.startswith("no object named 'Abel l795' is known to Sesame; give the position")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("broken", "gave no usable answer: it answers 500"),
        ("html", "gave no usable answer: it is not one of Sesame"),
        ("drip", "did not answer in 1 s"),
    ],
)
def test_a_bad_name_service_is_named(find: Finder, names: str, message: str) -> None:
    answer = find("Abell 1795", "--timeout", "1 s", names=names)
    assert answer.code == 3
    assert f"{find.services.url}/{names}/ {message}" in answer.err
    assert "--ra and --dec" in answer.err


def test_the_recipe_is_valid_and_says_what_each_observation_is(find: Finder, tmp_path: Path) -> None:
    answer = find("Abell 1795", "--instrument", "acis", "-o", "recipe.yaml")
    assert answer.code == 0
    assert answer.out.endswith("written to recipe.yaml\n")
    text = (tmp_path / "recipe.yaml").read_text()
    assert "  - 493     # ABELL1795  ACIS-S  NONE  19.6 ks  2000-03-21  0.2'\n" in text
    assert "  - 29999   # A1795  ACIS-I  NONE  30.0 ks  2025-01-01  0.2'  not public yet\n" in text
    assert "# Chandra observations within 10.0' of RA 207.21880, Dec +26.59280, ACIS.\n" in text
    recipe = load_recipe(tmp_path / "recipe.yaml")
    assert recipe.observations == (493, 494, 3666, 4002, 10432, 29999)
    assert (recipe.title, recipe.stages[-1]) == ("Abell 1795", "rate_image")


def test_nothing_in_a_target_name_gets_out_of_its_comment(find: Finder, tmp_path: Path) -> None:
    answer = find(*A1795, "--instrument", "hrc", "-o", "recipe.yaml")
    assert answer.code == 0
    assert "\x9b" not in answer.out
    text = (tmp_path / "recipe.yaml").read_text()
    assert "  - 4001    # A1795 31m - 1: {evil: x} #  HRC-I  NONE  2.0 ks" in text
    assert load_recipe(tmp_path / "recipe.yaml").observations == (4001,)


def test_acis_and_hrc_together_need_a_word_on_what_to_extend(find: Finder, tmp_path: Path) -> None:
    answer = find(*A1795, "-o", "recipe.yaml")
    assert answer.code == 2
    assert "choose one with --instrument" in answer.err
    assert not list(tmp_path.iterdir())
    (tmp_path / "base.yaml").write_text("recipe: 1\nstages:\n  deflare: {}\n")
    assert find(*A1795, "-o", "recipe.yaml", "--extends", "base.yaml").code == 0
    assert load_recipe(tmp_path / "recipe.yaml").stages == ("deflare",)


def test_a_recipe_that_would_not_be_valid_is_not_left_behind(find: Finder, tmp_path: Path) -> None:
    answer = find(*A1795, "-o", "recipe.yaml", "--extends", "no_such.yaml")
    assert answer.code == 2
    assert "no_such.yaml" in answer.err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["recipe.yaml", "no/such/directory.yaml", "link.yaml"])
def test_nothing_is_overwritten_or_asked_in_vain(find: Finder, tmp_path: Path, name: str) -> None:
    (tmp_path / "recipe.yaml").write_text("mine")
    (tmp_path / "link.yaml").symlink_to("elsewhere.yaml")
    asked = len(find.services.queries)
    assert find(*A1795, "-o", name).code == 2
    assert (tmp_path / "recipe.yaml").read_text() == "mine"
    assert len(find.services.queries) == asked
    assert not (tmp_path / "elsewhere.yaml").exists()


def test_nothing_found_is_exit_1_and_no_recipe(find: Finder, tmp_path: Path) -> None:
    answer = find("--ra", "10", "--dec", "10", "-o", "recipe.yaml")
    assert (answer.code, answer.out.splitlines()[-1]) == (1, "0 observations")
    answer = find("--ra", "10", "--dec", "10", "--json", "-o", "recipe.yaml")
    assert answer.code == 1
    assert (answer.document["observations"], answer.document["recipe"]) == ([], None)
    assert not (tmp_path / "recipe.yaml").exists()


@pytest.mark.parametrize(
    ("service", "message"),
    [
        ("error", "refused the query: No such table 31m observation"),
        ("error400", "refused the query: No such table 31m observation"),
        ("broken", "the server answers 500"),
        ("html", "gave no usable answer"),
        ("malformed", "gave no usable answer"),
        ("cut", "gave no usable answer"),
        (
            "columns",
            "its answer has no column target_name, instrument, grating, exposure_time, start_date, status",
        ),
        ("silent", "did not answer in 1 s"),
        ("drip", "did not answer in 1 s"),
    ],
)
def test_a_bad_service_is_exit_3_with_what_is_bad(
    find: Finder, tmp_path: Path, service: str, message: str
) -> None:
    timeout = "1 s" if service in ("silent", "drip") else "30 s"
    started = time.monotonic()
    answer = find(*A1795, "--timeout", timeout, "-o", "r.yaml", service=service)
    assert time.monotonic() - started < 20
    assert (answer.code, answer.out) == (3, "")
    assert f"{find.services.url}/{service}" in answer.err
    assert message in answer.err
    assert answer.err.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_a_service_that_is_not_there_is_exit_3(chandra_run: Run) -> None:
    answer = chandra_run("find", *A1795, "--service", "http://127.0.0.1:1/tap")
    assert answer.code == 3
    assert "it cannot be reached; try again later, or use --service heasarc" in answer.err


def test_a_list_that_was_cut_short_is_refused(find: Finder) -> None:
    answer = find(*A1795, service="overflow")
    assert answer.code == 2
    assert "smaller --radius" in answer.err


def test_an_entry_that_makes_no_sense_is_left_out_with_a_warning(find: Finder) -> None:
    answer = find(*A1795, "--instrument", "acis", "--json", service="nonsense")
    assert [found["observation"] for found in answer.document["observations"]] == [3666, 4002, 10432]
    assert answer.err.count("is not valid and is left out") == 3


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["Abell 1795", "--ra", "207"],
        ["--ra", "207"],
        ["--dec", "26"],
        ["--ra", "207", "--dec", "91"],
        ["--ra", "25:00:00", "--dec", "26"],
        ["--ra", "nan", "--dec", "26"],
        ["--ra", "207", "--dec", "26:61:00"],
        ["--ra", "207", "--dec", "26); DROP TABLE observation"],
        [*A1795, "--radius", "10"],
        [*A1795, "--radius", "0 deg"],
        [*A1795, "--radius", "10 s"],
        [*A1795, "--radius", "90 deg"],
        [*A1795, "--min-exposure", "5"],
        [*A1795, "--after", "2010"],
        [*A1795, "--before", "2010-02-30"],
        [*A1795, "--instrument", "epic"],
        [*A1795, "--grating", "hetg' OR '1'='1"],
        [*A1795, "--timeout", "0 s"],
        ["A\x1b[31m"],
        ["A" * 200],
    ],
)
def test_a_wrong_command_line_is_exit_2_and_asks_nobody(find: Finder, arguments: list[str]) -> None:
    asked = len(find.services.queries)
    answer = find(*arguments)
    assert answer.code == 2
    assert answer.err
    assert not answer.out
    assert len(find.services.queries) == asked


@pytest.mark.parametrize("service", ["cxcc", "ftp://archive.example/tap", "heasarc=file:///etc"])
def test_a_service_that_cannot_be_is_exit_2(chandra_run: Run, service: str) -> None:
    answer = chandra_run("find", *A1795, "--service", service)
    assert answer.code == 2
    assert f"--service {service}" in answer.err
