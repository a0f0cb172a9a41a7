"""Pairs joined to agglomerates, and what is said of them."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from crystalgauge.agglomeration import (
    Heaps,
    agglomerates,
    agglomeration_degree,
    contact_graph,
    heaps,
    load_contact_model,
    neighbour_pairs,
)
from crystalgauge.agglomeration.graph import likeliest_contacts, number_groups
from crystalgauge.core import ArgumentError, Crystals

EXACT = load_contact_model("exact")


def row_of_squares(gaps: list[float], edge: float = 60.0, blur: float = 1.0) -> Crystals:
    """Return squares side by side, each as far from the one before as told."""
    left, outlines = 0.0, []
    for gap in [0.0, *gaps]:
        left += gap
        outlines.append(shapely.box(left, 0, left + edge, edge))
        left += edge
    return Crystals(np.array(outlines, object), {"defocus_px": np.full(len(outlines), blur)})


def test_groups_are_those_of_a_plain_search() -> None:
    rng = np.random.default_rng(0)
    for count in (1, 2, 30, 200):
        a, b = rng.integers(count, size=(2, count // 2))
        number = number_groups(count, a, b)
        parent = list(range(count))

        def root(i: int, parent: list[int] = parent) -> int:
            while parent[i] != i:
                i = parent[i]
            return i

        for i, j in zip(a, b, strict=True):
            parent[root(int(i))] = root(int(j))
        for i in range(count):
            for j in range(i):
                together = number[i] == number[j] and number[i] > 0
                assert together == (root(i) == root(j))


def test_groups_are_numbered_by_their_first_member() -> None:
    number = number_groups(7, np.array([5, 1, 3]), np.array([6, 4, 5]))
    assert number.tolist() == [0, 1, 0, 2, 1, 2, 2]


def test_squares_side_by_side_are_agglomerated_and_one_apart_is_not() -> None:
    crystals = row_of_squares([0.0, 0.0, 40.0])
    graph = contact_graph(crystals, EXACT)
    assert graph.agglomerate_id.tolist() == [1, 1, 1, 0]
    assert graph.agglomerated.tolist() == [True, True, True, False]
    assert graph.contact_probability[3] == 0
    found = agglomerates(crystals, graph)
    assert found.members.tolist() == [3]
    assert found.contacts.tolist() == [2]
    assert found.area_px2 == pytest.approx([3 * 3600])
    assert found.equivalent_diameter_px == pytest.approx([np.sqrt(4 * 10800 / np.pi)])
    # each contact is the side, and a little around its corners
    assert found.contact_px[0] == pytest.approx(120, rel=0.15)
    assert found.contact_px[0] >= 120


def test_what_lies_at_another_depth_is_not_joined() -> None:
    crystals = row_of_squares([0.0, 0.0]).with_columns(defocus_px=[1.0, 1.0, 4.0])
    assert contact_graph(crystals, EXACT).agglomerate_id.tolist() == [1, 1, 0]


def test_a_doubtful_find_is_a_partner_and_nothing_else() -> None:
    crystals = row_of_squares([0.0, 0.0, 30.0, 0.0, 0.0])
    sure, doubtful = crystals.take([0, 3]), crystals.take([1, 2, 4, 5])
    assert contact_graph(sure, EXACT).agglomerate_id.tolist() == [0, 0]
    graph = contact_graph(sure, EXACT, doubtful=doubtful)
    assert graph.agglomerate_id.tolist() == [1, 2]  # two doubtful ones together join nobody
    assert (graph.contact_probability > 0.5).all()
    assert graph.contact_px == pytest.approx([60, 60], rel=0.2)
    found = agglomerates(sure, graph)
    assert found.members.tolist() == [1, 1]
    assert found.area_px2 == pytest.approx([3600, 3600])
    both = contact_graph(crystals.take([0, 2]), EXACT, doubtful=crystals.take([1]))
    assert both.agglomerate_id.tolist() == [1, 1]
    nobody = contact_graph(sure.take(slice(0)), EXACT, doubtful=doubtful)
    assert len(nobody.agglomerate_id) == len(nobody.pairs) == 0


def test_a_crystal_of_several_doubtful_contacts_is_joined_to_the_likeliest() -> None:
    pairs = neighbour_pairs(row_of_squares([0.0, 0.0, 0.0]))
    said = np.array([0.4, 0.45, 0.3])
    chosen = likeliest_contacts(pairs, said, np.array([0.4, 0.6, 0.45, 0.3]))
    assert list(zip(pairs.row_a[chosen], pairs.row_b[chosen], strict=True)) == [(1, 2)]
    assert not likeliest_contacts(pairs, said, np.full(4, 0.49)).any()


def test_threshold() -> None:
    crystals = row_of_squares([0.0, 0.0])
    said = contact_graph(crystals, EXACT).pair_probability
    assert contact_graph(crystals, EXACT, threshold=float(said.max()) + 1e-6).linked.sum() == 0
    assert contact_graph(crystals, EXACT, threshold=1e-6).linked.all()
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        contact_graph(crystals, EXACT, threshold=1.0)


def test_scale_and_order_change_nothing() -> None:
    rng = np.random.default_rng(5)
    corners = rng.uniform(0, 300, (40, 2))
    outlines = [shapely.box(x, y, x + 40, y + 50) for x, y in corners]
    crystals = Crystals(np.array(outlines, object), {"defocus_px": rng.uniform(1, 1.3, 40)})
    one = contact_graph(crystals, EXACT).agglomerate_id
    larger = crystals.transformed(3.0).with_columns(defocus_px=3 * crystals["defocus_px"])
    assert contact_graph(larger, EXACT).agglomerate_id.tolist() == one.tolist()
    order = rng.permutation(40)
    two = contact_graph(crystals.take(order), EXACT).agglomerate_id
    assert one.max() >= 2
    same = (one[:, None] == one) & (one > 0)
    assert np.array_equal(same[np.ix_(order, order)], (two[:, None] == two) & (two > 0))


@pytest.mark.parametrize("count", [0, 1])
def test_nobody_and_one_alone(count: int) -> None:
    crystals = row_of_squares([]).take(slice(0, count))
    graph = contact_graph(crystals)
    assert graph.agglomerate_id.tolist() == [0] * count
    assert len(agglomerates(crystals, graph)) == 0
    degree = agglomeration_degree(
        [heaps(graph.agglomerate_id, graph.contact_probability, np.ones(count))]
    )
    assert degree.number.value == (0.0 if count else None)


def test_five_thousand_crystals() -> None:
    x, y = np.meshgrid(np.arange(100) * 25.0, np.arange(50) * 40.0)
    outlines = shapely.box(x.ravel(), y.ravel(), x.ravel() + 24, y.ravel() + 24)
    crystals = Crystals(outlines, {"defocus_px": np.ones(5000)})
    graph = contact_graph(crystals, threshold=1e-9)
    assert len(graph.pairs) == 99 * 50
    found = agglomerates(crystals, graph)
    assert found.members.tolist() == [100] * 50
    assert found.contacts.tolist() == [99] * 50


def test_heaps_are_agglomerates_and_single_crystals() -> None:
    found = heaps(np.array([2, 0, 1, 2, 0]), np.full(5, 0.3), np.array([1.0, 2, 3, 1, 1]))
    assert found.heap[0] == found.heap[3]
    assert np.unique(found.heap).tolist() == [0, 1, 2, 3]
    assert found.volume.tolist() == [1, 8, 27, 1, 1]


def test_degree_by_number_and_volume() -> None:
    picture = Heaps(np.array([1.0, 1.0, 0.0, 0.0]), np.array([1.0, 1.0, 1.0, 5.0]),
                    np.array([0, 0, 1, 2]))  # fmt: skip
    degree = agglomeration_degree([picture])
    assert degree.number.value == pytest.approx(0.5)
    assert degree.volume.value == pytest.approx(0.25)
    assert degree.number.low <= 0.5 <= degree.number.high
    several = agglomeration_degree([picture] * 5)
    assert several.number.value == pytest.approx(0.5)
    assert (several.number.low, several.number.high) == (0.5, 0.5)  # all pictures are alike
    assert agglomeration_degree([]).volume.value is None


def test_interval_of_the_degree_covers_as_often_as_it_says() -> None:
    rng = np.random.default_rng(7)
    covered = 0
    for trial in range(120):
        pictures = []
        for _ in range(12):
            p = rng.beta(0.6, 0.6, 25)
            pictures.append(Heaps(p, np.ones(25), np.arange(25)))
        degree = agglomeration_degree(pictures, draws=200, seed=trial).number
        true = np.mean([rng.random(25) < each.probability for each in pictures])
        covered += degree.low <= true <= degree.high
    # it also covers other pictures, so that it is wide for these: at least 95 %, to 2.5 sd
    assert covered / 120 > 0.9


def test_a_heap_is_as_uncertain_as_one_crystal() -> None:
    p, volume = np.full(20, 0.5), np.ones(20)
    together = agglomeration_degree([Heaps(p, volume, np.zeros(20, np.int64))]).number
    apart = agglomeration_degree([Heaps(p, volume, np.arange(20))]).number
    assert (together.low, together.high) == (0.0, 1.0)
    # 20 crystals, each as likely as not: a standard deviation of 0.11
    assert apart.high - apart.low == pytest.approx(4 * 0.11, rel=0.25)
