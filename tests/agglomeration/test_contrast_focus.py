"""Contrast 1 and 2 on crystals laid out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.agglomeration.contrast_focus import (
    agglomerated_by_contrast,
    carried_over,
    contrast_1,
    contrast_2,
    neighbours,
)
from crystalgauge.core import ArgumentError, Crystals


def boxes(*corners: tuple[float, float, float, float]) -> Crystals:
    return Crystals(np.array([shapely.box(*c) for c in corners], object))


# three in a row that touch, one 3 px beside the third, one far away
ROW = boxes((0, 0, 20, 20), (20, 0, 40, 20), (40, 0, 60, 20), (63, 0, 83, 20), (200, 0, 220, 20))


def test_neighbours_lie_within_a_share_of_the_smaller_size_and_the_reach() -> None:
    near = neighbours(ROW, reach_px=1.9)  # 5 % of 20 px and 1.9 px are less than 3 px
    np.testing.assert_array_equal(np.c_[near.row_a, near.row_b], [[0, 1], [1, 2]])
    near = neighbours(ROW, reach_px=2.0)
    np.testing.assert_array_equal(np.c_[near.row_a, near.row_b], [[0, 1], [1, 2], [2, 3]])
    np.testing.assert_array_equal(near.count, [1, 2, 2, 1, 0])
    # a large neighbour does not widen what a small one reaches
    uneven = boxes((0, 0, 400, 400), (410, 0, 420, 10))
    assert neighbours(uneven).count.sum() == 0
    assert len(neighbours(Crystals.empty()).count) == 0
    with pytest.raises(ArgumentError, match="at least 0 px"):
        neighbours(ROW, reach_px=-1.0)


def test_contrast_1_is_the_distance_from_the_neighbours_mean() -> None:
    level = np.array([1.0, 0.8, 0.1, 0.3, 0.9])
    contrast = contrast_1(level, neighbours(ROW))
    np.testing.assert_allclose(contrast[:4], [0.2, 0.8 - 0.55, 0.55 - 0.1, 0.2])
    assert np.isnan(contrast[4])
    np.testing.assert_array_equal(
        agglomerated_by_contrast(contrast), [True, True, True, True, False]
    )


def test_contrast_2_asks_whether_any_neighbour_has_the_same_focus() -> None:
    level = np.array([0.9, 0.2, 0.9, 0.6, 0.9])
    contrast = contrast_2(level, neighbours(ROW))
    np.testing.assert_array_equal(contrast[:4], [1, 1, 0, 0])
    assert np.isnan(contrast[4])
    np.testing.assert_array_equal(
        agglomerated_by_contrast(contrast), [False, False, True, True, False]
    )


def test_two_out_of_focus_are_at_one_level_too() -> None:
    near = neighbours(boxes((0, 0, 10, 10), (10, 0, 20, 10)))
    np.testing.assert_array_equal(contrast_2(np.array([0.1, 0.4]), near), [0, 0])
    np.testing.assert_allclose(contrast_1(np.array([0.1, 0.4]), near), [0.3, 0.3])


def test_a_contrast_of_one_half_is_another_layer() -> None:
    np.testing.assert_array_equal(agglomerated_by_contrast(np.array([0.499, 0.5])), [True, False])


def test_focus_reaches_the_outline_of_the_same_crystal() -> None:
    source = boxes((0, 0, 20, 16), (0, 0, 20, 19), (40, 0, 60, 9))
    np.testing.assert_array_equal(carried_over(ROW, source), [1, -1, -1, -1, -1])
