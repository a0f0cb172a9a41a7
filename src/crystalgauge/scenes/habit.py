"""Crystal habits: facet families closed by a point group, grown to convex polyhedra."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PointGroup = Literal["-1", "2/m", "mmm", "4/mmm", "-3m", "6/mmm", "m-3m", "3m", "4mm", "6mm"]

SYMMORPHIC_HALL_NUMBER: dict[PointGroup, int] = {
    "-1": 2, "2/m": 57, "mmm": 227, "4/mmm": 400, "-3m": 456, "6/mmm": 485, "m-3m": 517,
    "3m": 446, "4mm": 376, "6mm": 477,
}  # fmt: skip
"""Hall number of a primitive space group without translations, per group (spglib's table)."""

SNAP = 1e-6
"""Vertices closer than this (in units of the crystal's size) are one vertex."""


class Polyhedron(NamedTuple):
    """A convex body ``normals @ x <= distances`` about the origin.

    Attributes
    ----------
    normals
        ``(F, 3)`` outward unit normals of the facets.
    distances
        ``(F,)`` distances of the facets from the origin, positive.
    vertices
        ``(V, 3)`` corners.
    """

    normals: NDArray[np.float64]
    distances: NDArray[np.float64]
    vertices: NDArray[np.float64]


@dataclass(frozen=True)
class Habit:
    """What a crystal species may look like.

    Parameters
    ----------
    name
        The field's word for the look; labels carry it.
    point_group
        Point group that multiplies the facets; a Laue group but for crystals with a polar axis.
    forms
        Miller indices of each form with the lowest and highest plane constant ``m`` of
        ``h x + k y + l z = m`` in fractional coordinates.
    b_over_a, c_over_a
        Lowest and highest axial ratios; drawn log-uniformly.
    oblique
        Largest departure of the free cell angles from 90 degrees, in degrees.
    """

    name: str
    point_group: PointGroup
    forms: tuple[tuple[tuple[int, int, int], float, float], ...]
    b_over_a: tuple[float, float] = (1.0, 1.0)
    c_over_a: tuple[float, float] = (1.0, 1.0)
    oblique: float = 0.0


PRISM_ENDS = (((1, 0, 0), 1.0, 1.0), ((0, 0, 1), 1.0, 1.0))
CAPPED_ENDS = (((1, 0, 0), 1.0, 1.0), ((1, 0, 1), 1.05, 1.8), ((0, 0, 1), 1.0, 1.0))
PINACOIDS = (((1, 0, 0), 1.0, 1.0), ((0, 1, 0), 1.0, 1.0), ((0, 0, 1), 1.0, 1.0))
CHAMFERED = (*PINACOIDS, ((1, 1, 0), 1.2, 1.9), ((0, 1, 1), 1.2, 1.9))
ROUNDED = (
    ((1, 0, 0), 1.0, 1.0),
    ((1, 1, 0), 1.35, 1.45),
    ((1, 0, 1), 1.3, 1.7),
    ((0, 0, 1), 1.0, 1.0),
)

HABITS: tuple[Habit, ...] = (
    Habit("prism", "6/mmm", PRISM_ENDS, c_over_a=(0.9, 4.0)),
    Habit("prism", "6/mmm", CAPPED_ENDS, c_over_a=(0.9, 4.0)),
    Habit("prism", "4/mmm", CAPPED_ENDS, c_over_a=(1.0, 4.0)),
    Habit("prism", "2/m", PINACOIDS, (0.5, 1.0), (1.2, 4.0), 25.0),
    Habit("prism", "4/mmm", ROUNDED, c_over_a=(0.8, 3.5)),
    Habit("bipyramid", "4/mmm", (((1, 0, 1), 1.0, 1.0),), c_over_a=(0.8, 3.0)),
    Habit(
        "bipyramid", "4/mmm", (((1, 0, 1), 1.0, 1.0), ((0, 0, 1), 0.5, 0.95)), (1, 1), (0.8, 3.0)
    ),
    Habit(
        "bipyramid", "6/mmm", (((1, 0, 1), 1.0, 1.0), ((1, 0, 0), 0.6, 0.95)), (1, 1), (1.0, 3.0)
    ),
    Habit("cube", "m-3m", (((1, 0, 0), 1.0, 1.0),)),
    Habit("cube", "m-3m", (((1, 0, 0), 1.0, 1.0), ((1, 1, 1), 1.6, 2.8))),
    Habit("octahedron", "m-3m", (((1, 1, 1), 1.0, 1.0), ((1, 0, 0), 0.6, 1.0))),
    Habit("dodecahedron", "m-3m", (((1, 1, 0), 1.0, 1.0),)),
    Habit("cuboid", "mmm", PINACOIDS, (0.35, 1.0), (1.0, 3.0)),
    Habit("cuboid", "mmm", CHAMFERED, (0.35, 1.0), (1.0, 3.0)),
    Habit("rhombohedron", "-3m", (((1, 0, 1), 1.0, 1.0),), c_over_a=(0.8, 1.6)),
    Habit("rhombohedron", "-1", PINACOIDS, (0.5, 1.0), (0.6, 2.0), 25.0),
    Habit("plate", "6/mmm", PRISM_ENDS, c_over_a=(0.08, 0.3)),
    Habit("plate", "mmm", (((1, 1, 0), 1.0, 1.0), ((0, 0, 1), 1.0, 1.0)), (0.5, 1.0), (0.06, 0.3)),
    Habit("plate", "mmm", CHAMFERED, (0.35, 1.0), (0.06, 0.3)),
    Habit("plate", "2/m", PINACOIDS, (0.06, 0.3), (0.4, 1.0), 25.0),
)

NEEDLES: tuple[Habit, ...] = (
    Habit("needle", "6/mmm", PRISM_ENDS, c_over_a=(3.5, 12.0)),
    Habit("needle", "6/mmm", CAPPED_ENDS, c_over_a=(3.5, 12.0)),
    Habit("needle", "4/mmm", CAPPED_ENDS, c_over_a=(4.0, 12.0)),
    Habit("needle", "mmm", PINACOIDS, (0.35, 1.0), (4.0, 12.0)),
    Habit("needle", "2/m", PINACOIDS, (0.3, 1.0), (4.0, 12.0), 15.0),
)

PYRAMID = (((1, 0, 1), 1.0, 1.0), ((0, 0, -1), 0.2, 0.8))
FRUSTUM = (*PYRAMID, ((0, 0, 1), 0.3, 0.8))

PYRAMIDS: tuple[Habit, ...] = (
    Habit("pyramid", "3m", PYRAMID, c_over_a=(0.8, 3.0)),
    Habit("pyramid", "4mm", PYRAMID, c_over_a=(0.8, 3.0)),
    Habit("pyramid", "6mm", PYRAMID, c_over_a=(0.8, 3.0)),
    Habit("pyramid", "4mm", FRUSTUM, c_over_a=(0.8, 3.0)),
    Habit("pyramid", "6mm", FRUSTUM, c_over_a=(0.8, 3.0)),
)
"""Crystals with a polar axis."""


@lru_cache
def point_group_operations(point_group: PointGroup) -> NDArray[np.int64]:
    """Return the ``(M, 3, 3)`` integer rotations of a point group in its lattice basis.

    Parameters
    ----------
    point_group
        International symbol.
    """
    import spglib

    with warnings.catch_warnings():  # spglib 2.7 announces another way to report errors
        warnings.simplefilter("ignore", DeprecationWarning)
        symmetry = spglib.get_symmetry_from_database(SYMMORPHIC_HALL_NUMBER[point_group])
    return np.unique(np.asarray(symmetry["rotations"], dtype=np.int64), axis=0)


def form_indices(point_group: PointGroup, hkl: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return the ``(M, 3)`` Miller indices of all facets of a form.

    Parameters
    ----------
    point_group
        International symbol.
    hkl
        Indices of one facet of the form.
    """
    return np.unique(np.asarray(hkl) @ point_group_operations(point_group), axis=0)


def cell(
    point_group: PointGroup, b: float, c: float, angles_rad: tuple[float, float, float]
) -> NDArray[np.float64]:
    """Return the ``(3, 3)`` lattice vectors in rows, for ``a = 1`` and the group's constraints.

    Parameters
    ----------
    point_group
        International symbol; it fixes gamma of the hexagonal family and the right angles.
    b, c
        Axial ratios b/a and c/a.
    angles_rad
        alpha, beta, gamma, used as far as the group leaves them free.
    """
    alpha = beta = gamma = np.pi / 2
    if point_group in ("-3m", "6/mmm", "3m", "6mm"):
        b, gamma = 1.0, 2 * np.pi / 3
    elif point_group == "2/m":
        beta = angles_rad[1]
    elif point_group == "-1":
        alpha, beta, gamma = angles_rad
    x = np.cos(beta)
    y = (np.cos(alpha) - np.cos(beta) * np.cos(gamma)) / np.sin(gamma)
    return np.array(
        [
            [1.0, 0.0, 0.0],
            [b * np.cos(gamma), b * np.sin(gamma), 0.0],
            [c * x, c * y, c * np.sqrt(max(1 - x * x - y * y, 0.05))],
        ]
    )


def vertices_of(
    normals: NDArray[np.float64], distances: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the ``(V, 3)`` corners of the convex body that half-spaces enclose.

    Parameters
    ----------
    normals
        ``(F, 3)`` outward unit normals.
    distances
        ``(F,)`` distances of the planes from the origin, positive.
    """
    from scipy.spatial import HalfspaceIntersection

    corners = HalfspaceIntersection(np.c_[normals, -distances], np.zeros(3)).intersections
    extent = float(np.abs(corners).max())
    _, first = np.unique(np.round(corners / (extent * SNAP * 10)), axis=0, return_index=True)
    return corners[np.sort(first)]


def polyhedron(normals: NDArray[np.float64], distances: NDArray[np.float64]) -> Polyhedron:
    """Drop planes that cut nothing off, centre the body and scale it to diameter 1.

    Parameters
    ----------
    normals
        ``(F, 3)`` outward unit normals.
    distances
        ``(F,)`` distances of the planes from the origin, positive.
    """
    from scipy.spatial.distance import pdist

    corners = vertices_of(normals, distances)
    size = pdist(corners).max()
    touching = np.abs(corners @ normals.T - distances) < 1e-4 * size
    kept = touching.sum(axis=0) >= 3
    middle = (corners.max(axis=0) + corners.min(axis=0)) / 2
    return Polyhedron(
        normals[kept],
        (distances[kept] - normals[kept] @ middle) / size,
        (corners - middle) / size,
    )


def grow(habit: Habit, rng: np.random.Generator, *, misshape: float = 0.15) -> Polyhedron:
    """Grow one crystal of a habit.

    Parameters
    ----------
    habit
        Its forms, symmetry and axial ratios.
    rng
        Source of the axial ratios, plane constants and growth accidents.
    misshape
        Largest relative change of a facet's distance against its symmetric value, in [0, 1).
    """
    b, c = (np.exp(rng.uniform(*np.log(ratio))) for ratio in (habit.b_over_a, habit.c_over_a))
    angles = np.pi / 2 + np.deg2rad(rng.uniform(-habit.oblique, habit.oblique, 3))
    lattice = cell(habit.point_group, b, c, (angles[0], angles[1], angles[2]))
    indices, constants = [], []
    for hkl, low, high in habit.forms:
        facets = form_indices(habit.point_group, hkl)
        indices.append(facets)
        constants.append(np.full(len(facets), rng.uniform(low, high)))
    reciprocal = np.concatenate(indices) @ np.linalg.inv(lattice).T
    length = np.linalg.norm(reciprocal, axis=1)
    accidents = rng.uniform(1 - misshape, 1 + misshape, len(length))
    return polyhedron(reciprocal / length[:, None], np.concatenate(constants) / length * accidents)


def fragment(rng: np.random.Generator) -> Polyhedron:
    """Break an irregular convex splinter out of random planes."""
    normals = rng.normal(size=(int(rng.integers(7, 15)), 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    normals = np.concatenate([normals, np.eye(3), -np.eye(3)])
    elongation = rng.uniform(1.0, 3.0)
    axes = np.array([1.0, 1 / elongation, rng.uniform(0.4, 1.0) / elongation])
    support = np.linalg.norm(normals * axes, axis=1)
    return polyhedron(normals, support * rng.uniform(0.75, 1.1, len(normals)))


def chip(body: Polyhedron, rng: np.random.Generator) -> Polyhedron:
    """Cut one corner off.

    Parameters
    ----------
    body
        The crystal before.
    rng
        Chooses the corner, the slant of the cut and its depth.
    """
    corner = body.vertices[rng.integers(len(body.vertices))]
    normal = corner / np.linalg.norm(corner) + rng.normal(0, 0.3, 3)
    normal /= np.linalg.norm(normal)
    distance = float((body.vertices @ normal).max()) * rng.uniform(0.75, 0.97)
    return polyhedron(
        np.vstack([body.normals, normal]), np.append(body.distances, max(distance, 0.01))
    )


def edges_of(body: Polyhedron) -> NDArray[np.int32]:
    """Return ``(E, 4)`` edges: their two corners and the two faces they join.

    Parameters
    ----------
    body
        A convex body of size about 1.
    """
    on = np.abs(body.vertices @ body.normals.T - body.distances) < 1e-4  # (V, F)
    shared = on.astype(np.int32) @ on.T
    starts, ends = np.nonzero(np.triu(shared >= 2, 1))
    faces = np.argsort(~(on[starts] & on[ends]), axis=1, kind="stable")[:, :2]
    return np.column_stack([starts, ends, faces]).astype(np.int32)


def lie_flat(body: Polyhedron) -> Polyhedron:
    """Turn a body so that its longest axis is x and its shortest is z.

    Parameters
    ----------
    body
        Any convex body; its axes are those of the second moments of its corners.
    """
    _, axes = np.linalg.eigh(np.cov(body.vertices.T))
    turn = axes[:, ::-1]  # eigenvalues come in rising order
    if np.linalg.det(turn) < 0:
        turn = turn * np.array([1.0, 1.0, -1.0])
    return Polyhedron(body.normals @ turn, body.distances, body.vertices @ turn)


def even_out(body: Polyhedron, elongation: float) -> Polyhedron:
    """Stretch a body along its axes to equal extents in y and z and a given one in x.

    Parameters
    ----------
    body
        Any convex body.
    elongation
        Extent in x over those in y and z.

    Returns
    -------
    Polyhedron
        Of diameter 1 again, about the mean of its corners.
    """
    from scipy.spatial.distance import pdist

    stretch = np.array([elongation, 1.0, 1.0]) / np.ptp(body.vertices, axis=0)
    middle = body.vertices.mean(axis=0)
    vertices = (body.vertices - middle) * stretch
    size = pdist(vertices).max()
    steeper = body.normals / stretch  # normals stretch with the inverse transpose
    growth = np.linalg.norm(steeper, axis=1)
    distances = (body.distances - body.normals @ middle) / growth
    return Polyhedron(steeper / growth[:, None], distances / size, vertices / size)
