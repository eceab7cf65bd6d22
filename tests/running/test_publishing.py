"""Products are replaced whole, and a crash in between is repaired."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chandra_runner.running.publishing import aside_directory, publish, repair
from chandra_runner.storage.state_directory import scratch_directory


def directory(path: Path, text: str) -> Path:
    """A directory with one file."""
    path.mkdir(parents=True)
    (path / "file.txt").write_text(text)
    return path


def test_new_products_take_the_place_of_the_old(tmp_path: Path) -> None:
    target = directory(tmp_path / "11" / "deflare", "old")
    aside = aside_directory(tmp_path, 11, "deflare")
    publish(directory(tmp_path / "new", "new"), target, aside)
    assert [path.name for path in target.iterdir()] == ["file.txt"]
    assert (target / "file.txt").read_text() == "new"
    assert not aside.exists()


@pytest.mark.parametrize("in_place", ["file", "dangling link", "link to a directory"])
def test_what_is_in_the_place_of_products_gives_way_to_them(tmp_path: Path, in_place: str) -> None:
    target, elsewhere = tmp_path / "11" / "deflare", directory(tmp_path / "elsewhere", "precious")
    target.parent.mkdir()
    if in_place == "file":
        target.touch()
    else:
        target.symlink_to(elsewhere if in_place == "link to a directory" else tmp_path / "nothing")
    aside = aside_directory(tmp_path, 11, "deflare")
    for text in ("first", "second"):
        publish(directory(tmp_path / text, text), target, aside)
        assert (target / "file.txt").read_text() == text
    assert not os.path.lexists(aside)
    assert (elsewhere / "file.txt").read_text() == "precious"


def test_a_crash_before_the_new_products_are_in_place_is_repaired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = directory(tmp_path / "11" / "deflare", "old")
    new = directory(tmp_path / "new", "new")
    rename = Path.rename

    def crash(self: Path, to: Path) -> Path:
        if self == new:
            raise KeyboardInterrupt
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", crash)
    with pytest.raises(KeyboardInterrupt):
        publish(new, target, aside_directory(tmp_path, 11, "deflare"))
    assert not target.exists()
    monkeypatch.undo()
    assert repair(tmp_path, 11) == ["deflare"]
    assert (target / "file.txt").read_text() == "old"


def test_a_failed_rename_brings_the_old_products_back_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = directory(tmp_path / "11" / "deflare", "old")
    new = directory(tmp_path / "new", "new")
    rename = Path.rename

    def fail(self: Path, to: Path) -> Path:
        if self == new:
            raise OSError(5, "input/output error")
        return rename(self, to)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="input/output"):
        publish(new, target, aside_directory(tmp_path, 11, "deflare"))
    assert (target / "file.txt").read_text() == "old"


def test_repair_removes_old_products_whose_successors_are_in_place_and_scratch(tmp_path: Path) -> None:
    target = directory(tmp_path / "11" / "deflare", "new")
    directory(aside_directory(tmp_path, 11, "deflare"), "old")
    directory(scratch_directory(tmp_path, 11) / "deflare-x", "half")
    assert repair(tmp_path, 11) == []
    assert (target / "file.txt").read_text() == "new"
    assert not scratch_directory(tmp_path, 11).exists()
    assert not aside_directory(tmp_path, 11, "deflare").exists()


def test_everything_is_on_disk_before_it_is_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash of the machine cannot be tried here; what can be seen is the order of the calls."""
    target = directory(tmp_path / "11" / "deflare", "old")
    new = directory(tmp_path / "new", "new")
    directory(new / "below", "deeper")
    inodes = {path.stat().st_ino for path in (new, *new.rglob("*"))}
    calls: list[int | str] = []
    fsync, rename = os.fsync, Path.rename

    def sync(descriptor: int) -> None:
        calls.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    def move(self: Path, to: Path) -> Path:
        calls.append(f"{self.name} -> {to.name}")
        return rename(self, to)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", move)
    publish(new, target, aside_directory(tmp_path, 11, "deflare"))
    in_place = calls.index("new -> deflare")
    assert inodes <= set(calls[:in_place])
    assert target.parent.stat().st_ino in calls[in_place:]
