from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.scenes.placement import (
    CONTACT_GAP_PX,
    CROSSING,
    FREE,
    INTERGROWN,
    TOUCHING,
    contact_pairs,
    place,
    separation,
)

CORNERS = np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, -1).T.astype(np.float32)


def test_distance_of_cubes_is_known() -> None:
    cube = 5 * CORNERS
    for shift, distance in (((14, 0, 0), 4.0), ((13, 14, 0), 5.0), ((12, 12, 12), 2 * 3**0.5)):
        found = separation(cube, cube, np.array(shift, np.float64))
        assert found <= distance + 1e-6
        assert found == pytest.approx(distance, rel=0.01, abs=0.03)
    assert separation(cube, cube, np.array([9.0, 9.0, 0.0])) <= 0


def scatter(relation: int, count: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray, list]:
    rng = np.random.default_rng(seed)
    turns = np.linalg.qr(rng.normal(size=(count, 3, 3)))[0]
    bodies = (CORNERS * (8, 5, 3)) @ turns
    relations = np.full(count, relation, np.int32)
    relations[: count // 2] = FREE
    partner = np.floor(rng.random(count) * np.arange(count)).astype(np.int64)
    partner[count // 2 :] = np.arange(count // 2)
    candidates = rng.uniform((0, 0, -40), (200, 200, 40), (count, 12, 3))
    offsets = rng.normal(size=(count, 12, 3))
    offsets /= np.linalg.norm(offsets, axis=-1, keepdims=True)
    if relation != TOUCHING:
        offsets *= 6.0
    position, placed = place(
        bodies.astype(np.float32), np.full(count, 8, np.int32), relations, partner, candidates,
        offsets, 200.0, 200.0,
    )  # fmt: skip
    vertices = (bodies + position[:, None]).astype(np.float32)
    pairs = [(i, partner[i]) for i in range(count // 2, count) if placed[i] and placed[partner[i]]]
    return vertices, placed, pairs


def test_touching_bodies_touch_and_do_not_share_space() -> None:
    vertices, placed, pairs = scatter(TOUCHING)
    nowhere = np.zeros(3)
    assert len(pairs) >= 10
    for i, j in pairs:
        gap = separation(vertices[i], vertices[j], nowhere)
        assert 0 < gap < CONTACT_GAP_PX
    found = {tuple(sorted(map(int, pair))) for pair in contact_pairs(
        vertices, np.where(placed, 8, 1).astype(np.int32))}  # fmt: skip
    assert {tuple(sorted((int(i), int(j)))) for i, j in pairs} <= found


@pytest.mark.parametrize("relation", [FREE, CROSSING])
def test_other_bodies_keep_apart(relation: int) -> None:
    vertices, placed, _ = scatter(relation)
    kept = vertices[placed]
    for i in range(len(kept)):
        for j in range(i):
            assert separation(kept[i], kept[j], np.zeros(3)) > 0


def test_intergrown_bodies_share_space_and_count_as_contacts() -> None:
    vertices, placed, pairs = scatter(INTERGROWN)
    found = {tuple(pair) for pair in contact_pairs(vertices, np.full(24, 8, np.int32)).tolist()}
    assert placed.all()
    assert all((min(i, j), max(i, j)) in found for i, j in pairs)


def test_lone_bodies_have_no_contacts() -> None:
    vertices = np.stack([CORNERS, CORNERS + 10, CORNERS + 20]).astype(np.float32)
    assert contact_pairs(vertices, np.full(3, 8, np.int32)).shape == (0, 2)
