"""Names: readable, unique, safe as file names, stable."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.pipeline.naming import picture_names, readable


@given(st.binary(min_size=1, max_size=40).filter(lambda raw: b"\0" not in raw))
@settings(max_examples=40, deadline=None)
def test_any_file_name_prints_on_one_line_as_utf8(raw: bytes) -> None:
    text = readable(os.fsdecode(raw))
    assert text.isprintable()
    text.encode("utf-8")


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("a\nb.png", "a\\nb.png"),
        ("\u202egnp.exe", "\\u202egnp.exe"),
        ("ü漢 'x'.png", "ü漢 'x'.png"),
        ("\x1b[31m.png", "\\x1b[31m.png"),
        ("\udcff.png", "\ufffd.png"),
    ],
)
def test_what_does_not_print_is_escaped(raw: str, shown: str) -> None:
    assert readable(raw) == shown


def test_names_are_the_paths_below_the_shared_folder() -> None:
    names = picture_names([Path("/d/a/1.png"), Path("/d/b/c/1.png")])
    assert [name.shown for name in names] == ["a/1.png", "b/c/1.png"]
    assert [name.stem for name in names] == ["a_1", "b_c_1"]
    assert picture_names([Path("/d/a/1.png")])[0].shown == "1.png"


def test_stems_that_differ_by_suffix_or_case_are_numbered() -> None:
    names = picture_names([Path("/d/a.png"), Path("/d/a.tif"), Path("/d/A.png")])
    assert [name.stem for name in names] == ["a", "a-2", "A-3"]
    assert len({name.shown for name in names}) == 3


def test_names_that_read_alike_stay_apart() -> None:
    names = picture_names([Path("/d/a\n.png"), Path("/d/a\\n.png")])
    assert len({name.shown for name in names}) == 2


NAME = st.text(min_size=1, max_size=60).filter(lambda t: not set("/\0") & set(t) and t not in "..")


@given(st.lists(NAME, min_size=1, max_size=8, unique=True))
@settings(max_examples=40, deadline=None)
def test_stems_can_be_files_anywhere(texts: list[str]) -> None:
    stems = [name.stem for name in picture_names([Path("/d") / text for text in texts])]
    assert len({stem.casefold() for stem in stems}) == len(texts)
    for stem in stems:
        assert stem.strip("._")
        assert len(stem.encode()) <= 130
        assert not set('/\\:*?"<>|\n\r\t ') & set(stem)


def test_pages_are_numbered() -> None:
    name = picture_names([Path("/d/stack.tif")])[0]
    assert name.page(None) is name
    assert (name.page(3).shown, name.page(3).stem) == ("stack.tif#3", "stack_p3")


def test_no_paths_have_no_names() -> None:
    assert picture_names([]) == []
