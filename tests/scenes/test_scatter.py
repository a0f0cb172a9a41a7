from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.scenes.scatter import GAP_PX, scatter, shared_area, signed_area

BOX = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T


def polygon(rng: np.random.Generator, corners: int) -> np.ndarray:
    """A convex polygon: points on an ellipse in the order in which x turns to y."""
    angle = np.sort(rng.uniform(0, 2 * np.pi, corners))
    return np.stack([4 * np.cos(angle), 2 * np.sin(angle)], axis=1)


def test_shared_areas_agree_with_shapely() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        a, b = polygon(rng, rng.integers(3, 9)), polygon(rng, rng.integers(3, 9))
        x, y = rng.uniform(-5, 5, 2)
        expected = shapely.Polygon(a + np.array([x, y])).intersection(shapely.Polygon(b)).area
        assert shared_area(a, b, x, y) == pytest.approx(expected, abs=1e-9)
        assert signed_area(a) == pytest.approx(shapely.Polygon(a).area)


def place(largest_overlap: float, count: int = 40) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    turns = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    bodies = ((BOX * (12, 5, 3)) @ turns).astype(np.float32)
    position, placed = scatter(
        bodies, np.full(count, 8, np.int32), np.arange(count), rng.random((count, 300, 2)),
        rng.uniform(-40, 40, (count, 6)), (120.0, 150.0), largest_overlap,
    )  # fmt: skip
    return bodies + position[:, None], placed, position


@pytest.mark.parametrize("largest", [0.0, 0.3])
def test_outlines_share_at_most_what_is_allowed(largest: float) -> None:
    corners, placed, _ = place(largest)
    outlines = shapely.convex_hull(shapely.multipoints(corners[placed][..., :2]))
    shares = [
        shapely.intersection(a, b).area / min(a.area, b.area)
        for i, a in enumerate(outlines)
        for b in outlines[:i]
    ]
    assert max(shares) <= largest + 1e-6
    assert max(shares) > largest - 0.1


def test_bodies_that_overlap_lie_behind_each_other() -> None:
    corners, placed, _ = place(0.5)
    inside = corners[placed]
    outlines = shapely.convex_hull(shapely.multipoints(inside[..., :2]))
    low, high = inside[..., 2].min(axis=1), inside[..., 2].max(axis=1)
    met = 0
    for i in range(len(inside)):
        for j in range(i):
            if outlines[i].intersection(outlines[j]).area > 1e-6:
                met += 1
                assert max(low[i] - high[j], low[j] - high[i]) > GAP_PX - 1e-3
    assert met > 10


def test_what_does_not_fit_the_frame_is_left_out() -> None:
    bodies = np.stack([BOX * 10, BOX * 70]).astype(np.float32)
    _, placed = scatter(
        bodies, np.full(2, 8, np.int32), np.arange(2), np.full((2, 1, 2), 0.5), np.zeros((2, 1)),
        (120.0, 150.0), 0.3,
    )  # fmt: skip
    np.testing.assert_array_equal(placed, [True, False])
