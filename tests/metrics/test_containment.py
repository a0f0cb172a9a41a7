"""Outlines within better ones, against shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.core import ArgumentError
from crystalgauge.metrics import convex_hulls, pack_outlines, within_better


def by_shapely(outlines: list, share: float, ratio: float) -> list[bool]:
    def part(big: shapely.Polygon, small: shapely.Polygon) -> bool:
        covered = big.intersection(small).area >= share * small.area
        return covered and small.area >= ratio * big.area

    return [any(part(big, small) for big in outlines[:j]) for j, small in enumerate(outlines)]


@pytest.mark.parametrize("seed", range(8))
def test_agrees_with_shapely(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outlines = [
        shapely.MultiPoint(
            rng.normal(size=(7, 2)) * rng.uniform(2, 30) + rng.uniform(0, 120, 2)
        ).convex_hull
        for _ in range(60)
    ]
    packed = pack_outlines(np.array(outlines, dtype=object))
    marks = within_better(packed.hulls, packed.counts, packed.areas, share=0.8, least_ratio=0.05)
    assert marks.tolist() == by_shapely(outlines, 0.8, 0.05)
    assert 0 < marks.sum() < 60


def test_the_better_one_is_never_marked() -> None:
    squares = np.array(
        [[[4, 4], [6, 4], [6, 6], [4, 6]], [[0, 0], [10, 0], [10, 10], [0, 10]]], float
    )
    hulls = convex_hulls(squares)
    assert not within_better(*hulls, share=0.9, least_ratio=0.01).any()
    turned = convex_hulls(squares[::-1])
    assert within_better(*turned, share=0.9, least_ratio=0.01).tolist() == [False, True]
    assert not within_better(*turned, share=0.9, least_ratio=0.05).any()  # 4 % of its area


def test_nothing_and_impossible_shares() -> None:
    empty = convex_hulls(np.zeros((0, 4, 2)))
    assert within_better(*empty, share=0.5, least_ratio=0.0).shape == (0,)
    with pytest.raises(ArgumentError, match="a share of an area lies in"):
        within_better(*empty, share=0.0, least_ratio=0.0)
