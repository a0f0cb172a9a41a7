"""Distances, contact lengths and shared areas against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.agglomeration.contact import (
    REACH_BLURS,
    REACH_SIZE,
    TOUCH_BLURS,
    TOUCH_SIZE,
    NeighbourPairs,
    neighbour_pairs,
)
from crystalgauge.core import ArgumentError, Crystals


def squares(*corners: tuple[float, float, float], blur: float = 1.0) -> Crystals:
    """Return squares by left, top and edge."""
    outlines = [shapely.box(x, y, x + edge, y + edge) for x, y, edge in corners]
    return Crystals(np.array(outlines, object), {"defocus_px": np.full(len(corners), blur)})


def same(one: NeighbourPairs, other: NeighbourPairs, names: tuple[str, ...]) -> None:
    for name in names:
        assert getattr(one, name) == pytest.approx(getattr(other, name), rel=1e-9, abs=1e-9)


def test_gap_of_two_squares() -> None:
    pairs = neighbour_pairs(squares((0, 0, 20), (22.25, 0, 20)))
    assert pairs.gap_px == pytest.approx([2.25])
    diagonal = neighbour_pairs(squares((0, 0, 20), (21, 21, 20)))
    assert diagonal.gap_px == pytest.approx([np.sqrt(2)])


@pytest.mark.parametrize("offset", [0.0, 4.0, 10.0])
def test_contact_length_of_two_squares_side_by_side(offset: float) -> None:
    # the side of 20 px runs along the other's for 20 - offset, and corners add what lies within
    # the tolerance: at each end at most that much of the side, and of the sides around the corner
    tolerance = TOUCH_BLURS * 1.0 + TOUCH_SIZE * 20
    pairs = neighbour_pairs(squares((0, 0, 20), (20, offset, 20)))
    length = float(pairs.contact_px[0])
    assert 20 - offset <= length <= 20 - offset + 4 * tolerance
    assert pairs.gap_px[0] == 0


def test_outlines_beyond_the_tolerance_do_not_run_along_each_other() -> None:
    tolerance = TOUCH_BLURS * 1.0 + TOUCH_SIZE * 20
    pairs = neighbour_pairs(squares((0, 0, 20), (20 + 1.05 * tolerance, 0, 20)))
    assert pairs.contact_px == pytest.approx([0.0])
    nearer = neighbour_pairs(squares((0, 0, 20), (20 + 0.95 * tolerance, 0, 20)))
    assert nearer.contact_px[0] == pytest.approx(20, rel=0.05)


def test_shared_area_is_of_the_smaller() -> None:
    pairs = neighbour_pairs(squares((0, 0, 40), (35, 10, 10)))
    assert pairs.overlap_share == pytest.approx([0.5])
    assert pairs.size_ratio == pytest.approx([0.25])
    assert pairs.smaller_px == pytest.approx([10.0])


def test_two_halves_of_a_square_are_convex_together_and_a_corner_is_not() -> None:
    whole = Crystals(
        np.array([shapely.box(0, 0, 10, 20), shapely.box(10, 0, 20, 20)], object),
        {"defocus_px": np.ones(2)},
    )
    assert neighbour_pairs(whole).union_solidity == pytest.approx([1.0])
    # two squares that meet at a corner: 2 of 3 unit squares of their hull
    corner = neighbour_pairs(squares((0, 0, 20), (20, 20, 20)))
    assert corner.union_solidity == pytest.approx([2 / 3])


def test_reach_grows_with_blur_and_size() -> None:
    reach = REACH_BLURS * 1.0 + REACH_SIZE * 20
    assert len(neighbour_pairs(squares((0, 0, 20), (20 + 0.99 * reach, 0, 20)))) == 1
    assert len(neighbour_pairs(squares((0, 0, 20), (20 + 1.01 * reach, 0, 20)))) == 0
    blurred = squares((0, 0, 20), (20 + 1.01 * reach, 0, 20), blur=2.0)
    assert len(neighbour_pairs(blurred)) == 1


def test_pure_numbers_do_not_depend_on_the_magnification() -> None:
    rng = np.random.default_rng(3)
    corners = [(*rng.uniform(0, 150, 2), rng.uniform(10, 40)) for _ in range(30)]
    crystals = squares(*corners).with_columns(defocus_px=rng.uniform(0.5, 4, 30))
    larger = crystals.transformed(2.5).with_columns(defocus_px=2.5 * crystals["defocus_px"])
    one, two = neighbour_pairs(crystals), neighbour_pairs(larger)
    assert len(one) > 20
    same(
        one,
        two,
        ("row_a", "row_b", "overlap_share", "size_ratio", "union_solidity"),
    )
    assert one.log_blurs + np.log(2.5) == pytest.approx(two.log_blurs)
    for name in ("gap_px", "blur_px", "contact_px", "smaller_px"):
        assert 2.5 * getattr(one, name) == pytest.approx(getattr(two, name), rel=1e-6, abs=1e-6)


def test_order_does_not_matter() -> None:
    rng = np.random.default_rng(4)
    corners = [(*rng.uniform(0, 150, 2), rng.uniform(10, 40)) for _ in range(30)]
    crystals = squares(*corners).with_columns(defocus_px=rng.uniform(0.5, 4, 30))
    order = rng.permutation(30)
    one, two = neighbour_pairs(crystals), neighbour_pairs(crystals.take(order))
    named = {frozenset(p): c for p, c in zip(zip(one.row_a, one.row_b, strict=True),
                                             one.contact_px, strict=True)}  # fmt: skip
    again = {frozenset((order[a], order[b])): c
             for a, b, c in zip(two.row_a, two.row_b, two.contact_px, strict=True)}  # fmt: skip
    assert named.keys() == again.keys()
    for pair, length in named.items():
        assert again[pair] == pytest.approx(length)


def test_nobody_and_one_alone_have_no_neighbours() -> None:
    assert len(neighbour_pairs(Crystals.empty().with_columns(defocus_px=np.zeros(0)))) == 0
    assert len(neighbour_pairs(squares((0, 0, 20)))) == 0


def test_an_outline_that_crosses_itself_is_no_error() -> None:
    bow = shapely.Polygon([(0, 0), (20, 20), (20, 0), (0, 20)])
    crystals = Crystals(
        np.array([bow, shapely.box(20, 0, 40, 20)], object), {"defocus_px": np.ones(2)}
    )
    assert neighbour_pairs(crystals).gap_px == pytest.approx([0.0])


def test_an_edge_that_could_not_be_measured_is_as_the_model_says() -> None:
    crystals = squares((0, 0, 20), (20, 0, 20)).with_columns(
        defocus_px=[1.0, 2.0], edge_blur_px=[np.nan, 2.0]
    )
    (one, other) = neighbour_pairs(crystals).log_blurs[0]
    assert one == pytest.approx(np.zeros(4))
    assert other == pytest.approx(np.full(4, np.log(2)))


@pytest.mark.parametrize("blur", [0.0, np.nan, -1.0])
def test_crystals_without_blur_are_refused(blur: float) -> None:
    with pytest.raises(ArgumentError, match="above 0"):
        neighbour_pairs(squares((0, 0, 20), blur=blur))
    with pytest.raises(ArgumentError, match="without the column defocus_px"):
        neighbour_pairs(Crystals(np.array([shapely.box(0, 0, 1, 1)], object)))
