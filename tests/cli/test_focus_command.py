"""``crystalgauge focus`` and the gate of ``crystalgauge measure``, as a user meets them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest

from crystalgauge.cli import main
from crystalgauge.datasets.focus_content import draw_leaves
from crystalgauge.models import list_models

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif("focus" not in list_models(), reason="no weights of focus here")


def save(path: Path, sigma: float) -> Path:
    light = cv2.GaussianBlur(draw_leaves(np.random.default_rng(4), 192), (0, 0), sigma)
    noise = np.random.default_rng(4).normal(0, 1.0, light.shape)
    cv2.imwrite(str(path), (60 + 70 * light + noise).round().clip(0, 255).astype(np.uint8))
    return path


def run(*words: str | Path) -> int | None:
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    code = end.value.code
    assert code is None or isinstance(code, int)
    return code


def test_verdicts_are_printed_and_a_bad_file_does_not_stop_the_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = save(tmp_path / "good.png", 1.0), tmp_path / "bad.png"
    bad.write_text("no picture")
    assert run("focus", good, bad, "--out", tmp_path / "out") == 1
    told = capsys.readouterr()
    assert "in focus" in told.out
    assert told.err.count("failed: bad.png") == 1
    assert run("focus", bad, "--out", tmp_path / "none") == 2


def test_a_stack_tells_its_best_plane_and_fuses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planes = [save(tmp_path / f"{k}.png", sigma) for k, sigma in enumerate((4.0, 1.0, 6.0))]
    assert not run("focus", *planes, "--out", tmp_path / "out", "--fuse")
    assert "plane 1 (1.png) is the best" in capsys.readouterr().out
    assert (tmp_path / "out" / "fused.tif").exists()
    cv2.imwrite(str(tmp_path / "small.png"), np.full((64, 64), 90, np.uint8))
    assert run("focus", planes[0], tmp_path / "small.png", "--out", tmp_path / "out", "--fuse") == 2
    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left.isdisjoint({"fused.tif", "fused-depth.tif", "focus-stack.csv"})  # of other planes
    capsys.readouterr()
    assert run("focus", planes[0], "--out", tmp_path / "one", "--stack") == 2
    assert "two planes or more, got 1" in capsys.readouterr().err


def test_measure_leaves_out_what_is_out_of_focus_only_when_asked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    soft = save(tmp_path / "soft.png", 7.0)
    assert not run("measure", soft, "--out", tmp_path / "all")
    capsys.readouterr()
    assert run("measure", soft, "--out", tmp_path / "gated", "--min-focus", "0.9") == 2
    told = capsys.readouterr()
    assert "out of focus: soft.png" in told.err
    assert "1 left out as out of focus" in told.out
    assert not run(
        "measure", soft, "--out", tmp_path / "lax", "--min-focus", "0.9", "--max-blur", "20"
    )
