from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from crystalgauge.core import Crystals
from crystalgauge.measure import coverage


def crystals(*polygons: shapely.Polygon) -> Crystals:
    return Crystals(np.array(polygons, dtype=object))


def test_overlaps_count_once_and_what_leaves_the_picture_not_at_all() -> None:
    square, shifted = shapely.box(10, 10, 20, 20), shapely.box(15, 10, 25, 20)
    assert coverage(crystals(square), (100, 50)) == pytest.approx(100 / 5000)
    assert coverage(crystals(square, square, shifted), (100, 50)) == pytest.approx(150 / 5000)
    outside = shapely.box(-10, -10, 5, 5), shapely.box(45, 95, 70, 120), shapely.box(60, 0, 70, 9)
    assert coverage(crystals(*outside), (100, 50)) == pytest.approx(50 / 5000)
    assert coverage(crystals(shapely.box(-5, -5, 500, 500)), (100, 50)) == 1.0
    assert coverage(crystals(square, square.reverse()), (100, 50)) == pytest.approx(100 / 5000)


def test_nothing_covers_nothing() -> None:
    assert coverage(Crystals.empty(), (10, 10)) == 0.0
    assert coverage(crystals(shapely.Polygon(), shapely.box(2, 2, 4, 4)), (10, 10)) == 0.04


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_coverage_is_that_of_the_union(seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = np.arange(9) * 2 * np.pi / 9
    radius = rng.uniform(8, 30, (25, 9))
    ring = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=2)
    table = Crystals.from_vertices(ring + rng.uniform(-10, 210, (25, 1, 2)))
    frame = shapely.box(0, 0, 200, 150)
    exact = shapely.area(shapely.intersection(shapely.union_all(table.outlines), frame)) / 30000
    # four lines per pixel: about 1e-4 of the area of shapes of tens of pixels
    assert coverage(table, (150, 200)) == pytest.approx(exact, abs=5e-4)


def test_tall_pictures_are_summed_in_bands() -> None:
    table = crystals(shapely.box(1, 100, 2, 3100))
    assert coverage(table, (4000, 4)) == pytest.approx(3000 / 16000)
