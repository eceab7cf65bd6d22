"""verify reads everything, and finds what is damaged, gone or altered, whatever its time stamps say."""

from __future__ import annotations

import json
import os

import pytest

from ..conftest import Answer, ProbeProject
from ..planning.test_skipping import flip_byte

RAW = "primary/acisf00011N001_evt2.fits"


@pytest.fixture
def made(probe: ProbeProject) -> ProbeProject:
    """A project that was run."""
    probe.write("stages:\n  probe_reader: {}\n")
    assert probe.run().code == 0
    return probe


def verify(probe: ProbeProject, *options: str) -> Answer:
    return probe.call("verify", "recipe.yaml", *options, env=probe.environment)


def damage(probe: ProbeProject) -> list[tuple[str, str, str]]:
    """Stage, path and problem of what is damaged."""
    answer = verify(probe, "--json")
    found = [(d["stage"], d["path"], d["problem"]) for d in json.loads(answer.out)["damage"]]
    assert answer.code == (1 if found else 0)
    return found


def test_intact_files_are_counted_and_nothing_is_written(made: ProbeProject) -> None:
    before = {path: path.stat().st_mtime_ns for path in made.directory.rglob("*")}
    answer = verify(made)
    assert answer.code == 0
    assert answer.out.startswith("5 files, ")
    assert "all are intact" in answer.out
    assert {path: path.stat().st_mtime_ns for path in made.directory.rglob("*")} == before


def test_what_was_never_made_is_not_damaged(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    assert damage(probe) == []


@pytest.mark.parametrize(
    ("path", "stage"), [("products/11/probe/count.txt", "probe"), (f"data/11/{RAW}", "raw data")]
)
def test_a_flipped_byte_is_found_though_the_time_is_the_same(
    made: ProbeProject, path: str, stage: str
) -> None:
    target = made.directory / path
    stat = target.stat()
    flip_byte(target)
    os.utime(target, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    ((where, name, problem),) = damage(made)
    assert (where, problem) == (stage, "was altered")
    assert target.as_posix().endswith(name)
    answer = verify(made)
    assert f"11 {stage}: {name} was altered" in answer.out
    assert "1 damaged" in answer.out


def test_missing_and_cut_files_are_found(made: ProbeProject) -> None:
    made.product(11, "probe_reader/copy.txt").unlink()
    raw = made.directory / "data/11" / RAW
    raw.write_bytes(raw.read_bytes()[:3])
    assert damage(made) == [
        ("probe_reader", "copy.txt", "is missing"),
        ("raw data", RAW, "was altered: 3 bytes, 12 were recorded"),
    ]


def test_data_that_are_gone_are_found(made: ProbeProject) -> None:
    (made.directory / "data").rename(made.directory / "elsewhere")
    ((stage, _, problem),) = damage(made)
    assert stage == "raw data"
    assert "its directory is no longer under" in problem


def test_altered_manifests_are_found(made: ProbeProject) -> None:
    manifest = made.product(11, "probe/manifest.json")
    document = json.loads(manifest.read_text())
    document["parts"]["settings"] = {"label": "never"}
    manifest.write_text(json.dumps(document))
    made.product(11, "probe_reader/manifest.json").write_text("{")
    assert damage(made) == [
        ("probe", "manifest.json", "was altered: its fingerprint does not match its parts"),
        ("probe_reader", "manifest.json", "cannot be read"),
    ]
