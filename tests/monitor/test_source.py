"""Which files of a folder are whole, new or changed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from crystalgauge.core import ReadError
from crystalgauge.monitor.source import FolderSource, Stamp, path_key, scan

if TYPE_CHECKING:
    from pathlib import Path

    from crystalgauge.monitor.source import FoundFile


def write(path: Path, content: bytes = b"x", mtime_s: int = 1_700_000_000) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (mtime_s, mtime_s))
    return path


def names(found: list[FoundFile]) -> list[str]:
    return [each.path.name for each in found]


def test_a_file_that_grows_is_left_alone_until_it_stays_the_same(tmp_path: Path) -> None:
    source = FolderSource(tmp_path, settle_s=2)
    write(tmp_path / "a.tif", b"x")
    assert source.look(0) == []
    write(tmp_path / "a.tif", b"xx")
    assert source.look(3) == []
    assert source.waiting == 1
    assert source.look(4) == []
    assert names(source.look(5)) == ["a.tif"]


def test_a_new_time_of_the_same_size_begins_the_wait_anew(tmp_path: Path) -> None:
    source = FolderSource(tmp_path, settle_s=2)
    write(tmp_path / "a.tif")
    source.look(0)
    write(tmp_path / "a.tif", b"y", mtime_s=1_700_000_001)
    assert source.look(2) == []
    assert names(source.look(4)) == ["a.tif"]


def test_the_clock_of_the_instrument_does_not_matter(tmp_path: Path) -> None:
    source = FolderSource(tmp_path, settle_s=1)
    write(tmp_path / "future.tif", mtime_s=4_000_000_000)
    write(tmp_path / "past.tif", mtime_s=1)
    assert source.look(0) == []
    assert names(source.look(1)) == ["past.tif", "future.tif"]


def test_oldest_first_and_by_natural_name_at_the_same_time(tmp_path: Path) -> None:
    for name, mtime_s in (("img10.png", 5), ("img2.png", 5), ("late.png", 9), ("early.png", 1)):
        write(tmp_path / name, mtime_s=mtime_s)
    found = FolderSource(tmp_path, settle_s=0).look(0)
    assert names(found) == ["early.png", "img2.png", "img10.png", "late.png"]


def test_finished_files_come_back_only_when_they_change(tmp_path: Path) -> None:
    source = FolderSource(tmp_path, settle_s=0)
    write(tmp_path / "a.png")
    (found,) = source.look(0)
    source.finish(found)
    assert source.look(1) == []
    assert source.waiting == 0
    write(tmp_path / "a.png", b"other")
    assert names(source.look(2)) == ["a.png"]


def test_what_was_done_before_is_not_found_again(tmp_path: Path) -> None:
    path = write(tmp_path / "a.png")
    done = {path_key(path): Stamp.of(path)}
    assert FolderSource(tmp_path, settle_s=0, done=done).look(0) == []
    write(path, b"changed")
    assert names(FolderSource(tmp_path, settle_s=0, done=done).look(0)) == ["a.png"]


def test_unsettled_files_wait_again(tmp_path: Path) -> None:
    source = FolderSource(tmp_path, settle_s=1)
    write(tmp_path / "a.png")
    source.look(0)
    (found,) = source.look(1)
    source.unsettle(found)
    assert source.look(2) == []
    assert names(source.look(3)) == ["a.png"]


def test_a_renamed_file_is_a_new_name_and_the_old_one_is_forgotten(tmp_path: Path) -> None:
    source = FolderSource(tmp_path, settle_s=1)
    path = write(tmp_path / "a.png")
    source.look(0)
    path.rename(tmp_path / "b.png")
    assert source.look(1) == []
    assert names(source.look(2)) == ["b.png"]


def test_only_pictures_are_found(tmp_path: Path) -> None:
    for name in (
        "a.tif",
        "b.PNG",
        "notes.txt",
        ".hidden.tif",
        "c.tif.part",
        "sub/d.jpg",
        ".x/e.png",
    ):
        write(tmp_path / name)
    write(tmp_path / "out/provenance.json")
    write(tmp_path / "out/images.csv")
    write(tmp_path / "out/overlays/f.png")
    assert {path.name for path, _ in scan(tmp_path)} == {"a.tif", "b.PNG", "d.jpg"}
    assert {path.name for path, _ in scan(tmp_path, "*.TIF")} == {"a.tif"}
    assert {path.name for path, _ in scan(tmp_path, "*.part")} == {"c.tif.part"}


def test_a_zarr_folder_is_one_picture_that_changes_with_its_files(tmp_path: Path) -> None:
    write(tmp_path / "a.zarr/.zattrs")
    write(tmp_path / "a.zarr/0/0.0", b"123")
    ((path, stamp),) = scan(tmp_path)
    assert path.name == "a.zarr"
    write(tmp_path / "a.zarr/0/0.1", b"456")
    ((_, later),) = scan(tmp_path)
    assert later.size == stamp.size + 3


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="check its name"):
        FolderSource(tmp_path / "gone").look(0)


def test_names_that_are_no_text_have_keys_that_any_database_takes(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"a\xff.png")
    assert path_key(path).endswith(r"a\xff.png")
    path_key(path).encode("utf-8")
