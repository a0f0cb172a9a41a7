"""Boxes and deltas undo each other, overlap assigns, and decoding gives the truth back."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import ArgumentError
from crystalgauge.metrics import oriented_box_corners, rotated_iou_matrix
from crystalgauge.models.s2anet import S2ANetConfig
from crystalgauge.models.s2anet.anchors import level_shapes, square_anchors
from crystalgauge.models.s2anet.coder import (
    boxes_of_outlines,
    decode,
    encode,
    long_side_first,
    wrap_angle,
)
from crystalgauge.models.s2anet.decode import Boxes, merge
from crystalgauge.models.s2anet.decode import decode as decode_maps
from crystalgauge.models.s2anet.targets import (
    BACKGROUND,
    LEFT_OUT,
    POSITIVE_IOU,
    assign,
    build_targets,
    ideal_maps,
)

SHAPE = (256, 320)
CONFIG = S2ANetConfig()
NOTHING = np.zeros((0, 5))


def random_boxes(seed: int, count: int, aspect: float = 11.4) -> np.ndarray:
    rng = np.random.default_rng(seed)
    size, ratio = (
        np.exp(rng.uniform(1.6, 4.2, count)),
        np.exp(rng.uniform(0, math.log(aspect), count)),
    )
    sides = [size * np.sqrt(ratio), size / np.sqrt(ratio)]
    centres = rng.uniform(5, np.array(SHAPE[::-1]) - 5, (count, 2)).T
    return np.stack([*centres, *sides, wrap_angle(rng.uniform(0, math.pi, count))], 1)


def packed(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    corners = oriented_box_corners(boxes)
    return corners.reshape(-1, 2), np.arange(0, 4 * len(boxes) + 1, 4)


def matched(found: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return for every true box the best overlap with a found one."""
    return rotated_iou_matrix(truth, found).max(1)


def test_anchors_are_those_of_the_paper() -> None:
    assert CONFIG.strides == (4, 8, 16, 32, 64)
    assert CONFIG.anchor_edges == (8, 16, 32, 64, 128)
    published = S2ANetConfig(first_pool=True, smallest_anchor=32.0)
    assert published.strides == (8, 16, 32, 64, 128)
    assert published.anchor_edges == tuple(4 * stride for stride in published.strides)
    anchors = square_anchors(SHAPE, CONFIG)
    shapes = level_shapes(SHAPE, CONFIG)
    assert shapes == [(64, 80), (32, 40), (16, 20), (8, 10), (4, 5)]
    assert len(anchors) == sum(rows * columns for rows, columns in shapes)
    np.testing.assert_allclose(anchors[1], [6, 2, 8, 8, 0])
    np.testing.assert_allclose(anchors[:, :2].mean(0), [160, 128])


def test_configurations_that_cannot_be_built_are_refused() -> None:
    with pytest.raises(ArgumentError, match="multiple of 8"):
        S2ANetConfig(channels=20)
    with pytest.raises(ArgumentError, match="smallest_anchor must be positive"):
        S2ANetConfig(smallest_anchor=0.0)
    assert S2ANetConfig.from_dict(CONFIG.as_dict()) == CONFIG


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_decoding_undoes_encoding(seed: int) -> None:
    anchors, boxes = random_boxes(seed, 8), random_boxes(seed + 1, 8)
    np.testing.assert_allclose(decode(anchors, encode(anchors, boxes)), boxes, atol=1e-9)


def test_deltas_are_relative_to_the_anchor() -> None:
    anchor = np.array([[10.0, 20.0, 8.0, 4.0, math.pi / 2]])
    # half a length along the anchor, which points down; twice as long; turned by 45 degrees
    box = np.array([[10.0, 24.0, 16.0, 4.0, 0.75 * math.pi - 1e-9]])
    np.testing.assert_allclose(encode(anchor, box), [[0.5, 0, math.log(2), 0, 0.25]], atol=1e-8)


def test_a_turned_pair_has_the_same_deltas() -> None:
    anchors, boxes = random_boxes(0, 6), random_boxes(1, 6)
    turn = 0.3
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])

    def turned(rows: np.ndarray) -> np.ndarray:
        return np.c_[rows[:, :2] @ matrix.T, rows[:, 2:4], rows[:, 4] + turn]

    np.testing.assert_allclose(encode(turned(anchors), turned(boxes)), encode(anchors, boxes))


def test_long_side_first_keeps_the_box() -> None:
    boxes = random_boxes(2, 20)[:, [0, 1, 3, 2, 4]]
    turned = long_side_first(boxes)
    assert (turned[:, 2] >= turned[:, 3]).all()
    np.testing.assert_allclose(np.diag(rotated_iou_matrix(boxes, turned)), 1.0)
    assert (np.abs(turned[:, 4] - math.pi / 4) <= math.pi / 2).all()


def test_boxes_of_outlines_are_the_rectangles_of_least_area() -> None:
    boxes = random_boxes(3, 40)
    np.testing.assert_allclose(
        np.diag(rotated_iou_matrix(boxes_of_outlines(*packed(boxes)), boxes)), 1.0
    )
    rng = np.random.default_rng(4)
    outlines = [shapely.MultiPoint(rng.normal(size=(9, 2)) * [30, 8]).convex_hull for _ in range(9)]
    rings = [shapely.get_coordinates(outline)[:-1] for outline in outlines]
    offsets = np.cumsum([0, *(len(ring) for ring in rings)])
    found = boxes_of_outlines(np.concatenate(rings), offsets)
    least = shapely.area(shapely.oriented_envelope(np.array(outlines)))
    assert (found[:, 2] * found[:, 3] <= least * (1 + 1e-9)).all()
    polygons = shapely.polygons(oriented_box_corners(found))
    assert shapely.covers(shapely.buffer(polygons, 1e-6), np.array(outlines)).all()


def test_an_outline_without_area_is_not_asked_for() -> None:
    line = np.array([[10.0, 10.0], [20.0, 20.0], [30.0, 30.0]])
    targets = build_targets(line, np.array([0, 3]), np.ones(1, bool), SHAPE, CONFIG)
    assert len(targets.boxes) == len(targets.ignored) == 0
    assert (targets.owner == BACKGROUND).all()


def test_anchors_are_assigned_by_overlap() -> None:
    anchors = np.array([[50, 50, 20, 20, 0], [54, 50, 20, 20, 0], [58, 50, 20, 20, 0],
                        [90, 50, 20, 20, 0.0]])  # fmt: skip
    owner = assign(anchors, np.array([[50, 50, 20, 20, 0.0]]), NOTHING)
    # overlaps 1, 16 / 24, 12 / 28 and 0
    assert owner.tolist() == [0, 0, LEFT_OUT, BACKGROUND]


def test_every_box_has_an_anchor_also_where_boxes_cross() -> None:
    for seed in range(5):
        boxes = random_boxes(seed, 60, aspect=40)
        owner = assign(square_anchors(SHAPE, CONFIG), boxes, NOTHING)
        assert set(owner[owner >= 0]) == set(range(60))
    cross = np.array([[130, 130, 60, 8, 0.25 * math.pi], [130, 130, 60, 8, -0.25 * math.pi]])
    assert {0, 1} <= set(assign(square_anchors(SHAPE, CONFIG), cross, NOTHING))


def test_an_anchor_answers_for_the_box_it_overlaps_most() -> None:
    boxes = random_boxes(7, 30)
    anchors = np.repeat(boxes, 8, 0) + np.random.default_rng(8).normal(size=(240, 5)) * 0.1
    owner = assign(anchors, boxes, NOTHING)
    iou = rotated_iou_matrix(anchors, boxes)
    clear = (iou.max(1) >= POSITIVE_IOU) & ~(iou == iou.max(0)).any(1)
    assert clear.sum() > 0
    np.testing.assert_array_equal(owner[clear], iou.argmax(1)[clear])


def test_what_is_ignored_silences_its_anchors_and_asks_for_nothing() -> None:
    points, offsets = packed(np.array([[100.0, 100.0, 60.0, 30.0, 0.4]]))
    targets = build_targets(points, offsets, np.zeros(1, bool), SHAPE, CONFIG)
    assert len(targets.boxes) == 0
    assert len(targets.ignored) == 1
    assert (targets.owner < 0).all()
    anchors = square_anchors(SHAPE, CONFIG)
    at = np.hypot(anchors[:, 0] - 100, anchors[:, 1] - 100) < 8
    assert (targets.owner[at & (anchors[:, 2] < 20)] == LEFT_OUT).all()
    assert (targets.owner == BACKGROUND).any()


@pytest.mark.parametrize("seed", range(4))
def test_decode_undoes_targets(seed: int) -> None:
    truth = random_boxes(seed, 25)
    truth = merge(Boxes(truth, np.linspace(1, 0.5, 25)), threshold=0.5).boxes
    targets = build_targets(*packed(truth), np.ones(len(truth), bool), SHAPE, CONFIG)
    found = decode_maps(ideal_maps(targets, SHAPE, CONFIG), threshold=0.5)
    assert len(found) == len(truth)
    assert matched(found.boxes, truth).min() > 0.999  # single precision of the maps
    assert found.to_crystals()["score"].min() > 0.99


def test_the_count_is_not_capped() -> None:
    x, y = np.meshgrid(np.arange(5, 315, 8.0), np.arange(5, 250, 8.0))
    flat = np.zeros(x.size)
    truth = np.stack([x.ravel(), y.ravel(), flat + 5, flat + 4, flat], 1)
    targets = build_targets(*packed(truth), np.ones(len(truth), bool), SHAPE, CONFIG)
    found = decode_maps(ideal_maps(targets, SHAPE, CONFIG))
    assert len(found) == len(truth) > 1000


def test_nothing_to_learn_nothing_to_find() -> None:
    targets = build_targets(
        np.zeros((0, 2)), np.zeros(1, np.int64), np.zeros(0, bool), SHAPE, CONFIG
    )
    found = decode_maps(ideal_maps(targets, SHAPE, CONFIG))
    assert len(found) == len(found.to_crystals()) == 0
