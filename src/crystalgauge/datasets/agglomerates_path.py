"""Agglomerates as the path tracer Mitsuba sees them.

Scenes are those of the regime ``agglomerates`` with what a path tracer can show. Crystals and
broken pieces are clear bodies with perfect faces; those that grew into each other are one body.
Bubbles are balls of gas. Every depth is seen through the whole aperture, by one parallel view for
each path of a pixel: that is the telecentric objective itself, and only the camera blurs
afterwards. Dust and illumination are painted, as in our own pictures. Left out are absorption,
glare, rough faces, inclusions, growth steps and lines along the edges.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.render.backdrop import paint_backdrop
from crystalgauge.render.camera import expose
from crystalgauge.render.composite import trace_scene
from crystalgauge.render.mitsuba import mitsuba_transmittance
from crystalgauge.render.truth import state_truth
from crystalgauge.scenes.agglomerates import PICTURES, sample_scene
from crystalgauge.scenes.backdrop import Backdrop
from crystalgauge.scenes.contaminants import Discs
from crystalgauge.scenes.placement import contact_pairs
from crystalgauge.scenes.scene import Population, placed_facets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.render.truth import Truth
    from crystalgauge.scenes.scene import Scene

SHIPPED_AGGLOMERATES = {
    "ammonium perchlorate": Path(__file__).parent / "agglomerates-path-own.npz",
    "sugar": Path(__file__).parent / "agglomerates-path-other.npz",
}
"""The set as it comes with the package, by substance."""

AGGLOMERATES_SEED = 94
"""Of the scenes; no training, fit or other test has it."""

AGGLOMERATES_LIBRARY = 10
"""Of the shapes; trainings and fits use 0, other tests 7 to 9."""

REDUCED = {"ammonium perchlorate": 2, "sugar": 1}
"""Pictures are so many times smaller than the paper's, crystals with them: paths are dear."""

RISE_PX = 4.0
"""Steps by which a bubble rises until it touches nothing."""


def agglomerates_scene(substance: str, index: int) -> Scene:
    """Draw scene number `index` of ``agglomerates-path``.

    Parameters
    ----------
    substance
        A key of `crystalgauge.scenes.agglomerates.PICTURES`.
    index
        It does not depend on the others.
    """
    (height, width), config = PICTURES[substance]
    factor = REDUCED[substance]
    smallest, largest = config.size_px
    config = replace(
        config, library_seed=AGGLOMERATES_LIBRARY, size_px=(smallest / factor, largest / factor)
    )
    rng = np.random.default_rng((AGGLOMERATES_SEED, index))
    scene = sample_scene(rng, (height // factor, width // factor), config)
    crystals = scene.crystals
    plain = Population.plain(
        crystals.shape, crystals.size_px, crystals.rotation, crystals.position_px,
        index_of_agglomerates(scene),
    )  # fmt: skip
    return replace(scene, crystals=plain)


def index_of_agglomerates(scene: Scene) -> NDArray[np.float64]:
    """Return ``(N,)`` refractive indices, the mean one for all crystals that touch.

    Light that goes from one body into the next must find the same substance there.

    Parameters
    ----------
    scene
        The scene.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    count = len(scene.crystals)
    corners = scene.library.vertex_count[scene.crystals.shape]
    a, b = contact_pairs(scene.vertices_px(), corners).reshape(-1, 2).T
    links = coo_array((np.ones(len(a)), (a, b)), shape=(count, count))
    group = connected_components(links, directed=False)[1]
    index = scene.crystals.refractive_index.astype(np.float64)
    return np.asarray((np.bincount(group, index) / np.maximum(np.bincount(group), 1))[group])


def balls_of_gas(scene: Scene) -> NDArray[np.float64]:
    """Return ``(B, 4)`` x, y, z and radius of the scene's bubbles, px.

    A painted bubble says how soft it is. Its ball lies at least as high as that blur asks for, and
    as much higher, towards the cover glass, as it must to touch neither crystals nor other bubbles.

    Parameters
    ----------
    scene
        The scene.
    """
    balls = np.empty((0, 4))
    for element in scene.backdrop.elements:
        if not isinstance(element, Discs):
            continue
        for x, y, radius, *_ in element.places:
            blur_px = element.profile.ring_softness * radius
            ball = np.array([x, y, 2 * blur_px / scene.optics.aperture_tan, radius])
            while _least_gap(ball, scene, balls) <= 0:
                ball[2] += RISE_PX
            balls = np.vstack([balls, ball])
    return balls


def _least_gap(ball: NDArray[np.float64], scene: Scene, others: NDArray[np.float64]) -> float:
    """Return a lower bound of a ball's distance from crystals and from other balls, px."""
    normals, distances = placed_facets(scene.library, scene.crystals)
    real = (normals != 0).any(axis=2)  # a crystal has fewer faces than there are rows
    height = np.einsum("nfi,ni->nf", normals, ball[:3] - scene.crystals.position_px) - distances
    from_crystals = np.where(real, height, -np.inf).max(axis=1, initial=-np.inf)
    from_balls = np.linalg.norm(others[:, :3] - ball[:3], axis=1) - others[:, 3]
    return float(np.concatenate([from_crystals, from_balls, [np.inf]]).min() - ball[3])


def agglomerates_picture(
    substance: str, index: int, samples: int
) -> tuple[NDArray[np.uint8], Truth]:
    """Render picture number `index` of a substance.

    Parameters
    ----------
    substance, index
        As for `agglomerates_scene`.
    samples
        Paths a pixel, each through a point of the aperture of its own.

    Returns
    -------
    tuple
        ``(H, W)`` uint8 and the truth, whose signals are our own renderer's.

    Raises
    ------
    MissingExtraError
        Without Mitsuba.
    """
    scene = agglomerates_scene(substance, index)
    light = mitsuba_transmittance(
        scene, samples=samples, directions=samples, seed=index, bubbles=balls_of_gas(scene)
    )
    painted = Backdrop(tuple(e for e in scene.backdrop.elements if not isinstance(e, Discs)))
    pixels = expose(
        light * paint_backdrop(painted, scene.shape),
        scene.camera,
        np.random.default_rng(scene.seed),
    )
    whole = paint_backdrop(scene.backdrop, scene.shape)
    return pixels, state_truth(scene, trace_scene(scene), whole)
