from __future__ import annotations

import errno
import os

import pytest

from crystalgauge.core import WriteError
from crystalgauge.io import replacing


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_file_appears_whole_and_replaces_what_was_there(tmp_path):
    target = tmp_path / "new folder" / "result.txt"
    with replacing(target, "w") as file:
        file.write("first µm")
        assert not target.exists()
    assert target.read_bytes() == "first µm".encode()
    with replacing(target) as file:
        file.write(b"second")
        assert target.read_bytes() == "first µm".encode()
    assert target.read_bytes() == b"second"
    assert names(target.parent) == ["result.txt"]


@pytest.mark.parametrize("interruption", [RuntimeError("bug"), KeyboardInterrupt()])
def test_an_interruption_leaves_the_old_file_and_no_rest(tmp_path, interruption):
    target = tmp_path / "result.csv"
    target.write_text("old")

    def write_and_fail():
        with replacing(target, "w") as file:
            file.write("half of the new")
            raise interruption

    with pytest.raises(type(interruption)):
        write_and_fail()
    assert target.read_text() == "old"
    assert names(tmp_path) == ["result.csv"]


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EACCES, "no permission"), (errno.EROFS, "read-only")],
)
def test_a_refusal_of_the_system_says_what_to_do(tmp_path, monkeypatch, number, words):
    def refuse(_descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)

    def write():
        with replacing(tmp_path / "a.parquet") as file:
            file.write(b"x")

    with pytest.raises(WriteError, match=rf"a\.parquet.*{words}"):
        write()
    assert names(tmp_path) == []


def test_a_file_in_the_way_of_a_folder(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(WriteError, match="taken"), replacing(tmp_path / "taken" / "x.csv"):
        pass


def test_a_folder_of_that_name_is_kept(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kept").write_text("")
    with pytest.raises(WriteError, match="out"), replacing(tmp_path / "out") as file:
        file.write(b"x")
    assert names(tmp_path) == ["out"]
    assert names(tmp_path / "out") == ["kept"]


def test_the_longest_name_still_fits(tmp_path):
    target = tmp_path / ("n" * 251 + ".csv")
    with replacing(target, "w") as file:
        file.write("x")
    assert target.read_text() == "x"


def test_lines_end_the_same_everywhere(tmp_path):
    with replacing(tmp_path / "a.csv", "w") as file:
        file.write("a\nb\n")
    assert (tmp_path / "a.csv").read_bytes() == b"a\nb\n"


def test_other_modes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="'wb' or 'w'"), replacing(tmp_path / "a", "a"):
        pass
