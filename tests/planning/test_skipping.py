"""What is up to date does not run again; what changed does, and only that: through the command line."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from chandra_runner.planning.manifest import read_manifest

from ..conftest import ProbeProject

RECIPE = "stages:\n  probe: {}\n  probe_reader: {}\n"


def flip_byte(path: Path, where: int = -1) -> None:
    """Change one byte of a file, and nothing of its stat that can be helped."""
    stat = path.stat()
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))


def made(probe: ProbeProject) -> set[str]:
    """Stages that ran."""
    answer = probe.run("--json")
    assert answer.code == 0
    return {stage for (_, stage), outcome in answer.outcomes.items() if outcome == "done"}


def test_a_second_run_does_nothing_and_says_so(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    assert made(probe) == {"download", "probe", "probe_reader"}
    answer = probe.run()
    assert answer.code == 0
    assert "nothing to do" in answer.out


def test_touched_files_rerun_nothing(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    for path in probe.directory.rglob("*"):
        os.utime(path)
    assert made(probe) == set()


def test_moved_products_and_data_rerun_nothing(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    shutil.copytree(probe.directory / "products", probe.directory / "elsewhere")
    shutil.rmtree(probe.directory / "products")
    (probe.directory / "data").rename(probe.directory / "raw")
    answer = probe.run("--json", "--products", "elsewhere", "--data", "raw")
    assert set(answer.document["counts"]) == {"up_to_date"}


def test_deleted_state_is_rebuilt_and_reruns_nothing(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    shutil.rmtree(probe.directory / "products" / ".chandra-run")
    assert made(probe) == set()


def test_damaged_state_is_rebuilt_and_reruns_nothing(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    (state,) = (probe.directory / "products" / ".chandra-run" / "state").iterdir()
    for text in ("", "[]", '{"state": 1, "files": {"x": []}, "manifests": {}, "failures": {}}'):
        state.write_text(text)
        assert made(probe) == set()


def test_one_flipped_byte_in_a_product_reruns_that_task_alone(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    flip_byte(probe.product(11, "probe/count.txt"))
    assert "product count.txt was altered" in probe.plan().reasons(11, "probe")
    assert made(probe) == {"probe"}


def test_a_deleted_product_is_made_again(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    probe.product(11, "probe_reader/copy.txt").unlink()
    assert probe.plan().reasons(11, "probe_reader") == "product copy.txt is missing"
    assert made(probe) == {"probe_reader"}


def test_deleted_or_damaged_manifests_are_made_again(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    probe.product(11, "probe/manifest.json").unlink()
    probe.product(11, "probe_reader/manifest.json").write_text("{}")
    assert made(probe) == {"probe", "probe_reader"}


def test_a_changed_raw_file_reruns_what_reads_it(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    (raw,) = (probe.directory / "data/11/primary").iterdir()
    flip_byte(raw)
    answer = probe.plan()
    assert answer.reasons(11, "download") == f"raw file primary/{raw.name} changed"
    # The probe reran, counted as many files as before, and the wave stopped there.
    assert made(probe) == {"download", "probe"}


def test_a_raw_file_of_a_kind_that_no_stage_reads_reruns_the_inventory_only(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    (probe.directory / "data/11/primary/acisf00011N001_full_img2.fits").write_bytes(b"picture")
    assert made(probe) == {"download"}


def test_a_changed_setting_reruns_its_stage_and_what_depends_on_it(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    probe.write("stages:\n  probe: {label: new}\n  probe_reader: {}\n")
    plan = probe.plan()
    assert plan.reasons(11, "probe") == "setting label:  -> new"
    assert plan.outcomes[11, "probe_reader"] == "run"
    assert plan.reasons(11, "probe_reader") == "its input may change: probe runs first"
    assert made(probe) == {"probe", "probe_reader"}


def test_a_rerun_that_makes_the_same_stops_the_wave(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    probe.write("stages:\n  probe: {length: 2 s}\n  probe_reader: {}\n")
    assert made(probe) == {"probe"}


def test_the_same_setting_in_another_unit_or_stated_default_reruns_nothing(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {length: 2 min}\n  probe_reader: {}\n")
    made(probe)
    probe.write('stages:\n  probe: {length: 120 s, label: "", behave: well}\n  probe_reader: {}\n')
    assert made(probe) == set()


def test_settings_outside_the_fingerprint_rerun_nothing(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    probe.write("stages:\n  probe: {timeout: 1 h}\n  probe_reader: {}\n")
    assert made(probe) == set()


def test_a_change_for_one_observation_touches_that_one_only(probe: ProbeProject) -> None:
    probe.add_data(12)
    probe.write(RECIPE, "[11, 12]")
    made(probe)
    probe.write(f"{RECIPE}per_observation:\n  12: {{probe: {{label: special}}}}\n", "[11, 12]")
    answer = probe.run("--json")
    assert {task for task, outcome in answer.outcomes.items() if outcome == "done"} == {
        (12, "probe"),
        (12, "probe_reader"),
    }


def test_force_runs_that_stage_alone(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    made(probe)
    answer = probe.run("--json", "--force", "probe")
    assert answer.outcomes == {
        (11, "download"): "up_to_date",
        (11, "probe"): "done",
        (11, "probe_reader"): "up_to_date",
    }
    assert answer.reasons(11, "probe") == "forced"


def test_stage_runs_up_to_there(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    answer = probe.run("--json", "--stage", "probe")
    assert set(answer.outcomes) == {(11, "download"), (11, "probe")}


def test_stages_that_are_not_in_the_plan_are_refused(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {}\n")
    for option in ("--stage", "--force"):
        answer = probe.run(option, "probe_reader")
        assert answer.code == 2
        assert f"{option} probe_reader: the plan has no such stage" in answer.err


def test_plan_and_dry_run_write_nothing_and_agree(probe: ProbeProject) -> None:
    probe.write(RECIPE)
    before = sorted(probe.directory.rglob("*"))
    plan = probe.plan()
    assert plan.document == probe.run("--dry-run", "--json").document
    assert set(plan.document["counts"]) == {"run"}
    assert sorted(probe.directory.rglob("*")) == before


def test_the_manifest_says_what_was_made_from_what(probe: ProbeProject) -> None:
    probe.write("stages:\n  probe: {length: 2 min}\n")
    made(probe)
    manifest = read_manifest(probe.product(11, "probe"))
    assert manifest is not None
    assert manifest.parts.settings == {"length": "120 s"}
    assert list(manifest.parts.inputs) == ["raw/primary/acisf00011N001_evt2.fits"]
    assert manifest.fingerprint == manifest.parts.fingerprint()
    assert [output.path for output in manifest.outputs] == ["count.txt"]
    assert manifest.versions["numpy"]
    assert manifest.peak_memory > 0
