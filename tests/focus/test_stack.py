"""Stacks whose best planes are known: the plane, the depth of tiles, the fused picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from crystalgauge.core import ArgumentError, Micrograph
from crystalgauge.datasets.focus_content import draw_leaves
from crystalgauge.focus import FocusNetwork, FocusTiles, fuse, judge_stack, laplacian_variance
from crystalgauge.models import list_models

needs_weights = pytest.mark.skipif("focus" not in list_models(), reason="no weights of focus here")

SIZE = 256


def plane(blur: np.ndarray, content: np.ndarray | None = None) -> FocusTiles:
    values = np.asarray(blur, np.float32)
    shown = np.ones_like(values) if content is None else np.asarray(content, np.float32)
    shape = (32 * values.shape[0], 32 * values.shape[1])
    return FocusTiles(values, values, values, shown, shape)


def sharp_picture(seed: int) -> np.ndarray:
    light = draw_leaves(np.random.default_rng(seed), SIZE)
    return (120 + 40 * (light - light.mean()) / light.std()).clip(0, 255).astype(np.float32)


def noisy(light: np.ndarray, seed: int) -> Micrograph:
    noise = np.random.default_rng(seed).normal(0, 1.0, light.shape)
    return Micrograph((light + noise).round().clip(0, 255).astype(np.uint8))


def test_the_plane_with_least_blur_is_best() -> None:
    found = judge_stack([plane(np.full((4, 4), b)) for b in (5.0, 2.0, 3.0)])
    assert found.best == 1
    assert found.blur_px.tolist() == [5.0, 2.0, 3.0]
    assert (found.depth == 1).all()


def test_a_plane_that_shows_less_is_more_blurred() -> None:
    faded = plane(np.full((4, 4), 1.0), np.eye(4) * 0)
    assert judge_stack([faded, plane(np.full((4, 4), 6.0))]).best == 1
    nothing = judge_stack([faded, faded])
    assert nothing.best is None
    assert (nothing.depth == -1).all()


def test_a_doubtful_look_counts_where_another_plane_is_sure() -> None:
    doubtful = plane(np.full((4, 4), 0.5), np.full((4, 4), 0.5))
    sure = plane(np.full((4, 4), 2.5))
    assert judge_stack([sure, doubtful]).best == 1
    assert (judge_stack([sure, doubtful]).depth == 1).all()
    assert judge_stack([doubtful, doubtful]).best is None


def test_each_tile_has_its_own_plane_but_a_lone_tile_follows_its_neighbours() -> None:
    left = np.where(np.arange(8) < 4, 1.0, 6.0) * np.ones((8, 1))
    found = judge_stack([plane(left), plane(7 - left)])
    assert (found.depth == np.where(np.arange(8) < 4, 0, 1)).all()
    lone = np.full((7, 7), 2.0)
    lone[3, 3] = 3.0
    assert (judge_stack([plane(lone), plane(np.full((7, 7), 2.5))]).depth == 0).all()


def test_weights_take_all_of_one_plane_away_from_borders() -> None:
    left = np.where(np.arange(8) < 4, 1.0, 6.0) * np.ones((8, 1))
    stack = [plane(left), plane(7 - left)]
    black, white = (Micrograph(np.full((SIZE, SIZE), g, np.uint8)) for g in (0, 200))
    fused, depth = fuse([black, white], judge_stack(stack))
    assert not fused[:, :80].any()
    assert (fused[:, 176:] == 200).all()
    assert fused[100, 127:129].astype(int).mean() == pytest.approx(100, abs=4)
    assert (np.diff(depth, axis=1) >= -1e-6).all()


def test_planes_that_do_not_match_are_refused() -> None:
    one, other = plane(np.ones((4, 4))), plane(np.ones((4, 5)))
    with pytest.raises(ArgumentError, match="two planes or more, got 1"):
        judge_stack([one])
    with pytest.raises(ArgumentError, match="got 128 x 128 px, 160 x 128 px; leave out"):
        judge_stack([one, other])
    grey = Micrograph(np.zeros((128, 128), np.uint8))
    deep = Micrograph(np.zeros((128, 128), np.uint16))
    with pytest.raises(ArgumentError, match="one bit depth, got uint16, uint8"):
        fuse([grey, deep], judge_stack([one, one]))
    empty = plane(np.ones((4, 4)), np.zeros((4, 4)))
    with pytest.raises(ArgumentError, match="nothing can be fused"):
        fuse([grey, grey], judge_stack([empty, empty]))


@needs_weights
def test_the_best_plane_of_a_blurred_picture_is_the_sharpest() -> None:
    light = sharp_picture(31)
    blurs = (6.0, 4.0, 2.5, 1.2, 2.0, 3.5, 5.0)
    planes = [noisy(cv2.GaussianBlur(light, (0, 0), b), k) for k, b in enumerate(blurs)]
    network = FocusNetwork(threads=1)
    found = judge_stack([network(each) for each in planes])
    assert found.best == 3
    falling, rising = found.blur_px[:4], found.blur_px[3:]
    assert (np.diff(falling) < 0).all()
    assert (np.diff(rising) > 0).all()


@needs_weights
def test_two_half_sharp_planes_fuse_into_the_sharp_picture() -> None:
    light = sharp_picture(33)
    soft = cv2.GaussianBlur(light, (0, 0), 5.0)
    left = (np.arange(SIZE) < SIZE // 2)[None, :]
    sharp = noisy(light, 0)
    planes = [noisy(np.where(left, light, soft), 0), noisy(np.where(left, soft, light), 0)]
    network = FocusNetwork(threads=1)
    fused, _ = fuse(planes, judge_stack([network(each) for each in planes]))
    sharpness = [laplacian_variance(p.astype(float)) for p in (*(m.pixels for m in planes), fused)]
    assert sharpness[2] > 1.5 * max(sharpness[:2])
    away = np.abs(np.arange(SIZE) - SIZE // 2) > 32  # tiles on the seam see both halves
    error = np.abs(fused.astype(float) - sharp.pixels)[:, away]
    before = np.abs(planes[0].pixels.astype(float) - sharp.pixels)[:, away]
    assert error.mean() < 0.1 * before.mean()
