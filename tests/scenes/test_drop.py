"""Regime `drop`: crystals lie in the drop, and those against its rim touch it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from crystalgauge.scenes.backdrop_edges import Edge
from crystalgauge.scenes.drop import (
    FARTHEST_PX,
    OVERHANG_PX,
    distance_to_rim,
    places_in_drop,
    sample_rim,
    sample_scene,
)

SHAPE = (384, 384)


def rim(half_length_px: float = 120.0, half_width_px: float = 100.0) -> Edge:
    """Return an ellipse in the middle of the frame, turned by a sixth of a circle."""
    drawn = sample_rim(np.random.default_rng(5), SHAPE)
    return replace(
        drawn, x_px=192.0, y_px=192.0, half_length_px=half_length_px,
        half_width_px=half_width_px, angle_rad=math.pi / 3,
    )  # fmt: skip


def prisms(count: int) -> np.ndarray:
    """Return boxes of 40 x 16 x 10 px, turned at random about the optical axis."""
    corners = np.array([(x, y, z) for x in (-20, 20) for y in (-8, 8) for z in (-5, 5)], float)
    turn = np.random.default_rng(6).uniform(0, np.pi, count)
    spin = np.zeros((count, 3, 3))
    spin[:, 0, 0] = spin[:, 1, 1] = np.cos(turn)
    spin[:, 0, 1], spin[:, 1, 0], spin[:, 2, 2] = -np.sin(turn), np.sin(turn), 1
    return np.matmul(corners, spin.transpose(0, 2, 1))


def farthest(edge: Edge, bodies: np.ndarray, centres: np.ndarray) -> np.ndarray:
    """Return how far the farthest corner of each body lies from the rim."""
    reach = bodies[:, None, :, :2] + centres[:, :, None]
    return distance_to_rim(edge, reach[..., 0], reach[..., 1]).max(axis=2)


def test_the_distance_to_a_circle_is_exact() -> None:
    circle = rim(100.0, 100.0)
    x, y = np.array([192.0, 192.0 + 130, 192.0 - 40]), np.array([192.0 + 90, 192.0, 192.0])
    assert distance_to_rim(circle, x, y) == pytest.approx([-10, 30, -60])


def test_the_distance_to_an_ellipse_is_nothing_on_it_and_negative_inside() -> None:
    edge = rim()
    turn = np.linspace(0, 2 * np.pi, 37)
    u, v = 120 * np.cos(turn), 100 * np.sin(turn)
    cos, sin = math.cos(edge.angle_rad), math.sin(edge.angle_rad)
    x, y = 192 + cos * u - sin * v, 192 + sin * u + cos * v
    assert np.abs(distance_to_rim(edge, x, y)).max() < 1e-9
    assert distance_to_rim(edge, np.array([192.0]), np.array([192.0]))[0] == -100


def test_all_bodies_against_the_rim_touch_it() -> None:
    bodies = prisms(60)
    centres = places_in_drop(np.random.default_rng(7), rim(), SHAPE, bodies, 1.0, 4)
    over = farthest(rim(), bodies, centres)
    assert over.min() > OVERHANG_PX[0] - 0.3
    assert over.max() < OVERHANG_PX[1] + 0.3


def test_free_bodies_fill_the_drop_and_stay_in_it() -> None:
    bodies = prisms(300)
    centres = places_in_drop(np.random.default_rng(8), rim(), SHAPE, bodies, 0.0, 4)
    over = farthest(rim(), bodies, centres)
    assert over.max() < OVERHANG_PX[1] + 0.3
    assert (over < -10).mean() > 0.4  # most lie away from the rim
    assert np.abs(centres.mean(axis=(0, 1)) - 192).max() < 6  # and all around the middle


@pytest.mark.parametrize("seed", range(6))
def test_no_crystal_of_a_scene_lies_beyond_the_rim(seed: int) -> None:
    scene = sample_scene(np.random.default_rng((17, seed)), SHAPE)
    edges = [part for part in scene.backdrop.elements if isinstance(part, Edge)]
    corners = scene.vertices_px()
    over = distance_to_rim(edges[0], corners[..., 0], corners[..., 1])
    assert scene.regime == "drop"
    assert over.max(initial=-1) <= FARTHEST_PX


def test_a_scene_is_the_same_for_the_same_seed() -> None:
    first, again = (sample_scene(np.random.default_rng(19), SHAPE) for _ in range(2))
    assert np.array_equal(first.vertices_px(), again.vertices_px())
    assert first.backdrop == again.backdrop
