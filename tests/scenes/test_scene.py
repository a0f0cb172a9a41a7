from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.scenes import Population, habit_library
from crystalgauge.scenes.scene import placed_facets, placed_vertices
from crystalgauge.scenes.statistics import orientations


@pytest.fixture(scope="module")
def crystals() -> Population:
    rng = np.random.default_rng(4)
    turns = orientations(rng, np.zeros(60, bool), 1.0)
    shape = rng.integers(0, len(habit_library(0)), 60)
    return Population.plain(
        shape, rng.uniform(20, 80, 60), turns, rng.uniform(0, 90, (60, 3)), np.full(60, 1.3)
    )


def test_without_a_stretch_facets_are_the_library_s_own_to_the_bit(crystals: Population) -> None:
    library = habit_library(0)
    normals, distances = placed_facets(library, crystals)
    turned = np.matmul(library.normals[crystals.shape], crystals.rotation.transpose(0, 2, 1))
    np.testing.assert_array_equal(normals, turned)
    np.testing.assert_array_equal(
        distances, library.distances[crystals.shape] * crystals.size_px[:, None]
    )


def test_facets_stay_on_the_corners_of_a_stretched_body(crystals: Population) -> None:
    library = habit_library(0)
    stretch = np.random.default_rng(0).uniform(0.2, 3.0, (60, 3)).astype(np.float32)
    stretched = replace(crystals, stretch=stretch)
    normals, distances = placed_facets(library, stretched)
    corners = placed_vertices(library, stretched) - stretched.position_px[:, None]
    for row, shape in enumerate(stretched.shape):
        faces, used = library.face_count[shape], library.vertex_count[shape]
        slack = distances[row, :faces] - corners[row, :used] @ normals[row, :faces].T
        # float32 corners of up to 240 px: 3e-5 px; shapes are convex to 1e-6 of their size
        assert np.abs(slack.min(axis=0)).max() < 0.02
        np.testing.assert_allclose(np.linalg.norm(normals[row, :faces], axis=1), 1, atol=1e-6)
        assert not normals[row, faces:].any()


def test_a_stretch_acts_along_the_axes_of_the_shape(crystals: Population) -> None:
    library = habit_library(0)
    doubled = replace(crystals, stretch=np.tile(np.float32([2, 1, 1]), (60, 1)))
    plain, long = (
        np.matmul(placed_vertices(library, c) - c.position_px[:, None], c.rotation)
        for c in (crystals, doubled)
    )
    np.testing.assert_allclose(long, plain * [2, 1, 1], atol=1e-3)
