from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.ndimage import label

from crystalgauge.core import Crystals
from crystalgauge.io.annotations import (
    crystals_from_labels,
    labels_from_crystals,
    mask_from_outline,
    outline_from_mask,
    pixel_window,
)

masks = arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9)))


def drawn(rows):
    return np.array([[character == "#" for character in row] for row in rows])


@settings(max_examples=30, deadline=None)
@given(masks)
def test_any_mask_and_its_outline_are_the_same_set(mask):
    outline = outline_from_mask(mask, (3, 5))
    if not mask.any():
        assert outline is None
        return
    assert outline.is_valid
    assert outline.area == mask.sum()
    # every edge of the pixel grid between inside and outside is on the outline, and nothing else
    padded = np.pad(mask, 1)
    edges = np.count_nonzero(np.diff(padded, axis=0)) + np.count_nonzero(np.diff(padded, axis=1))
    assert outline.length == edges
    assert shapely.get_num_geometries(outline) == label(mask)[1]
    assert np.array_equal(mask_from_outline(outline, (3, 5), mask.shape), mask)


def test_hole_is_kept_and_corners_only():
    outline = outline_from_mask(drawn(["####", "#..#", "####"]))
    assert len(outline.interiors) == 1
    assert len(outline.exterior.coords) == 5
    assert shapely.equals(outline, shapely.box(0, 0, 4, 3).difference(shapely.box(1, 1, 3, 2)))


def test_a_hole_that_touches_the_outside_at_a_corner():
    """The boundary passes that corner twice; as one ring it would be invalid."""
    outline = outline_from_mask(drawn([".##", "#.#", "###"]))
    assert outline.is_valid
    assert (outline.area, len(outline.interiors)) == (7, 1)


def test_parts_and_islands_in_holes():
    mask = drawn(["#####", "#...#", "#.#.#", "#...#", "#####", ".....", "##..."])
    outline = outline_from_mask(mask)
    parts = sorted(outline.geoms, key=lambda part: part.area)
    assert [part.area for part in parts] == [1, 2, 16]
    assert [len(part.interiors) for part in parts] == [0, 0, 1]


def test_centres_decide_and_neighbours_share_no_pixel():
    left = shapely.Polygon([(0, 0), (2.5, 0), (2.5, 4), (0, 4)])
    right = shapely.Polygon([(2.5, 0), (5, 0), (5, 4), (2.5, 4)])
    first, second = (mask_from_outline(p, (0, 0), (4, 5)) for p in (left, right))
    assert not (first & second).any()
    assert (first | second).all()
    assert first.sum() == 8  # the border runs through the centres of the third column


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_rasterised_area_is_near_that_of_a_convex_polygon(seed):
    """The error is bounded by the pixels that the perimeter crosses."""
    generator = np.random.default_rng(seed)
    points = generator.uniform(2, 38, (8, 2))
    outline = shapely.convex_hull(shapely.MultiPoint(points))
    (x0, y0), shape = pixel_window(outline, (40, 40))
    mask = mask_from_outline(outline, (x0, y0), shape)
    assert abs(int(mask.sum()) - outline.area) <= outline.length
    rows, columns = np.nonzero(mask)
    inside = shapely.contains_xy(outline, columns + x0 + 0.5, rows + y0 + 0.5)
    assert inside.all()


def test_window_is_clipped_and_may_be_empty():
    outline = shapely.box(-3.2, 2.5, 4.1, 99)
    assert pixel_window(outline) == ((-4, 2), (97, 9))
    assert pixel_window(outline, (10, 20)) == ((0, 2), (8, 5))
    assert pixel_window(shapely.box(30, 0, 40, 5), (10, 20))[1][1] == 0


def test_labels_to_crystals_and_back_with_odd_numbers():
    labels = np.zeros((20, 30), np.int64)
    labels[2:5, 3:9] = 7
    labels[5:9, 3:9] = 2**40
    labels[10:, 20:] = 3
    crystals = crystals_from_labels(labels)
    assert crystals["id"].tolist() == [3, 7, 2**40]
    assert crystals.area_px2.tolist() == [100, 18, 24]
    assert crystals.bounds[1].tolist() == [3, 2, 9, 5]
    painted, covered = labels_from_crystals(crystals, labels.shape)
    assert covered == 0
    # numbers that do not fit are counted anew, in order
    assert np.array_equal(painted, np.select([labels == 3, labels == 7, labels > 7], [1, 2, 3]))


def test_later_crystals_lie_on_top_and_the_covered_are_counted():
    outlines = [shapely.box(0, 0, 6, 6), shapely.box(4, 4, 9, 9), shapely.box(20, 20, 22, 22)]
    painted, covered = labels_from_crystals(Crystals(np.array(outlines)), (30, 30))
    assert covered == 1
    assert (np.bincount(painted.ravel())[1:] == [32, 25, 4]).all()


def test_a_crystal_that_the_picture_cuts():
    painted, _ = labels_from_crystals(Crystals(np.array([shapely.box(-5, -5, 2, 3)])), (10, 10))
    assert painted.sum() == 6


@pytest.mark.parametrize("empty", [np.zeros((4, 5), np.uint8), np.zeros((1, 1), np.int32)])
def test_no_labels(empty):
    assert len(crystals_from_labels(empty)) == 0
    assert labels_from_crystals(Crystals.empty(), empty.shape)[0].max() == 0
