"""Stacks on disk: pages, truth, and going on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from crystalgauge.cli import main
from crystalgauge.core import ArgumentError, ReadError
from crystalgauge.datasets.stacks import write_stacks

if TYPE_CHECKING:
    from pathlib import Path


def test_the_command_writes_pages_with_their_truth_and_goes_on(tmp_path: Path) -> None:
    words = ["simulate", "zstack", "--size", "48", "--seed", "111", "--out", str(tmp_path / "a")]
    for number in ("1", "2"):
        with pytest.raises(SystemExit) as end:
            main([*words, "--n", number])
        assert not end.value.code
    truth = json.loads((tmp_path / "a" / "truth.json").read_text())
    assert [stack["content"] for stack in truth["stacks"]] == ["nuclei", "crystals"]
    for stack in truth["stacks"]:
        pages = tifffile.imread(tmp_path / "a" / stack["file_name"])
        assert pages.shape == (31, 48, 48)
        assert stack["focal_plane"] == 16
        assert stack["plane_offset_um"][10] == -12
        assert int(np.argmin(stack["blur_sigma_px"])) == 16
        assert all(abs(each["depth_um"]) <= 2 for each in stack["objects"])
    write_stacks(tmp_path / "b", 2, size=48, seed=111)
    for name in ("stacks/000000.tif", "stacks/000001.tif", "truth.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_lost_stack_is_made_again(tmp_path: Path) -> None:
    write_stacks(tmp_path, 2, size=32, seed=112, contents=("nuclei",))
    lost = tmp_path / "stacks" / "000001.tif"
    before = lost.read_bytes()
    lost.unlink()
    write_stacks(tmp_path, 2, size=32, seed=112, contents=("nuclei",))
    assert lost.read_bytes() == before


def test_impossible_arguments_and_other_settings(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="n must be at least 1"):
        write_stacks(tmp_path, 0)
    write_stacks(tmp_path, 1, size=32, contents=("nuclei",))
    with pytest.raises(ArgumentError, match="other settings"):
        write_stacks(tmp_path, 1, size=40, contents=("nuclei",))
    (tmp_path / "truth.json").write_text("{")
    with pytest.raises(ReadError, match="damaged"):
        write_stacks(tmp_path, 1, size=32, contents=("nuclei",))
