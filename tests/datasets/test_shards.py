"""Shards give back what was drawn, and windows keep outlines on the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError, Crystals, ReadError
from crystalgauge.datasets import ShardSet, packed_vertices, random_window, sample_of, write_shards
from crystalgauge.datasets.shards import Sample, pack_samples
from crystalgauge.datasets.streaming import Joined, StreamedShards, open_shards
from crystalgauge.datasets.synthetic import sample_picture
from crystalgauge.datasets.transforms import map_sample

if TYPE_CHECKING:
    from pathlib import Path


def rectangles() -> Sample:
    """Filled rectangles on a 200 px picture, with their outlines."""
    boxes = [(20, 30, 60, 50), (100, 40, 130, 120), (60, 140, 150, 170)]
    image = np.zeros((200, 200), np.uint8)
    for x0, y0, x1, y1 in boxes:
        image[y0:y1, x0:x1] = 255
    crystals = Crystals(np.array([shapely.box(*box) for box in boxes], dtype=object))
    return sample_of(image, crystals.with_columns(defocus_px=np.array([1.0, 2.0, 3.0])))


def drawn_area(sample: Sample) -> np.ndarray:
    canvas = np.zeros(tuple(8 * s for s in sample.image.shape), np.uint8)
    for first, last in zip(sample.offsets[:-1], sample.offsets[1:], strict=True):
        points = np.round((sample.points[first:last] * 8 - 0.5) * 16).astype(np.int32)
        cv2.fillPoly(canvas, [points], 255, shift=4)
    return cv2.resize(canvas, sample.image.shape[::-1], interpolation=cv2.INTER_AREA)


def test_vertices_are_packed_without_the_closing_one() -> None:
    crystals = Crystals(np.array([shapely.box(0, 0, 2, 1), shapely.Point(9, 9).buffer(2)]))
    points, offsets = packed_vertices(crystals)
    assert offsets[1] == 4
    assert shapely.Polygon(points[offsets[1] :]).equals(crystals.outlines[1])
    assert packed_vertices(Crystals.empty())[1].tolist() == [0]


def test_shards_give_back_what_was_rendered(tmp_path: Path) -> None:
    write_shards(tmp_path, 3, size=96, seed=5, workers=1)
    shards = ShardSet(tmp_path)
    assert len(shards) == 3
    for index in range(3):
        image, truth = sample_picture(5, index, size=96)
        wanted, got = sample_of(image, truth.crystals), shards[index]
        np.testing.assert_array_equal(got.image, wanted.image)
        np.testing.assert_array_equal(got.offsets, wanted.offsets)
        np.testing.assert_array_equal(got.asked, wanted.asked)
        np.testing.assert_allclose(got.points, wanted.points, atol=1e-4)
    with pytest.raises(IndexError):
        shards[3]


def test_shards_that_are_there_are_kept(tmp_path: Path) -> None:
    write_shards(tmp_path, 2, size=96, seed=5, workers=1)
    path = tmp_path / "shard-00000.npz"
    before = path.stat().st_mtime_ns
    write_shards(tmp_path, 2, size=96, seed=5, workers=1)
    assert path.stat().st_mtime_ns == before


def test_empty_folder_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ReadError, match="holds no shards"):
        ShardSet(tmp_path)


def test_pictures_without_crystals_pack() -> None:
    sample = sample_of(np.zeros((64, 64), np.uint8), Crystals.empty())
    arrays = pack_samples([sample, sample])
    assert arrays["crystal_start"].tolist() == [0, 0, 0]


@pytest.mark.parametrize("seed", range(12))
def test_outlines_stay_on_the_picture(seed: int) -> None:
    window = random_window(rectangles(), np.random.default_rng(seed), 128)
    drawn = drawn_area(window).astype(float)
    # a shift of half a pixel would raise the mean difference along these edges to about 2
    assert np.abs(window.image.astype(float) - drawn).mean() < 1.2


def test_magnification_scales_the_blur() -> None:
    matrix = np.array([[2.0, 0, -20], [0, 2.0, -30]])
    window = map_sample(rectangles(), matrix, 128)
    assert window.defocus_px.tolist() == [2.0]
    assert shapely.Polygon(window.points).area == pytest.approx(4 * 40 * 20)


def test_what_leaves_the_window_is_not_asked_for() -> None:
    cut = map_sample(rectangles(), np.array([[1.0, 0, -50], [0, 1.0, 0]]), 128)
    assert cut.asked.tolist() == [False, True]  # a quarter of the first is left, the last is below


def test_a_window_larger_than_the_picture_is_refused() -> None:
    with pytest.raises(ArgumentError, match="training window of 256 px does not fit"):
        random_window(rectangles(), np.random.default_rng(0), 256)


def numbered(count: int, first: int = 0) -> list[Sample]:
    """Pictures whose grey level says which they are."""
    return [
        sample_of(np.full((16, 16), first + i, np.uint8), Crystals.empty()) for i in range(count)
    ]


def write_numbered(folder: Path, sizes: list[int]) -> None:
    folder.mkdir(exist_ok=True)
    first = 0
    for number, size in enumerate(sizes):
        np.savez(folder / f"shard-{number:05d}.npz", **pack_samples(numbered(size, first)))
        first += size


def test_streamed_shards_give_every_sample_once_and_hold_few(tmp_path: Path) -> None:
    write_numbered(tmp_path, [5, 5, 5, 3])
    streamed = StreamedShards(tmp_path, held=2)
    order = list(streamed.order(np.random.default_rng(0)))
    seen = []
    for index in order:
        seen.append(int(streamed[index].image[0, 0]))
        assert len(streamed._cache) <= 2
    assert seen == order
    assert sorted(order) == list(range(18))
    assert order != list(streamed.order(np.random.default_rng(1)))
    # two shards are open at a time, so that the first ten or eight come from two of them
    assert len({index // 5 for index in order[:8]}) == 2


def test_large_sets_are_streamed_and_small_ones_read_whole(tmp_path: Path) -> None:
    write_numbered(tmp_path, [4, 4])
    assert isinstance(open_shards(tmp_path), ShardSet)
    assert isinstance(open_shards(tmp_path, memory_bytes=100), StreamedShards)


def test_joined_sets_keep_their_numbers_and_mix_evenly(tmp_path: Path) -> None:
    write_numbered(tmp_path, [30, 30])
    joined = Joined([StreamedShards(tmp_path, held=1), numbered(60, 100)])
    order = list(joined.order(np.random.default_rng(0)))
    assert sorted(order) == list(range(120))
    assert int(joined[60].image[0, 0]) == 100
    of_second = np.cumsum(np.array(order) >= 60) / np.arange(1, 121)
    assert np.abs(of_second[30:] - 0.5).max() < 0.2


def test_a_shard_that_must_grow_is_written_anew(tmp_path: Path) -> None:
    write_shards(tmp_path, 1, size=64, seed=5, regime="blank", workers=1)
    write_shards(tmp_path, 2, size=64, seed=5, regime="blank", workers=1)
    assert len(ShardSet(tmp_path)) == 2


def test_other_settings_and_damage_are_refused(tmp_path: Path) -> None:
    write_shards(tmp_path, 1, size=64, seed=5, regime="blank", workers=1)
    with pytest.raises(ArgumentError, match="other settings"):
        write_shards(tmp_path, 1, size=64, seed=6, regime="blank", workers=1)
    path = tmp_path / "shard-00000.npz"
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ReadError, match="damaged"):
        open_shards(tmp_path)
    with pytest.raises(ReadError, match="damaged"):
        StreamedShards(tmp_path)
