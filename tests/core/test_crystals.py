from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError, Crystals, concatenate


def squares(*sides):
    return Crystals(
        np.array([shapely.box(0, 0, side, side) for side in sides], dtype=object),
        {"side": np.array(sides), "box": np.zeros((len(sides), 4))},
    )


def test_area_bounds_and_order():
    crystals = squares(3, 1, 2)
    assert crystals.area_px2.tolist() == [9, 1, 4]
    assert crystals.bounds.tolist() == [[0, 0, 3, 3], [0, 0, 1, 1], [0, 0, 2, 2]]
    assert crystals["side"].tolist() == [3, 1, 2]
    assert "side" in crystals
    assert "score" not in crystals


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        (np.array([True, False, True]), [3, 2]),
        ([2, 0], [2, 3]),
        (slice(1, None), [1, 2]),
        ([], []),
        (np.zeros(3, bool), []),
    ],
)
def test_take_keeps_rows_and_columns_together(rows, kept):
    taken = squares(3, 1, 2).take(rows)
    assert taken["side"].tolist() == kept
    assert taken.area_px2.tolist() == [side**2 for side in kept]
    assert taken["box"].shape == (len(kept), 4)


def test_a_scale_acts_squared_on_areas_and_a_shift_not_at_all():
    crystals = squares(3, 1).transformed(2.5, (10, -4))
    assert crystals.area_px2 == pytest.approx([9 * 6.25, 6.25])
    assert crystals.bounds[0].tolist() == [10, -4, 17.5, 3.5]


def test_columns_of_another_length_are_refused():
    with pytest.raises(ArgumentError, match="'score' has 2 rows, but there are 3 outlines"):
        squares(1, 2, 3).with_columns(score=[0.1, 0.2])
    with pytest.raises(ArgumentError, match="has no rows"):
        squares(1).with_columns(score=0.5)


def test_with_columns_leaves_the_original_alone():
    before = squares(1, 2)
    after = before.with_columns(score=[0.5, 0.6])
    assert "score" not in before
    assert after["score"].tolist() == [0.5, 0.6]


def test_from_vertices():
    crystals = Crystals.from_vertices(
        np.array([[[0, 0], [4, 0], [4, 2], [0, 2]]], dtype=float), {"score": [0.5]}
    )
    assert crystals.area_px2.tolist() == [8]
    assert len(Crystals.from_vertices(np.empty((0, 4, 2)))) == 0


def test_concatenate_keeps_shared_columns_and_skips_empty_tables():
    joined = concatenate([squares(1, 2), Crystals.empty(), squares(3).with_columns(score=[1.0])])
    assert joined["side"].tolist() == [1, 2, 3]
    assert "score" not in joined
    assert len(concatenate([])) == 0
    assert len(concatenate([Crystals.empty()])) == 0


def test_table_has_one_row_a_crystal_and_the_outline():
    table = squares(2, 1).table
    assert table.columns == ["side", "outline_wkt"]
    assert shapely.from_wkt(table["outline_wkt"][1]).area == 1


def test_empty_table_has_areas_and_bounds_of_no_rows():
    assert Crystals.empty().area_px2.shape == (0,)
    assert Crystals.empty().bounds.shape == (0, 4)
