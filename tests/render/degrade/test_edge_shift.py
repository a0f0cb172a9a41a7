from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.render.degrade.edge_shift import EdgeShift, displacements_px, shift_edges


def test_every_row_is_the_old_one_shifted():
    picture = np.random.default_rng(1).random((70, 50), np.float32)
    shift = EdgeShift("rows", 1.2, 3)
    moved, shifted = displacements_px(shift, 70), shift_edges(picture, shift)
    assert len(set(moved.tolist())) > 3
    for old, new, by in zip(picture, shifted, moved, strict=True):
        np.testing.assert_array_equal(new, old[np.clip(np.arange(50) - by, 0, 49)])


def test_columns_are_shifted_as_rows_of_the_turned_picture():
    picture = np.random.default_rng(2).random((50, 70), np.float32)
    by_column = shift_edges(picture, EdgeShift("columns", 0.9, 5))
    by_row = shift_edges(np.ascontiguousarray(picture.T), EdgeShift("rows", 0.9, 5))
    np.testing.assert_array_equal(by_column, by_row.T)


def test_an_edge_stays_where_it_is_on_average():
    edge = np.zeros((384, 60), np.float32)
    edge[:, 30:] = 1
    shifted = shift_edges(edge, EdgeShift("rows", 1.0, 8))
    # standard error of the mean of 384 displacements: 0.05 px
    assert 60 - shifted.sum(axis=1).mean() == pytest.approx(30, abs=0.2)
    moved = displacements_px(EdgeShift("rows", 1.0, 8), 4000)
    assert moved.std() == pytest.approx((1 + 1 / 12) ** 0.5, abs=0.05)  # rounding adds 1 / 12
    assert np.abs(moved).max() <= 4


def test_without_deviation_nothing_moves():
    picture = np.random.default_rng(3).random((9, 8), np.float32)
    np.testing.assert_array_equal(shift_edges(picture, EdgeShift("columns", 0.0, 1)), picture)
