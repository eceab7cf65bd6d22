"""parse_oif answers exactly as the archive's rules say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits

from chandra_runner import parse_oif
from chandra_runner.errors import DataError

from ..obsid_files import write_oif


def types(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: types(item) for key, item in value.items()}
    return [types(item) for item in value] if isinstance(value, list) else type(value)


def test_all_reference_answers_are_equal_in_value_and_type(shared_data: Path) -> None:
    expected = json.loads((shared_data / "oracle/oif/expected.json").read_text())
    answers = {name: parse_oif(shared_data / name) for name in expected}
    assert len(answers) == 10
    assert answers == expected
    assert types(answers) == types(expected)


def test_numbers_are_floats_even_where_the_header_has_whole_ones(tmp_path: Path) -> None:
    path = write_oif(tmp_path / "oif.fits", [("EVT1", "secondary/acisf00042_000N001_evt1.fits")])
    answer = parse_oif(str(path))["ACIS"]
    assert [type(answer[key]) for key in ("DEC_NOM", "SCIENCE_INST_MODULE_Y")] == [float, float]


@pytest.mark.parametrize(
    ("contents", "active"),
    [
        (["EVT1", "EVT2", "ASPSOL"], True),
        (["EVT1", "EVT2", "ASPSOLOBI"], True),
        (["EVT1", "EVT2"], False),
        (["EVT1", "ASPSOL"], False),
        (["EVT2", "ASPSOL"], False),
    ],
)
def test_active_needs_both_event_levels_and_an_aspect_solution(
    tmp_path: Path, contents: list[str], active: bool
) -> None:
    path = write_oif(tmp_path / "oif.fits", [(f"{content}  ", "x") for content in contents])
    assert parse_oif(path)["ACIS"]["active"] is active


def test_observing_intervals_are_sorted_and_gratings_named(tmp_path: Path) -> None:
    evt1 = [("EVT1", f"secondary/acisf00042_{obi}N002_evt1.fits") for obi in ("002", "000")]
    answer = parse_oif(write_oif(tmp_path / "oif.fits", evt1, GRATING="HETG"))["ACIS"]
    assert (answer["sub_exp"], answer["sub_exp_ids"]) == (True, ["E000", "E002"])
    assert (answer["GRATING"], answer["GRATING_NAME"]) == (True, "HETG")


@pytest.mark.parametrize(
    "damage", ["missing", "empty", "text", "truncated", "image", "no column", "no keyword"]
)
def test_a_damaged_index_is_refused_by_name(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "oif.fits"
    members = [("EVT1", "secondary/acisf00042_000N001_evt1.fits")] * 40
    match damage:
        case "empty":
            path.touch()
        case "text":
            path.write_text("<html>Not found</html>")
        case "truncated":
            whole = write_oif(path, members).read_bytes()
            path.write_bytes(whole[: len(whole) - 4000])
        case "image":
            fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU()]).writeto(path)
        case "no column":
            column = fits.Column("MEMBER_CONTENT", "4A", array=["EVT1"])
            fits.BinTableHDU.from_columns([column]).writeto(path)
        case "no keyword":
            write_oif(path, members, DETNAM=None)
    with pytest.raises(DataError, match=r"oif\.fits"):
        parse_oif(path)
