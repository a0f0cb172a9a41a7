"""Blur of single crystals: what it changes, and what it must not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.datasets.instance_blur import KERNELS, blur_instances, kernel_sigma
from crystalgauge.datasets.shards import Sample

OUT = 1


def picture(count: int = 8, size: int = 200) -> Sample:
    rng = np.random.default_rng(0)
    lines = []
    for k in range(count):
        x, y = 10 + 48 * (k % 4), 20 + 90 * (k // 4)
        lines.append([(x, y), (x + 36, y), (x + 36, y + 50), (x, y + 50)])
    label = np.zeros(count, np.int64)
    label[-1] = -1
    return Sample(
        rng.integers(0, 255, (size, size), np.uint8).astype(np.uint8),
        np.array(lines, float).reshape(-1, 2),
        np.arange(count + 1) * 4,
        np.ones(count, bool),
        np.full(count, 0.5),
        label,
    )


def test_exactly_the_blurred_are_relabelled_and_nothing_else_is_blurred() -> None:
    before = picture()
    for seed in range(6):
        after, rows = blur_instances(before, np.random.default_rng(seed), relabel=OUT)
        assert 0.25 * 8 <= len(rows) <= 0.5 * 8
        chosen = np.zeros(8, bool)
        chosen[rows] = True
        classed = before.label >= 0
        np.testing.assert_array_equal(after.label == OUT, chosen & classed)
        np.testing.assert_array_equal(after.label[~classed], -1)
        np.testing.assert_array_equal(after.defocus_px[~chosen], 0.5)
        sigmas = [np.hypot(0.5, kernel_sigma(kernel)) for kernel in KERNELS]
        assert np.isclose(after.defocus_px[rows][:, None], sigmas).any(1).all()
        changed = after.image != before.image
        for row in range(8):
            x0, y0 = before.points[4 * row].astype(int)
            inside = np.zeros_like(changed)
            inside[y0 : y0 + 51, x0 : x0 + 37] = True  # OpenCV fills the border pixels too
            share = changed[inside].mean()
            assert share > 0.9 if chosen[row] else share == 0
            changed &= ~inside
        assert not changed.any()
    np.testing.assert_array_equal(before.image, picture().image)


def test_blur_is_that_of_its_kernel() -> None:
    flat = np.zeros((200, 200), np.float32)
    flat[45, 28] = 1.0
    one = replace(picture(1), image=flat)
    after, rows = blur_instances(one, np.random.default_rng(1), shares=(1.0, 1.0))
    assert len(rows) == 1
    x = np.arange(200)
    variance = ((x - 28) ** 2 * after.image).sum() / after.image.sum()
    sigma = np.sqrt(after.defocus_px[0] ** 2 - 0.5**2)
    assert np.sqrt(variance) == pytest.approx(sigma, rel=0.1)  # a kernel of 11 px ends at 2.5 sigma
    assert after.label[0] == one.label[0]


def test_no_crystals_and_bad_shares() -> None:
    empty = replace(
        picture(), points=np.zeros((0, 2)), offsets=np.zeros(1, np.int64),
        asked=np.zeros(0, bool), defocus_px=np.zeros(0), label=np.zeros(0, np.int64),
    )  # fmt: skip
    after, rows = blur_instances(empty, np.random.default_rng(0), relabel=OUT)
    assert len(rows) == 0
    np.testing.assert_array_equal(after.image, empty.image)
    with pytest.raises(ArgumentError, match="rise from 0 to 1"):
        blur_instances(empty, np.random.default_rng(0), shares=(0.6, 0.5))
