from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.core import ArgumentError
from crystalgauge.scenes import Population, SuspensionConfig, sample_scene
from crystalgauge.scenes.placement import contact_pairs
from crystalgauge.scenes.statistics import CROWDS, Crowd, log_uniform, orientations


@pytest.fixture(scope="module")
def scenes() -> list:
    return [sample_scene(np.random.default_rng((5, i)), (256, 256)) for i in range(80)]


def test_the_same_generator_gives_the_same_scene() -> None:
    one, two = (sample_scene(np.random.default_rng(3), (128, 96)) for _ in range(2))
    for name, values in vars(one.crystals).items():
        np.testing.assert_array_equal(values, getattr(two.crystals, name))
    assert (one.optics, one.camera, one.seed) == (two.optics, two.camera, two.seed)
    assert one.shape == (128, 96)


def test_sizes_and_counts_cover_the_regime(scenes: list) -> None:
    sizes = np.concatenate([scene.crystals.size_px for scene in scenes])
    counts = np.array([len(scene.crystals) for scene in scenes])
    assert sizes.min() >= 6
    assert sizes.max() <= 250
    assert (counts == 0).any()
    assert counts.max() > 60
    assert (sizes < 12).mean() > 0.1
    assert (sizes > 60).mean() > 0.02


def test_indices_and_optics_stay_in_range(scenes: list) -> None:
    indices = np.concatenate([scene.crystals.refractive_index for scene in scenes])
    assert indices.min() >= 1.02
    assert indices.max() < 1.5
    for scene in scenes:
        depth = np.abs(scene.crystals.position_px[:, 2]).max(initial=0)
        assert 0.02 <= scene.optics.aperture_tan <= 0.25
        assert np.hypot(*scene.optics.lamp_tilt) <= scene.optics.condenser_rad
        assert depth < 600


def test_every_crystal_reaches_into_the_frame(scenes: list) -> None:
    for scene in scenes:
        corners = scene.vertices_px()[..., :2]
        assert (corners.max(axis=1) > 2.9).all()
        assert (corners.min(axis=1) < 253.1).all()


def test_touching_neighbours_are_not_left_to_chance(scenes: list) -> None:
    library = scenes[0].library
    touching = 0
    for scene in scenes[:40]:
        corner_count = library.vertex_count[scene.crystals.shape]
        touching += len(contact_pairs(scene.vertices_px(), corner_count)) > 0
    assert touching > 15


def test_one_crowd_alone_can_be_asked_for() -> None:
    needles = SuspensionConfig(
        crowds=(Crowd("needles", 1.0, (30, 30), (20, 25), (60, 90), ("needle",)),)
    )
    scene = sample_scene(np.random.default_rng(0), (384, 384), needles)
    assert set(scene.library.habit[scene.crystals.shape]) == {"needle"}
    assert 20 <= len(scene.crystals) <= 30


def test_rotations_turn_and_do_not_mirror() -> None:
    turns = orientations(np.random.default_rng(0), np.zeros(50, bool), 0.6)
    np.testing.assert_allclose(turns @ turns.transpose(0, 2, 1), np.tile(np.eye(3), (50, 1, 1)),
                               atol=1e-12)  # fmt: skip
    np.testing.assert_allclose(np.linalg.det(turns), 1.0)
    assert np.abs(turns[:, 2, 0]).max() <= np.sin(0.6)


def test_log_uniform_has_its_median_at_the_geometric_mean() -> None:
    drawn = log_uniform(np.random.default_rng(0), 2.0, 32.0, 4000)
    # standard error of the median's logarithm: 1.25 * 0.8 / sqrt(4000) = 0.016
    assert np.log(np.median(drawn)) == pytest.approx(np.log(8.0), abs=0.07)


def test_crowds_oversample_needles_and_keep_empty_fields() -> None:
    total = sum(crowd.weight for crowd in CROWDS)
    weights = {crowd.name: crowd.weight / total for crowd in CROWDS}
    assert weights["needles"] > 0.1
    assert 0.02 < weights["empty"] < 0.1


def test_a_population_needs_columns_of_one_length() -> None:
    with pytest.raises(ArgumentError, match="differ in length"):
        Population.plain(np.zeros(2, np.int32), np.ones(3), np.zeros((2, 3, 3)), np.zeros((2, 3)),
                         np.ones(2))  # fmt: skip
