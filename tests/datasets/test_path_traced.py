"""Path-traced pictures: they show what our renderer shows, and their file keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import shapely
from skimage.metrics import structural_similarity

from crystalgauge.core import ArgumentError, Crystals, ReadError
from crystalgauge.datasets import path_traced
from crystalgauge.datasets.benchmark_scenes import PATH_SEED, benchmark_scene
from crystalgauge.datasets.path_traced import (
    PackedPicture,
    path_traced_picture,
    read_packed,
    render_packed,
    unpack,
    write_packed,
)
from crystalgauge.io import read_micrograph
from crystalgauge.io.annotations import read_annotations
from crystalgauge.render.renderer import render

if TYPE_CHECKING:
    from pathlib import Path

SIZE, INDEX = 96, 0


def drawn(index: int) -> PackedPicture:
    """Return noise with a triangle for each number up to `index`."""
    rng = np.random.default_rng(index)
    pixels = rng.integers(0, 256, (40, 50), np.uint8)
    corners = rng.uniform(0, 40, (index, 3, 2)).astype(np.float32)
    crystals = Crystals.from_vertices(corners, {"fair": rng.random(index) < 0.5})
    return PackedPicture.of(pixels, crystals)


def test_a_file_gives_back_pixels_and_outlines_exactly(tmp_path: Path) -> None:
    pictures = [drawn(index) for index in (2, 0, 5)]
    write_packed(tmp_path / "set.npz", pictures, {"seed": 1})
    found, settings = read_packed(tmp_path / "set.npz")
    assert settings == {"seed": 1}
    for picture, again, index in zip(pictures, found, (2, 0, 5), strict=True):
        expected = np.random.default_rng(index).integers(0, 256, (40, 50), np.uint8)
        np.testing.assert_array_equal(again.pixels, expected)
        assert shapely.equals(again.crystals.outlines, picture.crystals.outlines).all()
        np.testing.assert_array_equal(again.crystals["fair"], picture.crystals["fair"])


def test_a_file_unpacks_to_pictures_with_coco_truth(tmp_path: Path) -> None:
    write_packed(tmp_path / "set.npz", [drawn(3), drawn(1)], {})
    unpack(tmp_path / "set.npz", tmp_path / "out")
    first, second = read_annotations(tmp_path / "out" / "truth.coco.json")
    np.testing.assert_array_equal(
        read_micrograph(tmp_path / "out" / first.file_name).pixels, drawn(3).pixels
    )
    np.testing.assert_array_equal(first.crystals["fair"], drawn(3).crystals["fair"])
    assert len(second.crystals) == 1
    unpack(tmp_path / "set.npz", tmp_path / "one", 1)
    assert len(read_annotations(tmp_path / "one" / "truth.coco.json")) == 1
    with pytest.raises(ArgumentError, match="there are 2 path-traced pictures, asked for 3"):
        unpack(tmp_path / "set.npz", tmp_path / "more", 3)


def test_a_missing_or_damaged_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match=r"script of benchmarks/sets"):
        read_packed(tmp_path / "none.npz")
    (tmp_path / "bad.npz").write_bytes(b"PK not a file")
    with pytest.raises(ReadError, match=r"bad\.npz.* is damaged"):
        read_packed(tmp_path / "bad.npz")


def test_a_stopped_rendering_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def quick(index: int, *, size: int, samples: int):
        asked.append(index)
        picture = drawn(index)
        return picture.pixels, picture.crystals

    monkeypatch.setattr(path_traced, "path_traced_picture", quick)
    render_packed(tmp_path / "set.npz", tmp_path / "parts", 2, size=50, samples=4)
    (tmp_path / "parts" / "000000.npz").unlink()
    render_packed(tmp_path / "set.npz", tmp_path / "parts", 3, size=50, samples=4)
    assert asked == [0, 1, 0, 2]
    assert len(read_packed(tmp_path / "set.npz")[0]) == 3
    with pytest.raises(ArgumentError, match="other settings"):
        render_packed(tmp_path / "set.npz", tmp_path / "parts", 3, size=50, samples=8)


def test_a_path_traced_picture_is_our_picture_with_its_outlines_in_place() -> None:
    pytest.importorskip("mitsuba", reason="the reference renderer is not installed")
    scene = benchmark_scene(PATH_SEED, INDEX, (SIZE, SIZE))
    assert np.ptp(scene.crystals.stretch, axis=1).max() > 0.3  # stretched along their axes
    pixels, crystals = path_traced_picture(INDEX, size=SIZE, samples=64)
    ours, truth = render(scene)
    np.testing.assert_array_equal(
        shapely.area(crystals.outlines), shapely.area(truth.crystals.outlines)
    )
    # noise of 64 samples, and crystals over each other, which we trace one by one
    assert structural_similarity(pixels, ours.pixels, data_range=255) > 0.97
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    inside = shapely.contains_xy(shapely.union_all(crystals.outlines).buffer(1.0), x, y)
    flat = np.median(pixels)
    changed = np.abs(pixels.astype(float) - flat) > 0.1 * flat
    assert changed.any()
    assert (changed & ~inside).sum() <= 0.01 * changed.sum()
    assert changed[inside].mean() > 0.2
