from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import Crystals
from crystalgauge.metrics import (
    coverage_matrix,
    hull_iou_matrix,
    iou_matrix,
    oriented_box_corners,
    overlaps,
    pack_outlines,
    rotated_iou_matrix,
)


def boxes(*bounds: tuple[float, float, float, float]) -> Crystals:
    return Crystals(np.array([shapely.box(*b) for b in bounds], dtype=object))


def test_overlap_of_squares_is_the_closed_form() -> None:
    a = boxes((0, 0, 4, 4), (10, 10, 12, 12))
    b = boxes((2, 0, 6, 4), (4, 0, 8, 4), (0, 0, 4, 4), (9, 9, 13, 13))
    np.testing.assert_allclose(
        iou_matrix(a, b).toarray(), [[8 / 24, 0, 1, 0], [0, 0, 0, 4 / 16]], rtol=1e-14
    )
    np.testing.assert_allclose(
        coverage_matrix(a, b).toarray(), [[0.5, 0, 1, 0], [0, 0, 0, 1]], rtol=1e-14
    )
    pairs = overlaps(a, b)
    np.testing.assert_array_equal(pairs.row_a, [0, 0, 1])  # touching squares share no area
    np.testing.assert_array_equal(pairs.row_b, [0, 2, 3])


def test_a_notch_counts_which_a_hull_would_fill() -> None:
    ell = shapely.Polygon([(0, 0), (4, 0), (4, 1), (1, 1), (1, 4), (0, 4)])
    a, b = Crystals(np.array([ell], dtype=object)), boxes((1, 1, 4, 4))
    assert iou_matrix(a, b).nnz == 0
    assert hull_iou_matrix(pack_outlines(a.outlines), pack_outlines(b.outlines))[0, 0] > 0.2


def test_an_outline_that_crosses_itself_counts_what_it_encloses() -> None:
    bow_tie = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])  # two triangles of area 4
    a = Crystals(np.array([bow_tie, shapely.Polygon(), None], dtype=object))
    pairs = overlaps(a, boxes((0, 0, 4, 4)))
    np.testing.assert_allclose(pairs.area_a[:2], [8, 0])
    np.testing.assert_array_equal(pairs.row_a, [0])
    assert pairs.iou[0] == pytest.approx(0.5)


def test_empty_tables_overlap_nothing() -> None:
    assert iou_matrix(Crystals.empty(), boxes((0, 0, 1, 1))).shape == (0, 1)
    assert iou_matrix(boxes((0, 0, 1, 1)), Crystals.empty()).shape == (1, 0)


def test_oriented_boxes_turn_from_x_towards_y() -> None:
    corners = oriented_box_corners(np.array([[5.0, 7, 4, 2, np.pi / 2]]))
    np.testing.assert_allclose(corners[0].min(axis=0), [4, 5], atol=1e-12)
    np.testing.assert_allclose(corners[0].max(axis=0), [6, 9], atol=1e-12)


def test_crossed_boxes_share_their_middle() -> None:
    a = np.array([[0.0, 0, 10, 2, 0.3]])
    b = np.array([[0.0, 0, 10, 2, 0.3 + np.pi / 2], [0, 0, 10, 2, 0.3 + np.pi], [0, 0, 0, 0, 0]])
    np.testing.assert_allclose(rotated_iou_matrix(a, b)[0], [4 / 36, 1, 0], rtol=1e-12)
    # two unit squares at 45 degrees share a regular octagon of inradius 1/2
    octagon = 2 * np.tan(np.pi / 8)
    squares = np.array([[3.0, 3, 1, 1, 0], [3, 3, 1, 1, np.pi / 4]])
    iou = rotated_iou_matrix(squares, squares)[0, 1]
    assert iou == pytest.approx(octagon / (2 - octagon), rel=1e-12)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10_000))
def test_leaving_pairs_out_keeps_all_that_overlap_enough(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = np.arange(12) * np.pi / 6
    radius = rng.uniform(3, 10, (40, 12))  # jagged, so that hulls and outlines differ
    ring = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=2)
    crystals = Crystals.from_vertices(ring + rng.uniform(0, 40, (40, 1, 2)))
    a, b = crystals.take(slice(0, 20)), crystals.take(slice(20, 40))
    everything, some = overlaps(a, b), overlaps(a, b, least_iou=0.3, least_coverage=0.4)
    keep = (everything.iou >= 0.3) | (everything.coverage >= 0.4)
    wanted = set(zip(everything.row_a[keep], everything.row_b[keep], strict=True))
    assert wanted <= set(zip(some.row_a, some.row_b, strict=True))
    assert len(some.row_a) < len(everything.row_a)
