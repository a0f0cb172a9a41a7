from __future__ import annotations

import math

import numpy as np
import pytest

from crystalgauge.render.optics import (
    aperture_slopes,
    condenser_radiance,
    condenser_terms,
    pixel_jitter,
    reflectance,
)
from crystalgauge.render.paths import new_tree
from crystalgauge.render.tracer import trace_crystal
from crystalgauge.scenes import Optics

DOWN = np.array([[0.0, 0.0, -1.0]])
WIDE = condenser_terms(Optics(condenser_rad=0.6, condenser_falloff_rad=0.2, stray_light=0.0))
CUBE = np.vstack([np.eye(3), -np.eye(3)]).astype(np.float32)


def trace(
    normals: np.ndarray,
    distances: np.ndarray,
    index: float,
    *,
    centre: tuple[float, float, float] = (16.0, 16.0, 0.0),
    absorption: float = 0.0,
    rays: np.ndarray = DOWN,
    condenser: tuple[float, ...] = WIDE,
) -> np.ndarray:
    layers = np.empty((len(rays), 32, 32), np.float32)
    trace_crystal(
        layers, normals.astype(np.float32), distances.astype(np.float32), centre, index,
        absorption, rays, pixel_jitter(len(rays)), 8, condenser, np.ones(len(rays)), new_tree(24),
    )  # fmt: skip
    return layers


@pytest.mark.parametrize("index", [1.03, 1.3, 1.5])
def test_a_cube_face_on_transmits_both_faces(index: float) -> None:
    layer = trace(CUBE, np.full(6, 8.0), index)[0]
    transmitted = 1 - ((index - 1) / (index + 1)) ** 2
    # light mirrored twice inside adds less than the weight at which paths are cut
    np.testing.assert_allclose(layer[10:22, 10:22], transmitted**2, atol=0.002)
    np.testing.assert_array_equal(layer[:7], 1.0)
    assert (layer != 1).sum() == 16 * 16


def test_absorption_follows_beer_and_lambert() -> None:
    clear = trace(CUBE, np.array([8, 8, 5, 8, 8, 5.0]), 1.2)[0, 16, 16]
    dark = trace(CUBE, np.array([8, 8, 5, 8, 8, 5.0]), 1.2, absorption=0.07)[0, 16, 16]
    assert dark / clear == pytest.approx(math.exp(-0.07 * 10), rel=1e-4)


def test_a_wedge_bends_light_by_snells_law() -> None:
    tilt, index = 0.3, 1.3
    slanted = np.array([math.sin(tilt), 0.0, -math.cos(tilt)])
    normals = np.vstack([CUBE[[0, 1, 2, 3, 4]], slanted])
    layer = trace(normals, np.array([6, 6, 6, 6, 6, 3.0]), index)[0]
    outside = math.asin(index * math.sin(tilt))
    bend = outside - tilt
    light = condenser_radiance(math.sin(bend), 0.0, -math.cos(bend), WIDE)
    through = 1 - reflectance(1.0, 1.0, 1.0, index)
    through *= 1 - reflectance(math.cos(tilt), math.cos(outside), index, 1.0)
    assert layer[16, 16] == pytest.approx(light * through, abs=0.004)  # less than what is cut


def test_a_beam_bent_past_the_condenser_is_lost() -> None:
    narrow = condenser_terms(Optics(condenser_rad=0.05, condenser_falloff_rad=0.02, stray_light=0))
    slanted = np.array([math.sin(0.3), 0.0, -math.cos(0.3)])
    normals = np.vstack([CUBE[[0, 1, 2, 3, 4]], slanted])
    layer = trace(normals, np.array([6, 6, 6, 6, 6, 3.0]), 1.3, condenser=narrow)[0]
    assert layer[16, 16] < 0.01


def test_the_silhouette_lies_where_the_pixel_convention_says() -> None:
    slopes = aperture_slopes(8, 1e-6)
    rays = np.column_stack([slopes, np.full(8, -1.0)])
    centre = (14.3, 17.85, 0.0)
    hit = (trace(CUBE, np.full(6, 7.2), 1.4, centre=centre, rays=rays) != 1).mean(axis=0)
    where = np.arange(32) + 0.5
    # eight samples a pixel: the edge of a 14 px square is known to 1/8 px, its centre better
    assert hit.sum(axis=0) @ where / hit.sum() == pytest.approx(centre[0], abs=0.06)
    assert hit.sum(axis=1) @ where / hit.sum() == pytest.approx(centre[1], abs=0.06)
    assert hit.sum() == pytest.approx(14.4**2, rel=0.02)


def test_depth_moves_the_image_along_the_ray_only() -> None:
    ray = np.array([[0.2, 0.0, -1.0]]) / math.hypot(0.2, 1)
    flat = trace(CUBE, np.array([6, 6, 0.1, 6, 6, 0.1]), 1.1, rays=ray)[0] != 1
    lifted = trace(
        CUBE, np.array([6, 6, 0.1, 6, 6, 0.1]), 1.1, centre=(16.0, 16.0, 25.0), rays=ray
    )[0] != 1  # fmt: skip
    # a ray through pixel x is at x - 0.2 z at height z: what lies 25 px up shows 5 px further on
    np.testing.assert_array_equal(np.roll(flat, 5, axis=1), lifted)
