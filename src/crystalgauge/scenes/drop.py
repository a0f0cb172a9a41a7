"""Regime ``drop``: crystals in a drop whose rim is in view, many of them grown against it.

Liquid pulls crystals to the contact line, where it is thinnest: light bends away there, crystals
lose their contrast, and one of their sides is the rim itself.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.scenes.backdrop import Backdrop, BackdropConfig, sample_backdrop
from crystalgauge.scenes.backdrop_edges import Edge, sample_drop_profile
from crystalgauge.scenes.backdrop_ranges import chance, draw_seed, log_uniform
from crystalgauge.scenes.camera import sample_camera
from crystalgauge.scenes.library import habit_library
from crystalgauge.scenes.scene import Scene, placed_vertices
from crystalgauge.scenes.statistics import CROWDS, REFERENCE_PX, Crowd
from crystalgauge.scenes.suspension import (
    SuspensionConfig,
    draw_crowd,
    sample_crystals,
    sample_optics,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

OVERHANG_PX = (-1.5, 2.5)
"""How far a crystal that lies against the rim reaches over it."""

FARTHEST_PX = 4.0
"""Beyond the rim by which a crystal lies outside the drop; it is taken out."""

RIM_SHARES = (0.1, 0.35, 0.7)
"""Shares of a scene's free crystals that lie against the rim; each is as likely."""

FEW = Crowd("few", 0.45, (3, 16), (18, 40), (45, 110))
"""What a screen for well-formed crystals ends with; the suspension's populations are the rest."""

AROUND = BackdropConfig(
    plain=0.35,
    busy=0.03,
    weights=tuple((kind, w) for kind, w in BackdropConfig().weights if kind != "drop_edge"),
)
"""What else is seen; the drop itself apart."""


def sample_scene(
    rng: np.random.Generator,
    shape: tuple[int, int] = (REFERENCE_PX, REFERENCE_PX),
    config: SuspensionConfig | None = None,
) -> Scene:
    """Draw a drop with crystals in it.

    Parameters
    ----------
    rng
        Source of everything, the seed of the camera's noise included.
    shape
        Height and width of the picture in px.
    config
        What the crystals are drawn from; its backdrop is not used.
    """
    config = config or SuspensionConfig(crowds=(FEW, *CROWDS))
    library = habit_library(config.library_seed)
    crowd = draw_crowd(rng, config.crowds)
    rim = sample_rim(rng, shape)
    share = float(rng.choice(RIM_SHARES))

    def places(
        rng: np.random.Generator,
        bodies: NDArray[np.float64],
        depth_px: float,
        trials: int,
    ) -> NDArray[np.float64]:
        centres = places_in_drop(rng, rim, shape, bodies, share, trials)
        depth = rng.uniform(-depth_px, depth_px, (*centres.shape[:2], 1))
        return np.concatenate([centres, depth], axis=2)

    optics, depth_px = sample_optics(rng, config)
    crystals = sample_crystals(rng, shape, config, crowd, library, depth_px, places)
    corners = placed_vertices(library, crystals)
    reach_px = distance_to_rim(rim, corners[..., 0], corners[..., 1]).max(axis=1, initial=-np.inf)
    around = sample_backdrop(rng, shape, AROUND).elements
    return Scene(
        shape,
        crystals.take(reach_px <= FARTHEST_PX),
        library,
        optics,
        Backdrop((around[0], rim, *around[1:])),
        sample_camera(rng),
        regime="drop",
        seed=int(rng.integers(2**31)),
    )


def sample_rim(rng: np.random.Generator, shape: tuple[int, int]) -> Edge:
    """Draw the rim of a drop that holds the middle of the frame.

    Parameters
    ----------
    rng
        Where the numbers come from.
    shape
        Height and width of the picture in px.
    """
    height, width = shape
    half = log_uniform(rng, 0.25, 1.8) * max(shape)
    turn = rng.uniform(0, 2 * math.pi)
    past_middle = min(rng.uniform(0.05, 0.45) * max(shape), half)
    profile = sample_drop_profile(rng)
    if chance(rng, 0.7):  # the drop is a lens: the lower it gets, the less light it passes on
        profile = replace(
            profile,
            shade_amount=float(rng.uniform(0.15, 0.8)),
            shade_length_px=half * rng.uniform(0.2, 1.0),
            shade_power=float(rng.uniform(0.7, 3.0)),
            shade_side=-1,
        )
    return Edge(
        kind="ellipse",
        x_px=width / 2 - math.cos(turn) * (half - past_middle),
        y_px=height / 2 - math.sin(turn) * (half - past_middle),
        half_length_px=half,
        half_width_px=half * float(rng.uniform(0.8, 1.0)),
        corner_px=0.0,
        angle_rad=float(turn),
        wave_px=float(rng.uniform(0, 1.5)) if chance(rng, 0.5) else 0.0,
        wave_cell_px=log_uniform(rng, 40, 150),
        wave_seed=draw_seed(rng),
        rough_px=float(rng.uniform(0.2, 0.8)) if chance(rng, 0.25) else 0.0,
        rough_cell_px=log_uniform(rng, 3, 15),
        rough_seed=draw_seed(rng),
        cusps=(),
        bias=float(rng.uniform(0, 0.9)) if chance(rng, 0.4) else 0.0,
        bias_angle_rad=float(rng.uniform(0, 2 * math.pi)),
        profile=profile,
    )


def places_in_drop(
    rng: np.random.Generator,
    rim: Edge,
    shape: tuple[int, int],
    bodies: NDArray[np.float64],
    rim_share: float,
    trials: int,
) -> NDArray[np.float64]:
    """Draw places for bodies in a drop, a share of them against its rim.

    Parameters
    ----------
    rng
        Where the numbers come from.
    rim
        An ellipse.
    shape
        Height and width of the picture in px.
    bodies
        ``(N, V, 3)`` corners about each body's centre, in px.
    rim_share
        Of the bodies that are put against the rim.
    trials
        Places for each.

    Returns
    -------
    NDArray
        ``(N, trials, 2)`` centres in px.
    """
    size = (len(bodies), trials)
    against = rng.random(len(bodies)) < rim_share
    height, width = shape
    spread = rng.uniform((0, 0), (width, height), (4096, 2))
    within = spread[distance_to_rim(rim, spread[:, 0], spread[:, 1]) < 0]
    turn = rng.uniform(0, 2 * np.pi, 4096)
    along = _in_picture(rim, rim.half_length_px * np.cos(turn), rim.half_width_px * np.sin(turn))
    seen = ((along > 0) & (along < (width, height))).all(axis=1)
    line = along[seen] if seen.any() else within
    centres = within[rng.integers(len(within), size=size)]
    centres[against] = line[rng.integers(len(line), size=size)][against]
    overhang_px = rng.uniform(*OVERHANG_PX, size)
    for _ in range(3):  # of Newton's steps: the distance is of first order away from the rim
        reach = bodies[:, None, :, :2] + centres[:, :, None]
        excess = distance_to_rim(rim, reach[..., 0], reach[..., 1]).max(axis=2) - overhang_px
        move = np.where(against[:, None] | (excess > 0), excess, 0.0)
        centres -= move[..., None] * _outwards(rim, centres)
    return centres


def distance_to_rim(
    rim: Edge, x_px: NDArray[np.floating], y_px: NDArray[np.floating]
) -> NDArray[np.float64]:
    """Return how far points lie from an ellipse, to first order, positive outside.

    Parameters
    ----------
    rim
        The ellipse; its waves and roughness are left out.
    x_px, y_px
        Of any one shape.
    """
    u, v = _along_axes(rim, x_px, y_px)
    p, q = (u / rim.half_length_px) ** 2, (v / rim.half_width_px) ** 2
    k = np.sqrt(p + q)
    steepness = np.sqrt(p / rim.half_length_px**2 + q / rim.half_width_px**2)
    inside = np.full(k.shape, -min(rim.half_length_px, rim.half_width_px))
    return np.divide(k * (k - 1), steepness, out=inside, where=steepness > 0)


def _outwards(rim: Edge, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ``(..., 2)`` unit directions in which the distance to the rim grows."""
    u, v = _along_axes(rim, points[..., 0], points[..., 1])
    u, v = u / rim.half_length_px**2, v / rim.half_width_px**2
    length = np.maximum(np.hypot(u, v), 1e-12)
    cos, sin = math.cos(rim.angle_rad), math.sin(rim.angle_rad)
    return np.stack([(cos * u - sin * v) / length, (sin * u + cos * v) / length], axis=-1)


def _along_axes(
    rim: Edge, x_px: NDArray[np.floating], y_px: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coordinates along the ellipse's own axes."""
    dx, dy = np.asarray(x_px, float) - rim.x_px, np.asarray(y_px, float) - rim.y_px
    cos, sin = math.cos(rim.angle_rad), math.sin(rim.angle_rad)
    return cos * dx + sin * dy, cos * dy - sin * dx


def _in_picture(rim: Edge, u: NDArray[np.float64], v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ``(N, 2)`` points of the picture with these coordinates along the axes."""
    cos, sin = math.cos(rim.angle_rad), math.sin(rim.angle_rad)
    return np.stack([rim.x_px + cos * u - sin * v, rim.y_px + sin * u + cos * v], axis=-1)
