"""Surfaces of glass: closed, outward, and without what lies inside another body."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from crystalgauge.render.glass import body_faces, fan, glass_faces, outside
from crystalgauge.scenes import Population, habit_library, sample_scene

if TYPE_CHECKING:
    from crystalgauge.scenes.scene import Scene


def cube(corner: tuple[float, float, float], edge: float) -> tuple[np.ndarray, ...]:
    """Return corners, normals and distances."""
    low = np.array(corner)
    unit = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    normals = np.vstack([-np.eye(3), np.eye(3)])
    return low + edge * unit, normals, np.concatenate([-low, low + edge])


def measured(faces: list[np.ndarray]) -> tuple[float, float, np.ndarray]:
    """Return volume by the divergence theorem, area, and the sum of the faces' normals."""
    corners, triangles = fan(faces)
    a, b, c = corners[triangles].transpose(1, 0, 2)
    cross = np.cross(b - a, c - a)
    volume = float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)
    return volume, float(np.linalg.norm(cross, axis=1).sum() / 2), cross.sum(axis=0) / 2


def without(one: tuple[np.ndarray, ...], other: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    return [part for face in body_faces(*one) for part in outside(face, *other[1:])]


def two_in_line(gap: float) -> Scene:
    """Return a scene of two bodies of one shape, so far apart that they overlap or do not."""
    base = sample_scene(np.random.default_rng(0), (96, 96))
    library = habit_library(0, 40)
    place = np.array([[30.0, 48, 0], [30.0 + gap, 48, 0]])
    rotation = np.repeat(np.eye(3)[None], 2, axis=0)
    crystals = Population.plain(
        np.array([3, 3]), np.full(2, 30.0), rotation, place, np.full(2, 1.1)
    )
    return replace(base, crystals=crystals, library=library)


def test_surfaces_are_closed_and_face_outwards() -> None:
    base, library = two_in_line(0.0), habit_library(0, 40)
    for row in range(20):
        alone = Population.plain(
            np.array([row]), np.full(1, 30.0), np.eye(3)[None], np.full((1, 3), 48.0), np.ones(1)
        )
        scene = replace(base, crystals=alone)
        volume, area, total = measured(glass_faces(scene)[0])
        corners = scene.vertices_px()[0, : library.vertex_count[row]].astype(np.float64)
        assert np.abs(total).max() < 1e-4 * area
        assert volume == pytest.approx(ConvexHull(corners).volume, rel=1e-3)


def test_what_is_left_of_two_cubes_is_the_surface_of_their_union() -> None:
    one, other = cube((0, 0, 0), 2.0), cube((1, 1, 1), 2.0)
    faces = without(one, other) + without(other, one)
    volume, area, total = measured(faces)
    assert volume == pytest.approx(8 + 8 - 1)
    assert area == pytest.approx(24 + 24 - 6)
    assert np.abs(total).max() < 1e-9


def test_a_body_inside_another_one_has_no_surface_and_one_beside_it_all() -> None:
    inner, outer, far = cube((1, 1, 1), 1.0), cube((0, 0, 0), 3.0), cube((5, 0, 0), 1.0)
    assert without(inner, outer) == []
    assert measured(without(outer, inner))[1] == pytest.approx(54)
    assert measured(without(far, outer))[1] == pytest.approx(6)


def test_intergrown_crystals_lose_their_inner_faces_and_separate_ones_nothing() -> None:
    apart, grown = two_in_line(60.0), two_in_line(12.0)
    whole = sum(measured(faces)[1] for faces in glass_faces(apart))
    union = [face for faces in glass_faces(grown) for face in faces]
    volume, area, total = measured(union)
    assert area < 0.95 * whole
    assert np.abs(total).max() < 1e-3 * area
    one = measured(glass_faces(apart)[0])[0]
    assert one < volume < 2 * one
