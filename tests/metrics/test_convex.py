from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import ArgumentError
from crystalgauge.metrics import convex_hulls, hull_iou_matrix, pack_outlines


def candidates(seed: int, n: int, k: int = 16, field: float = 60.0) -> np.ndarray:
    """Return (n, k, 2) crowded points: round, flat, of very different sizes, some on a lattice."""
    rng = np.random.default_rng(seed)
    spread = np.exp(rng.uniform(-1.5, 2.5, (n, 1, 2)))
    points = rng.uniform(0, field, (n, 1, 2)) + rng.normal(0, 1, (n, k, 2)) * spread
    points[::3] = np.round(points[::3] * 2)  # shared edges, vertical edges, repeated points
    points[::3, 1:3] = points[::3, :1] + [[1, 0], [0, 1]]  # and never all of them in line
    return points


def shapely_iou(vertices: np.ndarray) -> np.ndarray:
    hull = shapely.convex_hull(shapely.multipoints(vertices))
    area = shapely.area(hull)
    shared = shapely.area(shapely.intersection(hull[:, None], hull[None, :]))
    return shared / (area[:, None] + area[None, :] - shared)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000))
def test_hull_areas_and_ious_agree_with_shapely(seed: int) -> None:
    vertices = candidates(seed, 12)
    hulls, counts, areas = convex_hulls(vertices)
    expected = shapely.convex_hull(shapely.multipoints(vertices))
    # both sum a few tens of products of coordinates below 1e2
    np.testing.assert_allclose(areas, shapely.area(expected), rtol=1e-10)
    for ring, count, polygon in zip(hulls, counts, expected, strict=True):
        assert count == len(polygon.exterior.coords) - 1
        assert (ring[count] == ring[0]).all()
        assert ring[0, 0] == ring[:count, 0].min()
    packed = pack_outlines(vertices)
    np.testing.assert_allclose(
        hull_iou_matrix(packed, packed), shapely_iou(vertices), rtol=0, atol=1e-9
    )


def test_iou_of_squares_is_the_closed_form() -> None:
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    shifts = np.array([[0.0, 0], [1, 0], [2, 2], [4, 0], [9, 9]])
    a, b = pack_outlines(square[None]), pack_outlines(square[None] + shifts[:, None])
    np.testing.assert_allclose(hull_iou_matrix(a, b)[0], [1, 12 / 20, 4 / 28, 0, 0], rtol=1e-14)


def test_iou_of_a_square_with_itself_turned_by_45_degrees_is_an_octagon() -> None:
    turn = np.arange(4) * np.pi / 2
    ring = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    tilted = np.stack([np.cos(turn + np.pi / 4), np.sin(turn + np.pi / 4)], axis=1)
    octagon = 4 * np.sqrt(2) - 4  # area shared by two unit-circumradius squares at 45 degrees
    iou = hull_iou_matrix(pack_outlines(ring[None]), pack_outlines(tilted[None]))[0, 0]
    assert iou == pytest.approx(octagon / (4 - octagon), rel=1e-12)


def test_outlines_without_area_overlap_nothing() -> None:
    line = np.array([[0.0, 0], [1, 1], [2, 2], [3, 3]])
    broken = np.array([[0.0, 0], [np.nan, 1], [2, 0], [0, 2]])
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    packed = pack_outlines(np.stack([line, broken, square]))
    np.testing.assert_array_equal(packed.counts, [0, 0, 4])
    np.testing.assert_array_equal(hull_iou_matrix(packed, packed), np.diag([0.0, 0.0, 1.0]))


def test_polygons_of_different_length_and_arrays_pack_alike() -> None:
    square = shapely.box(0, 0, 4, 2)
    star = shapely.Polygon([(0, 0), (5, 4), (10, 0), (6, 5), (10, 10), (5, 6), (0, 10), (4, 5)])
    outlines = np.array([square, shapely.Polygon(), star], dtype=object)
    packed = pack_outlines(outlines)
    np.testing.assert_array_equal(packed.counts, [4, 0, 4])
    np.testing.assert_allclose(packed.areas, [8, 0, 100])
    assert len(pack_outlines(np.empty(0, dtype=object))) == 0


def test_a_wrong_shape_is_refused() -> None:
    with pytest.raises(ArgumentError, match=r"\(N, K, 2\)"):
        convex_hulls(np.zeros((4, 2)))
