"""A stock of crystal shapes, grown once and shared by all scenes of a process."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.scenes.habit import (
    HABITS,
    NEEDLES,
    PYRAMIDS,
    Habit,
    Polyhedron,
    chip,
    edges_of,
    even_out,
    fragment,
    grow,
    lie_flat,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

MAX_FACES = 24
MAX_VERTICES = 44
"""A simple polyhedron of 24 faces has 44 corners (Euler)."""

MAX_EDGES = 66
"""It has 66 edges, too."""

FRAGMENT_SHARE = 0.1
CHIPPED_SHARE = 0.3
NEEDLE_SHARE = 0.35

COLUMN_ELONGATION = 2.0
"""Length of columns over their thickness, before a scene stretches them."""

DISTINCT = 0.01
"""Two bodies of diameter 1 differ when distances between corners do by this much."""


@dataclass(frozen=True, eq=False)
class HabitLibrary:
    """Convex bodies of diameter 1, longest axis along x, shortest along z.

    Parameters
    ----------
    normals
        ``(M, 24, 3)`` float32 outward unit normals, zero beyond each shape's faces.
    distances
        ``(M, 24)`` float32 distances of the facets from the origin.
    face_count
        ``(M,)`` int32.
    vertices
        ``(M, 44, 3)`` float32 corners, zero beyond each shape's corners.
    vertex_count
        ``(M,)`` int32.
    habit
        ``(M,)`` names.
    edges
        ``(M, 66, 4)`` int32: the two corners and the two faces of each edge.
    edge_count
        ``(M,)`` int32.
    """

    normals: NDArray[np.float32]
    distances: NDArray[np.float32]
    face_count: NDArray[np.int32]
    vertices: NDArray[np.float32]
    vertex_count: NDArray[np.int32]
    habit: NDArray[np.str_]
    edges: NDArray[np.int32]
    edge_count: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.face_count)

    def rows_of(self, *names: str) -> NDArray[np.intp]:
        """Return the rows of the shapes with one of these habit names, rising.

        Parameters
        ----------
        names
            Habit names; all shapes when none is given.
        """
        return np.flatnonzero(np.isin(self.habit, names)) if names else np.arange(len(self))

    @classmethod
    def from_polyhedra(cls, bodies: list[tuple[str, Polyhedron]]) -> HabitLibrary:
        """Pack named polyhedra of at most 24 faces and 44 corners.

        Parameters
        ----------
        bodies
            Habit name and shape of each.
        """
        count = len(bodies)
        normals = np.zeros((count, MAX_FACES, 3), np.float32)
        distances = np.zeros((count, MAX_FACES), np.float32)
        vertices = np.zeros((count, MAX_VERTICES, 3), np.float32)
        edges = np.zeros((count, MAX_EDGES, 4), np.int32)
        edge_count = np.zeros(count, np.int32)
        for row, (_, body) in enumerate(bodies):
            normals[row, : len(body.normals)] = body.normals
            distances[row, : len(body.normals)] = body.distances
            vertices[row, : len(body.vertices)] = body.vertices
            found = edges_of(body)[:MAX_EDGES]
            edges[row, : len(found)], edge_count[row] = found, len(found)
        return cls(
            normals,
            distances,
            np.array([len(body.normals) for _, body in bodies], np.int32),
            vertices,
            np.array([len(body.vertices) for _, body in bodies], np.int32),
            np.array([name for name, _ in bodies], np.str_),
            edges,
            edge_count,
        )


def corner_distances(body: Polyhedron) -> NDArray[np.float64]:
    """Return the distances between all pairs of corners, rising: no motion changes them.

    Parameters
    ----------
    body
        Any body.
    """
    from scipy.spatial.distance import pdist

    return np.sort(pdist(body.vertices))


def _draw(rng: np.random.Generator) -> tuple[str, Polyhedron]:
    kind = rng.random()
    if kind < FRAGMENT_SHARE:
        return "fragment", fragment(rng)
    needle = kind > 1 - NEEDLE_SHARE
    return _draw_habit(rng, NEEDLES if needle else HABITS)


def _draw_habit(rng: np.random.Generator, habits: tuple[Habit, ...]) -> tuple[str, Polyhedron]:
    habit = habits[rng.integers(len(habits))]
    body = grow(habit, rng)
    if rng.random() < CHIPPED_SHARE:
        for _ in range(rng.integers(1, 3)):
            body = chip(body, rng)
    return habit.name, body


def fits(body: Polyhedron) -> bool:
    """Tell whether a body is closed about its centre and has a place in a library.

    Parameters
    ----------
    body
        Any body.
    """
    small = len(body.normals) <= MAX_FACES and 4 <= len(body.vertices) <= MAX_VERTICES
    return small and body.distances.min() > 0


@lru_cache(maxsize=4)
def habit_library(seed: int = 0, count: int = 2000) -> HabitLibrary:
    """Grow a library of shapes; the same one for the same arguments, kept for the process.

    Parameters
    ----------
    seed
        Of the generator; a held-out test set takes another one.
    count
        Number of shapes, about one in ten of them fragments and one in three needles.
    """
    from scipy.spatial import QhullError

    rng = np.random.default_rng((0x4AB17, seed))
    bodies: list[tuple[str, Polyhedron]] = []
    while len(bodies) < count:
        try:
            name, body = _draw(rng)
        except QhullError:  # a chip may leave a sliver that Qhull finds flat
            continue
        if fits(body):
            bodies.append((name, lie_flat(body)))
    return HabitLibrary.from_polyhedra(bodies)


@lru_cache(maxsize=4)
def column_library(seed: int = 0, count: int = 1851) -> HabitLibrary:
    """Grow distinct shapes whose long axis is x and whose extents in y and z are equal.

    Parameters
    ----------
    seed
        Of the generator; a held-out test set takes another one.
    count
        Number of shapes; Bischoff et al. 2022 (doi 10.1007/s00216-022-04101-8) had 1851.

    Notes
    -----
    Grown like `habit_library` from all habits and pyramids, then evened out. That makes all
    cuboids one, so a shape is left out when its corners lie as those of an earlier one do.
    """
    from scipy.spatial import QhullError

    rng = np.random.default_rng((0xC01, seed))
    bodies: list[tuple[str, Polyhedron]] = []
    seen: dict[int, list[NDArray[np.float64]]] = {}
    while len(bodies) < count:
        try:
            name, grown = _draw_habit(rng, (*HABITS, *NEEDLES, *PYRAMIDS))
        except QhullError:
            continue
        if not fits(grown):
            continue
        body = even_out(lie_flat(grown), COLUMN_ELONGATION)
        distances = corner_distances(body)
        alike = seen.setdefault(len(distances), [])
        if not alike or np.abs(np.array(alike) - distances).max(axis=1).min() > DISTINCT:
            alike.append(distances)
            bodies.append((name, body))
    return HabitLibrary.from_polyhedra(bodies)
