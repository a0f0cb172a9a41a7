"""The overlap of oriented boxes agrees with shapely, and suppression of boxes with brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.metrics import convex_hulls, oriented_box_corners, rotated_iou_matrix, suppress


def by_shapely(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    p, q = (shapely.polygons(oriented_box_corners(boxes)) for boxes in (a, b))
    shared = shapely.area(shapely.intersection(p[:, None], q[None]))
    union = shapely.area(p)[:, None] + shapely.area(q)[None] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def random_boxes(seed: int, count: int, aspect: float, spread: float = 60.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    size, ratio = rng.uniform(5, 60, count), np.exp(rng.uniform(0, math.log(aspect), count))
    sides = [size * np.sqrt(ratio), size / np.sqrt(ratio)]
    return np.stack([*rng.uniform(0, spread, (2, count)), *sides, rng.uniform(-4, 4, count)], 1)


@pytest.mark.parametrize("aspect", [1.0, 11.4, 50.0])
def test_random_boxes_overlap_as_shapely_says(aspect: float) -> None:
    a, b = random_boxes(0, 40, aspect), random_boxes(1, 40, aspect)
    iou = rotated_iou_matrix(a, b)
    assert (iou > 0.1).any()
    np.testing.assert_allclose(iou, by_shapely(a, b), atol=1e-6)


def test_special_cases() -> None:
    box = np.array([100.0, 50.0, 40.0, 10.0, 0.3])

    def moved(along: float, across: float) -> np.ndarray:
        c, s = math.cos(0.3), math.sin(0.3)
        return np.add(box, [c * along - s * across, s * along + c * across, 0, 0, 0])

    cases = {
        "itself": (box, 1.0),
        "turned by a half": (np.add(box, [0, 0, 0, 0, math.pi]), 1.0),
        "sides swapped": (np.add(box[[0, 1, 3, 2, 4]], [0, 0, 0, 0, math.pi / 2]), 1.0),
        "touching ends": (moved(40, 0), 0.0),
        "touching sides": (moved(0, 10), 0.0),
        "nested": (box * [1, 1, 0.5, 0.5, 1], 0.25),
        "half beside": (moved(20, 0), 1 / 3),
        "no width": (box * [1, 1, 1, 0, 1], 0.0),
        "a point": (box * [1, 1, 0, 0, 1], 0.0),
        "far away": (moved(1000, 0), 0.0),
    }
    others = np.array([other for other, _ in cases.values()])
    expected = [iou for _, iou in cases.values()]
    np.testing.assert_allclose(rotated_iou_matrix(box[None], others)[0], expected, atol=1e-9)
    np.testing.assert_allclose(rotated_iou_matrix(others, box[None])[:, 0], expected, atol=1e-9)
    needle = np.array([[0.0, 0.0, 100.0, 2.0, 0.0]])
    crossing = np.array([[0.0, 0.0, 100.0, 2.0, math.pi / 2]])
    assert rotated_iou_matrix(needle, crossing)[0, 0] == pytest.approx(4 / 396)


def test_boxes_have_five_numbers() -> None:
    with pytest.raises(ArgumentError, match=r"boxes are an \(N, 5\) array"):
        rotated_iou_matrix(np.zeros((2, 4)), np.zeros((2, 5)))


@pytest.mark.parametrize("threshold", [0.1, 0.5])
def test_boxes_are_suppressed_as_by_brute_force(threshold: float) -> None:
    boxes = random_boxes(2, 300, 20.0, spread=300.0)
    iou = rotated_iou_matrix(boxes, boxes)
    kept: list[int] = []
    for row in range(len(boxes)):
        if not kept or iou[row, kept].max() < threshold:
            kept.append(row)
    owner, _ = suppress(*convex_hulls(oriented_box_corners(boxes)), threshold)
    assert len(kept) < len(boxes)
    np.testing.assert_array_equal(np.flatnonzero(owner == np.arange(len(boxes))), kept)
