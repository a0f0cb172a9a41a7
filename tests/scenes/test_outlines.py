from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.scenes.outlines import convex_hull, rival_area, smallest_box

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


def test_a_rhombus_has_two_smallest_boxes() -> None:
    """Its axes mirror one box into the other, so their areas are equal."""
    rhombus = np.array([[4.0, 0.0], [0.0, 1.5], [-4.0, 0.0], [0.0, -1.5]])
    box = np.zeros(5)
    smallest_box(rhombus, box)
    assert rival_area(rhombus, box[4], 0.03) == pytest.approx(box[2] * box[3])
    slope = math.atan2(1.5, 4.0)
    assert abs(box[4]) == pytest.approx(slope)


def test_a_rectangle_has_no_rival() -> None:
    rectangle = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 1.0], [0.0, 1.0]])
    assert rival_area(rectangle, 0.01, 0.03) == np.inf
