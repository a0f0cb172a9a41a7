from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.render.geometry import convex_hull, row_span, smallest_box

POINTS = st.lists(
    st.tuples(st.integers(-40, 40), st.integers(-40, 40)), min_size=3, max_size=30
).map(lambda pairs: np.array(pairs, np.float64) / 4)


def hull_of(points: np.ndarray) -> np.ndarray:
    scratch = np.empty((len(points) + 2, 2))
    return scratch[: convex_hull(points, scratch)].copy()


@settings(max_examples=25, deadline=None)
@given(POINTS)
def test_hull_agrees_with_shapely(points: np.ndarray) -> None:
    expected = shapely.MultiPoint(points).convex_hull
    if expected.geom_type != "Polygon":
        return
    hull = hull_of(points)
    assert len(hull) == len(expected.exterior.coords) - 1
    assert shapely.Polygon(hull).equals(expected)


@settings(max_examples=25, deadline=None)
@given(POINTS)
def test_box_has_the_least_area_and_holds_the_hull(points: np.ndarray) -> None:
    polygon = shapely.MultiPoint(points).convex_hull
    if polygon.geom_type != "Polygon":
        return
    box = np.zeros(5)
    hull = hull_of(points)
    smallest_box(hull, box)
    # shapely rotates with its own rounding, hence not to the last digit
    assert box[2] * box[3] <= shapely.minimum_rotated_rectangle(polygon).area * (1 + 1e-6)
    assert box[2] >= box[3]
    turn = np.array([[np.cos(box[4]), -np.sin(box[4])], [np.sin(box[4]), np.cos(box[4])]])
    inside = np.abs((hull - box[:2]) @ turn)
    assert (inside <= box[2:4] / 2 + 1e-9).all()


def test_row_span_of_a_triangle() -> None:
    triangle = np.array([[0.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    assert row_span(triangle, 1.0) == pytest.approx((0.0, 3.0))
    low, high = row_span(triangle, 5.0)
    assert low > high
