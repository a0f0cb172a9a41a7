from __future__ import annotations

import os

import pytest

from crystalgauge.io import find_pictures, is_result_folder
from crystalgauge.io.discovery import natural_key


@pytest.fixture
def folder(tmp_path):
    for name in (
        "drop10.png", "drop2.png", "Drop1.PNG", "notes.txt", ".hidden.png",
        "sub/c.tif", "sub/.cache/d.tif", "out/e.png", "out/overlays/f.png",
        "out/provenance.json", "simulated/g.png", "simulated/provenance.json",
    ):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return tmp_path


def found(discovery, folder):
    return [path.relative_to(folder).as_posix() for path in discovery.paths]


def test_folder_is_searched_naturally_without_hidden_and_own_results(folder):
    result = find_pictures([folder])
    assert found(result, folder) == [
        "Drop1.PNG", "drop2.png", "drop10.png", "simulated/g.png", "sub/c.tif",
    ]  # fmt: skip
    assert result.problems == ()


def test_named_files_are_taken_whatever_their_suffix_and_only_once(folder):
    result = find_pictures([folder / "notes.txt", folder / "drop2.png", str(folder / "drop2.png")])
    assert found(result, folder) == ["notes.txt", "drop2.png"]


def test_patterns(folder):
    assert found(find_pictures([f"{folder}/drop*"]), folder) == ["drop2.png", "drop10.png"]
    assert found(find_pictures([f"{folder}/**/*.tif"]), folder) == ["sub/c.tif"]
    assert found(find_pictures([f"{folder}/*.txt"]), folder) == ["notes.txt"]
    assert found(find_pictures([f"{folder}/s*"]), folder) == ["simulated/g.png", "sub/c.tif"]


def test_a_literal_name_wins_over_a_pattern(tmp_path):
    (tmp_path / "a[1].png").write_bytes(b"x")
    (tmp_path / "a1.png").write_bytes(b"x")
    assert found(find_pictures([tmp_path / "a[1].png"]), tmp_path) == ["a[1].png"]


def test_the_batch_goes_on_when_something_is_missing(folder):
    (folder / "empty").mkdir()
    result = find_pictures(
        [folder / "missing.png", folder / "drop2.png", folder / "empty", f"{folder}/*.gif"]
    )
    assert found(result, folder) == ["drop2.png"]
    messages = [problem.message for problem in result.problems]
    assert len(messages) == 3
    assert "no file or folder" in messages[0]
    assert "no picture in" in messages[1]
    assert "no picture matches" in messages[2]


def test_own_results_named_directly_are_refused_and_excluded_folders_skipped(folder):
    assert is_result_folder(folder / "out")
    assert not is_result_folder(folder / "simulated")
    assert "results of this program" in find_pictures([folder / "out"]).problems[0].message
    assert "sub/c.tif" not in found(find_pictures([folder], exclude=[folder / "sub"]), folder)


def test_unreadable_folder_is_reported(folder, monkeypatch):
    real = os.scandir

    def refuse(path):
        if str(path).endswith("sub"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", refuse)
    result = find_pictures([folder])
    assert "drop2.png" in found(result, folder)
    assert "cannot read the folder" in result.problems[0].message
    assert "Permission denied" in result.problems[0].message


@pytest.mark.parametrize("name", ["a b.png", "it's \"x\".png", "two\nlines.png", "<b>&amp;.png",
                                  "кристалл-結晶.png"])  # fmt: skip
def test_odd_names_survive(tmp_path, name):
    (tmp_path / name).write_bytes(b"x")
    assert find_pictures([tmp_path]).paths == (tmp_path / name,)


def test_links_to_folders_are_not_followed(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(b"x")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    assert found(find_pictures([tmp_path]), tmp_path) == ["a/x.png"]


def test_zarr_folder_is_one_picture(tmp_path):
    (tmp_path / "x.zarr" / "0").mkdir(parents=True)
    (tmp_path / "x.zarr" / "zarr.json").write_text("{}")
    (tmp_path / "x.zarr" / "0" / "inner.png").write_bytes(b"x")
    assert found(find_pictures([tmp_path]), tmp_path) == ["x.zarr"]


def test_natural_order():
    names = ["b1", "a10", "a2", "a", "2", "10"]
    assert sorted(names, key=natural_key) == ["2", "10", "a", "a2", "a10", "b1"]
