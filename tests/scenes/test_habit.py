from __future__ import annotations

import numpy as np
import pytest

from crystalgauge.scenes import habit_library
from crystalgauge.scenes.habit import (
    HABITS,
    NEEDLES,
    PYRAMIDS,
    chip,
    edges_of,
    form_indices,
    grow,
    point_group_operations,
)

ORDERS = {"-1": 2, "2/m": 4, "mmm": 8, "4/mmm": 16, "-3m": 12, "6/mmm": 24, "m-3m": 48,
          "3m": 6, "4mm": 8, "6mm": 12}  # fmt: skip


@pytest.mark.parametrize(("group", "order"), ORDERS.items())
def test_point_groups_have_their_order(group: str, order: int) -> None:
    assert len(point_group_operations(group)) == order


@pytest.mark.parametrize(
    ("group", "hkl", "count"),
    [("m-3m", (1, 0, 0), 6), ("m-3m", (1, 1, 1), 8), ("m-3m", (1, 1, 0), 12),
     ("6/mmm", (1, 0, 0), 6), ("6/mmm", (1, 0, 1), 12), ("4/mmm", (1, 0, 1), 8),
     ("-3m", (1, 0, 1), 6), ("-1", (1, 0, 0), 2), ("3m", (1, 0, 1), 3),
     ("4mm", (1, 0, 1), 4), ("6mm", (1, 0, 1), 6), ("6mm", (0, 0, -1), 1)],
)  # fmt: skip
def test_forms_have_the_multiplicity_of_the_tables(group: str, hkl: tuple, count: int) -> None:
    """International Tables for Crystallography A, face forms of the point groups."""
    assert len(form_indices(group, hkl)) == count


def test_a_hexagonal_prism_has_six_faces_at_sixty_degrees() -> None:
    prism = grow(HABITS[0], np.random.default_rng(0), misshape=0.0)
    sides = prism.normals[np.abs(prism.normals[:, 2]) < 1e-9]
    cosines = np.sort(np.abs(sides @ sides.T), axis=None)
    assert len(sides) == 6
    np.testing.assert_allclose(np.unique(cosines.round(6)), [0.5, 1.0])


@pytest.mark.parametrize(
    "habit", [*HABITS, *NEEDLES, *PYRAMIDS], ids=lambda h: f"{h.name} {h.point_group}"
)
def test_bodies_are_closed_convex_and_of_size_one(habit: object) -> None:
    rng = np.random.default_rng(11)
    for body in (grow(habit, rng), chip(grow(habit, rng), rng)):
        slack = body.distances - body.vertices @ body.normals.T
        assert slack.min() > -1e-6
        assert ((slack < 1e-4).sum(axis=0) >= 3).all()
        gaps = np.linalg.norm(body.vertices[:, None] - body.vertices[None], axis=-1)
        assert gaps.max() == pytest.approx(1.0)
        assert len(body.vertices) - len(edges_of(body)) + len(body.normals) == 2  # Euler


def test_library_lies_flat_and_reaches_needles_of_eleven_to_one() -> None:
    library = habit_library(0)
    used = np.arange(library.vertices.shape[1]) < library.vertex_count[:, None]
    extent = np.ptp(np.where(used[..., None], library.vertices, 0), axis=1)
    needles = library.rows_of("needle")
    aspect = extent[needles, 0] / extent[needles, 1]
    assert (extent[:, 0] > 0.5).all()
    assert np.quantile(aspect, 0.99) > 11
    assert 0.3 < len(needles) / len(library) < 0.42
    assert len(np.unique(library.habit)) >= 9


def test_another_seed_grows_other_shapes() -> None:
    first, other = habit_library(0, 40), habit_library(1, 40)
    assert not np.allclose(first.distances, other.distances)
    np.testing.assert_array_equal(first.distances, habit_library(0, 40).distances)
