"""Agglomerates touch at one depth; what lies over them does not touch."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.scenes.agglomerates import (
    AMMONIUM_PERCHLORATE,
    PICTURES,
    PIECE,
    SUGAR,
    AgglomerateConfig,
    sample_plan,
    sample_scene,
    substance_library,
)
from crystalgauge.scenes.placement import CROSSING, FREE, contact_pairs

PLAIN = AgglomerateConfig(covered=0.0, pieces=0.0, single=0.0)


def pairs_of(scene):
    corners = scene.vertices_px()
    return contact_pairs(corners, scene.library.vertex_count[scene.crystals.shape])


def scenes(config, count=12, shape=(384, 384)):
    return [sample_scene(np.random.default_rng(seed), shape, config) for seed in range(count)]


def test_every_group_hangs_together_at_one_depth() -> None:
    joined = 0
    for scene in scenes(PLAIN):
        depth = scene.crystals.position_px[:, 2]
        size = scene.crystals.size_px
        pairs = pairs_of(scene)
        joined += len(np.unique(pairs)) / max(len(scene.crystals), 1) / 12
        for i, j in pairs:
            assert abs(depth[i] - depth[j]) < 0.6 * max(size[i], size[j])
    assert joined > 0.9  # all but those whose partners found no place


def test_single_crystals_touch_nobody() -> None:
    for scene in scenes(replace(PLAIN, single=1.0)):
        assert len(pairs_of(scene)) == 0


def test_what_lies_over_others_crosses_them_in_projection_and_is_apart() -> None:
    config = replace(PLAIN, single=1.0, covered=1.0, groups=(3, 3), out_of_focus=0.0)
    crossing = 0
    for scene in scenes(config):
        assert len(pairs_of(scene)) == 0
        place = scene.crystals.position_px
        near = np.linalg.norm(place[:, None, :2] - place[None, :, :2], axis=2)
        far = np.abs(place[:, None, 2] - place[None, :, 2])
        close = (near < 0.35 * (scene.crystals.size_px[:, None] + scene.crystals.size_px)) & (
            near > 0
        )
        crossing += int((close & (far > 30)).any(axis=1).sum())
    assert crossing > 20


def test_depths_can_be_told_by_their_blur() -> None:
    for scene in scenes(replace(PLAIN, out_of_focus=0.5), 20):
        blur = np.abs(scene.crystals.position_px[:, 2]) * scene.optics.aperture_tan / 2
        first = np.abs(scene.crystals.position_px[:, 2]) < 12
        # whole groups are near the focus or far from it; members differ by their own size
        assert (blur[~first] > 0.35).all()


def test_broken_pieces_are_small_and_lie_on_top() -> None:
    config = replace(PLAIN, single=1.0, pieces=2.0, out_of_focus=0.0)
    seen = 0
    for scene in scenes(config):
        names = scene.library.habit[scene.crystals.shape]
        pieces = np.flatnonzero(names == PIECE)
        whole = np.flatnonzero(names != PIECE)
        for piece in pieces:
            gap = np.linalg.norm(
                scene.crystals.position_px[whole, :2] - scene.crystals.position_px[piece, :2],
                axis=1,
            )
            below = whole[np.argmin(gap)]
            lift = scene.crystals.position_px[piece, 2] - scene.crystals.position_px[below, 2]
            seen += bool(lift > 0)
            assert scene.crystals.size_px[piece] < 0.26 * config.size_px[1]
        assert len(whole) > 0
    assert seen > 10


def test_plans_have_the_shares_asked_for() -> None:
    rng = np.random.default_rng(0)
    config = replace(AgglomerateConfig(), single=0.4, covered=0.25, pieces=0.0)
    free = alone = members = over = 0
    for _ in range(300):
        plan = sample_plan(rng, (384, 384), config, 100.0)
        heads = np.flatnonzero(plan.relation == FREE)
        free += len(heads)
        joined = np.isin(plan.relation, (FREE, CROSSING), invert=True)
        alone += sum(not (joined & (plan.partner == head)).any() for head in heads)
        members += int((plan.relation != CROSSING).sum())
        over += int((plan.relation == CROSSING).sum())
    assert alone / free == pytest.approx(0.4, abs=0.04)
    assert over / members == pytest.approx(0.25, abs=0.03)


def test_substances_have_their_own_habits_and_pictures() -> None:
    for substance in (AMMONIUM_PERCHLORATE, SUGAR):
        library = substance_library(substance, 1, 60)
        assert set(library.habit) == {substance.name, PIECE}
    for shape, config in PICTURES.values():
        scene = sample_scene(np.random.default_rng(3), shape, config)
        assert scene.shape == shape
        assert len(scene.crystals) >= 1
    assert substance_library(SUGAR, 1, 60) is substance_library(SUGAR, 1, 60)


def test_the_same_seed_gives_the_same_scene() -> None:
    one, two = (sample_scene(np.random.default_rng(9)) for _ in range(2))
    assert one.seed == two.seed
    assert np.array_equal(one.crystals.position_px, two.crystals.position_px)


def test_impossible_configurations() -> None:
    with pytest.raises(ArgumentError, match="two members"):
        AgglomerateConfig(members=(1, 3))
    with pytest.raises(ArgumentError, match="rising sizes"):
        AgglomerateConfig(size_px=(50.0, 20.0))
