"""The focus of many pictures: tables, maps, bad files, stacks, and the gate of `measure`."""

from __future__ import annotations

import csv
import json
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import tifffile
from box_detector import BoxDetector, save

from crystalgauge.core import ArgumentError, WriteError, parse_pixel_size
from crystalgauge.datasets.focus_content import draw_leaves
from crystalgauge.focus.tiles import LEAST_CONTENT
from crystalgauge.models import list_models
from crystalgauge.pipeline import Settings, measure_batch
from crystalgauge.pipeline.focus_batch import FocusSettings, focus_batch
from crystalgauge.pipeline.focus_stack import write_stack

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif("focus" not in list_models(), reason="no weights of focus here")

SIZE = 192


def taken(sigma: float, seed: int = 4) -> np.ndarray:
    """Return a picture of shapes blurred by a Gaussian."""
    light = cv2.GaussianBlur(draw_leaves(np.random.default_rng(seed), SIZE), (0, 0), sigma)
    noise = np.random.default_rng(seed).normal(0, 1.0, light.shape)
    return (60 + 70 * light + noise).round().clip(0, 255).astype(np.uint8)


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("focus") / "in"
    save(folder / "blank.png", np.full((SIZE, SIZE), 120, np.uint8))
    save(folder / "sharp.png", taken(1.0))
    save(folder / "soft.png", taken(6.0))
    (folder / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n but no more")
    return folder


def test_pictures_tiles_and_maps(pictures: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int, str]] = []
    settings = FocusSettings(pixel_size=parse_pixel_size("0.5um"))
    result = focus_batch(
        [pictures], tmp_path / "out", settings=settings, on_progress=lambda *a: seen.append(a)
    )
    assert (result.judged, result.failed) == (3, 1)
    assert seen[-1][:2] == (4, 4)
    table = {row["picture"]: row for row in rows(tmp_path / "out" / "focus.csv")}
    assert {name: row["verdict"] for name, row in table.items()} == {
        "blank.png": "nothing to judge", "broken.png": "", "sharp.png": "in focus",
        "soft.png": "out of focus",
    }  # fmt: skip
    assert table["broken.png"]["status"] == "failed"
    assert "broken.png" in table["broken.png"]["message"]
    soft = table["soft.png"]
    assert float(soft["blur_um"]) == pytest.approx(0.5 * float(soft["blur_px"]), rel=1e-3)
    assert float(soft["blur_low_px"]) < float(soft["blur_px"]) < float(soft["blur_high_px"])
    assert table["blank.png"]["blur_px"] == ""
    tiles = rows(tmp_path / "out" / "focus-tiles.csv")
    assert len(tiles) == 3 * 36
    for row in tiles:
        if float(row["content"]) < LEAST_CONTENT:
            assert row["blur_px"] == ""
        assert row["in_focus"] == ("" if not row["blur_px"] else
                                   "true" if float(row["blur_px"]) <= 3 else "false")  # fmt: skip
    maps = {path.name for path in (tmp_path / "out" / "focus-maps").iterdir()}
    assert maps == {"blank.png", "sharp.png", "soft.png"}
    facts = json.loads((tmp_path / "out" / "focus.json").read_text())
    assert facts["arguments"]["most_blur_px"] == 3.0
    assert len(facts["inputs"][0]["sha256"]) == 64


def test_ctrl_c_leaves_tables_of_what_was_judged(pictures: Path, tmp_path: Path) -> None:
    def stop_at_the_third(done: int, total: int, name: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    chosen = [pictures / name for name in ("sharp.png", "broken.png", "soft.png")]
    with pytest.raises(KeyboardInterrupt, match="judged until then: 1 picture"):
        focus_batch(chosen, tmp_path / "out", on_progress=stop_at_the_third)
    assert [row["status"] for row in rows(tmp_path / "out" / "focus.csv")] == ["ok", "failed"]
    assert {row["picture"] for row in rows(tmp_path / "out" / "focus-tiles.csv")} == {"sharp.png"}
    assert json.loads((tmp_path / "out" / "focus.json").read_text())["complete"] is False


def test_tables_have_their_columns_when_no_picture_could_be_read(
    pictures: Path, tmp_path: Path
) -> None:
    result = focus_batch([pictures / "broken.png"], tmp_path / "none")
    assert (result.judged, result.failed) == (0, 1)
    focus_batch([pictures / "sharp.png"], tmp_path / "some")
    heads = [(tmp_path / f / "focus-tiles.csv").read_text().split("\n") for f in ("none", "some")]
    assert heads[0] == [heads[1][0], ""]


def test_limits_are_the_users(pictures: Path, tmp_path: Path) -> None:
    result = focus_batch(
        [pictures / "soft.png"], tmp_path, settings=FocusSettings(most_blur_px=9.0)
    )
    (entry,) = result.entries
    assert entry.focus is not None
    assert entry.focus.verdict == "in focus"
    with pytest.raises(ArgumentError, match="positive px"):
        FocusSettings(most_blur_px=-1)


def test_nothing_to_read_and_nowhere_to_write(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="nowhere"):
        focus_batch([tmp_path / "nowhere.png"], tmp_path / "out")
    (tmp_path / "file").write_text("taken")
    with pytest.raises(WriteError, match="is a file"):
        focus_batch([pictures], tmp_path / "file")


def test_a_stack_in_one_file_has_its_best_plane_and_is_fused(tmp_path: Path) -> None:
    planes = np.stack([taken(sigma, 8) for sigma in (5.0, 1.0, 3.0)])
    tifffile.imwrite(tmp_path / "stack.tif", planes, photometric="minisblack")
    result = focus_batch([tmp_path / "stack.tif"], tmp_path / "out", keep_pictures=True)
    found = write_stack(result, fused=True)
    assert found.best == 1
    table = rows(tmp_path / "out" / "focus-stack.csv")
    assert [row["best"] for row in table] == ["false", "true", "false"]
    assert [row["picture"] for row in table] == [f"stack.tif#{k}" for k in (1, 2, 3)]
    fused = tifffile.imread(tmp_path / "out" / "fused.tif")
    depth = tifffile.imread(tmp_path / "out" / "fused-depth.tif")
    assert fused.dtype == np.uint8
    assert (np.abs(fused.astype(int) - planes[1]) <= 1).mean() > 0.95
    assert np.median(depth) == pytest.approx(1.0, abs=0.01)
    bare = focus_batch([tmp_path / "stack.tif"], tmp_path / "bare")
    with pytest.raises(ArgumentError, match="were not kept"):
        write_stack(bare, fused=True)


def test_the_gate_leaves_out_what_is_out_of_focus_and_says_so(
    pictures: Path, tmp_path: Path
) -> None:
    chosen = [pictures / "sharp.png", pictures / "soft.png", pictures / "blank.png"]
    out = tmp_path / "out"
    settings = Settings(min_focus=0.9)
    result = measure_batch(chosen, out, settings=settings, detector=BoxDetector())
    assert (result.measured, result.left_out, result.failed) == (2, 1, 0)
    table = {row["name"]: row for row in rows(out / "images.csv")}
    assert table["soft.png"]["status"] == "out of focus"
    assert "--min-focus 0 measures it" in table["soft.png"]["message"]
    assert float(table["soft.png"]["share_in_focus"]) < 0.9
    assert table["sharp.png"]["status"] == "ok"
    assert "nothing to judge" in table["blank.png"]["message"]
    assert "soft.png" not in {row["picture"] for row in rows(out / "crystals.csv")}
    page = (out / "report.html").read_text()
    assert "1 of 3 pictures out of focus" in page
    again = measure_batch(chosen, out, settings=settings, detector=BoxDetector())
    assert (again.resumed, again.left_out) == (3, 1)


def test_without_the_gate_every_picture_is_measured(pictures: Path, tmp_path: Path) -> None:
    result = measure_batch([pictures / "soft.png"], tmp_path, detector=BoxDetector())
    assert (result.measured, result.left_out) == (1, 0)
    assert "share_in_focus" not in rows(tmp_path / "images.csv")[0]
