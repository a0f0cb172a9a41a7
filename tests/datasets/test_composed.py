"""Windows made of several pictures."""

from __future__ import annotations

import numpy as np

from crystalgauge.datasets.composed import Composed, copy_paste, mixup, mosaic, training_window
from crystalgauge.datasets.shards import Sample

SIZE = 64


def window(level: int, boxes: list, label: int = 0) -> Sample:
    lines = [[(a, b), (c, b), (c, d), (a, d)] for a, b, c, d in boxes]
    count = len(boxes)
    return Sample(
        np.full((SIZE, SIZE), level, np.uint8), np.array(lines, float).reshape(-1, 2),
        np.arange(count + 1) * 4, np.ones(count, bool), np.full(count, 1.0),
        np.full(count, label, np.int64),
    )  # fmt: skip


def areas(sample: Sample) -> list[float]:
    boxes = [
        sample.points[a:b] for a, b in zip(sample.offsets[:-1], sample.offsets[1:], strict=True)
    ]
    return [float(np.ptp(box[:, 0]) * np.ptp(box[:, 1])) for box in boxes]


def test_a_mosaic_shows_a_quarter_of_each_and_cuts_crystals_at_its_borders() -> None:
    parts = [window(10 * (k + 1), [(0, 0, SIZE, SIZE)], label=k) for k in range(4)]
    joined = mosaic(parts, np.random.default_rng(0))
    levels, counts = np.unique(joined.image, return_counts=True)
    np.testing.assert_array_equal(levels, [10, 20, 30, 40])
    np.testing.assert_allclose(areas(joined), counts)
    np.testing.assert_array_equal(joined.label, [0, 1, 2, 3])
    corners = joined.image[[0, 0, -1, -1], [0, -1, -1, 0]]
    np.testing.assert_array_equal(corners, [10, 20, 30, 40])
    # three quarters or more of each crystal lie beyond its part in one of these at least
    assert not joined.asked.all()


def test_a_mosaic_drops_what_lies_in_other_parts() -> None:
    parts = [window(k, [(1, 1, 9, 9), (55, 55, 63, 63)], label=k) for k in range(4)]
    joined = mosaic(parts, np.random.default_rng(1))
    np.testing.assert_array_equal(joined.label, [0, 2])
    np.testing.assert_allclose(areas(joined), 64)
    assert joined.asked.all()


def test_mixup_keeps_both_and_the_mean_light() -> None:
    mixed = mixup(window(100, [(0, 0, 8, 8)], 0), window(200, [(9, 9, 20, 20)], 1), 0.25)
    np.testing.assert_array_equal(mixed.image, 175)
    assert mixed.image.dtype == np.uint8
    np.testing.assert_array_equal(mixed.label, [0, 1])
    np.testing.assert_array_equal(mixed.offsets, [0, 4, 8])


def test_pasted_crystals_bring_their_pixels_and_labels() -> None:
    source = window(200, [(2, 2, 12, 12), (40, 40, 60, 60)], 1)
    pasted = copy_paste(window(100, [(20, 20, 30, 30)], 0), source, np.random.default_rng(0))
    np.testing.assert_array_equal(pasted.label, [0, 1])
    x0, y0 = pasted.points[4].astype(int)
    x1, y1 = pasted.points[6].astype(int)
    assert (pasted.image[y0:y1, x0:x1] == 200).all()
    bright = pasted.image == 200
    bright[y0 : y1 + 1, x0 : x1 + 1] = False  # OpenCV fills the border pixels too
    assert not bright.any()


def test_windows_are_plain_unless_asked_for_and_the_same_for_the_same_seed() -> None:
    samples = [window(50 * k, [(10, 10, 50, 50)], k) for k in range(1, 4)]
    plain = training_window(Composed(samples), 1, np.random.default_rng(3), 32)
    np.testing.assert_array_equal(plain.image, 100)
    every = Composed(samples, mosaic=1.0, mixup=1.0, copy_paste=1.0)
    one, two = (training_window(every, 1, np.random.default_rng(3), 32) for _ in range(2))
    np.testing.assert_array_equal(one.image, two.image)
    assert len(np.unique(one.image)) > 1
    assert len(one.label) == len(one.asked) == len(one.offsets) - 1
