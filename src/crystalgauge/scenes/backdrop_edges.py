"""Edges of drops, wells, walls and pillars: a closed curve or line and what is seen across it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from crystalgauge.scenes.backdrop_ranges import chance, draw_seed, log_uniform, point_in

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Line:
    """A bright or dark line that runs along an edge.

    Parameters
    ----------
    offset_px
        Where it runs, positive outside.
    width_px
        Half width at 1/e.
    amount
        Relative strength; positive is dark.
    """

    offset_px: float
    width_px: float
    amount: float


@dataclass(frozen=True)
class EdgeProfile:
    """Transmittance as a function of the distance d from an edge, positive outside.

    Parameters
    ----------
    outside
        Level far outside; far inside it is 1.
    step_px
        Width of the transition between the two.
    lines
        Lines along the edge.
    fringe_amount, fringe_period_px, fringe_decay_px, fringe_side
        Diffraction fringes on one side (-1 inside, 1 outside) that die away.
    shade_amount, shade_length_px, shade_power, shade_side
        Shade that grows towards the edge, as in the curved rim of a drop: over the length it
        rises from nothing with this power.
    wall_level, wall_px, wall_softness_px
        A band from the edge outwards: its transmittance, thickness, and the width of its outer
        border. Thickness 0 is no wall.
    streak_amount, streak_cell_px, streak_seed
        Streaks that run along the edge on its outer side: deviation, spacing, seed.
    grain_amount, grain_cell_px, grain_skew, grain_seed
        Grains in a band along the edge, a deposit or a torn wall: deviation, lattice spacing,
        whether few are dark (positive) or few glint (negative), seed.
    grain_from_px, grain_to_px
        The band's distances from the edge.
    """

    outside: float
    step_px: float
    lines: tuple[Line, ...] = ()
    fringe_amount: float = 0.0
    fringe_period_px: float = 4.0
    fringe_decay_px: float = 6.0
    fringe_side: int = 1
    shade_amount: float = 0.0
    shade_length_px: float = 40.0
    shade_power: float = 2.0
    shade_side: int = -1
    wall_level: float = 1.0
    wall_px: float = 0.0
    wall_softness_px: float = 1.0
    streak_amount: float = 0.0
    streak_cell_px: float = 3.0
    streak_seed: int = 0
    grain_amount: float = 0.0
    grain_cell_px: float = 3.0
    grain_skew: float = 0.0
    grain_seed: int = 0
    grain_from_px: float = -10.0
    grain_to_px: float = 0.0


@dataclass(frozen=True)
class Edge:
    """An edge across or around the frame.

    Parameters
    ----------
    kind
        ``line`` (outside lies along ``angle_rad``), ``ellipse`` or ``rectangle``.
    x_px, y_px
        Centre, or a point on the line.
    half_length_px, half_width_px
        Half axes of the ellipse or half sides of the rectangle.
    corner_px
        Radius of the rectangle's corners.
    angle_rad
        Direction of the first axis.
    wave_px, wave_cell_px, wave_seed
        How far value noise displaces the curve, its lattice spacing and seed.
    rough_px, rough_cell_px, rough_seed
        The same for its fine roughness.
    cusps
        Where the curve is drawn out into a tip: x, y, height and width in px of each.
    bias, bias_angle_rad
        How much stronger the profile shows towards one side of the centre, 0 to 1, and which.
    profile
        What is seen across it.
    """

    kind: Literal["line", "ellipse", "rectangle"]
    x_px: float
    y_px: float
    half_length_px: float
    half_width_px: float
    corner_px: float
    angle_rad: float
    wave_px: float
    wave_cell_px: float
    wave_seed: int
    rough_px: float
    rough_cell_px: float
    rough_seed: int
    cusps: tuple[tuple[float, float, float, float], ...]
    bias: float
    bias_angle_rad: float
    profile: EdgeProfile


def _sample_lines(rng: np.random.Generator, width_px: float, count: int) -> tuple[Line, ...]:
    """Draw bright and dark lines side by side, the first on the edge itself."""
    lines = [Line(0.0, width_px, float(rng.uniform(-0.4, 0.95)))]
    offset = 0.0
    for _ in range(count):
        offset += width_px * rng.uniform(1, 4)
        side = -1 if chance(rng, 0.5) else 1
        width = width_px * rng.uniform(0.4, 1.3)
        lines.append(Line(float(side * offset), float(width), float(rng.uniform(-0.5, 0.6))))
    return tuple(lines)


def _sample_streaks(rng: np.random.Generator, probability: float) -> tuple[float, float, int]:
    """Draw strength, spacing and seed of the streaks along an edge."""
    amount = log_uniform(rng, 0.03, 0.3) if chance(rng, probability) else 0.0
    return amount, log_uniform(rng, 1.5, 12), draw_seed(rng)


def _sample_grain(rng: np.random.Generator, probability: float, *, outside: bool) -> dict[str, Any]:
    """Draw the grains along an edge, as fields of its profile."""
    if not chance(rng, probability):
        return {}
    band = log_uniform(rng, 4, 120 if outside else 45)
    return {
        "grain_amount": log_uniform(rng, 0.05, 0.55),
        "grain_cell_px": log_uniform(rng, 1.3, 7),
        "grain_skew": float(rng.uniform(-0.6, 0.1) if outside else rng.uniform(-0.1, 0.5)),
        "grain_seed": draw_seed(rng),
        "grain_from_px": -2.0 if outside else -band,
        "grain_to_px": band if outside else 2.0,
    }


def sample_drop_profile(rng: np.random.Generator) -> EdgeProfile:
    """Draw the rim of a liquid drop: fine lines, fringes, often shaded inwards."""
    outside = 1.0
    if chance(rng, 0.5):
        outside = rng.uniform(0.75, 1.35) if chance(rng, 0.7) else rng.uniform(0.03, 0.5)
    shaded = chance(rng, 0.5)
    return EdgeProfile(
        outside=float(outside),
        step_px=log_uniform(rng, 0.6, 5),
        lines=_sample_lines(rng, log_uniform(rng, 0.7, 7), int(rng.integers(0, 4))),
        fringe_amount=float(rng.uniform(0.03, 0.35)) if chance(rng, 0.4) else 0.0,
        fringe_period_px=log_uniform(rng, 2.5, 14),
        fringe_decay_px=log_uniform(rng, 3, 25),
        fringe_side=int(rng.choice([-1, 1])),
        shade_amount=float(rng.uniform(0.15, 0.97)) if shaded else 0.0,
        shade_length_px=log_uniform(rng, 12, 160),
        shade_power=float(rng.uniform(0.7, 3.5)),
        shade_side=-1 if chance(rng, 0.8) else 1,
        **_sample_grain(rng, 0.3, outside=False),
    )


def sample_wall_profile(rng: np.random.Generator) -> EdgeProfile:
    """Draw the wall of a well: a thick dark or grey band, something else behind it."""
    amount, cell, seed = _sample_streaks(rng, 0.5)
    thick = chance(rng, 0.7)
    return EdgeProfile(
        outside=log_uniform(rng, 0.02, 1.3) if chance(rng, 0.8) else 1.0,
        step_px=log_uniform(rng, 0.6, 8),
        lines=_sample_lines(rng, log_uniform(rng, 0.8, 14), int(rng.integers(0, 5))),
        fringe_amount=float(rng.uniform(0.03, 0.25)) if chance(rng, 0.2) else 0.0,
        fringe_period_px=log_uniform(rng, 3, 12),
        fringe_decay_px=log_uniform(rng, 4, 15),
        shade_amount=float(rng.uniform(0.1, 0.9)) if chance(rng, 0.35) else 0.0,
        shade_length_px=log_uniform(rng, 8, 80),
        shade_power=float(rng.uniform(0.7, 2.5)),
        wall_level=log_uniform(rng, 0.02, 0.6),
        wall_px=log_uniform(rng, 6, 150) if thick else 0.0,
        wall_softness_px=log_uniform(rng, 1, 60),
        streak_amount=amount,
        streak_cell_px=cell,
        streak_seed=seed,
        **_sample_grain(rng, 0.4, outside=True),
    )


def _sample_cusps(
    rng: np.random.Generator, x: float, y: float, half: float
) -> tuple[tuple[float, float, float, float], ...]:
    """Draw tips about the rim of a drop."""
    cusps = []
    for _ in range(int(rng.integers(1, 5)) if chance(rng, 0.25) else 0):
        turn = rng.uniform(0, 2 * math.pi)
        reach = half * rng.uniform(0.9, 1.02)
        height = rng.choice([-1, 1]) * rng.uniform(2, 14)
        cusps.append(
            (
                float(x + reach * math.cos(turn)),
                float(y + reach * math.sin(turn)),
                float(height),
                float(abs(height) * rng.uniform(0.7, 2)),
            )
        )
    return tuple(cusps)


def _sample_edge(
    rng: np.random.Generator,
    shape: tuple[int, int],
    kind: Literal["line", "ellipse", "rectangle"],
    half_px: float,
    profile: EdgeProfile,
    *,
    wave_px: float,
    rough_px: float,
) -> Edge:
    """Draw an edge that passes through a random point of the frame."""
    turn = rng.uniform(0, 2 * math.pi)
    x, y = point_in(rng, shape)
    stretch = rng.uniform(0.75, 1.0) if kind == "ellipse" else rng.uniform(0.4, 1.0)
    centre_x, centre_y = (x, y)
    angle = turn
    if kind != "line":
        centre_x, centre_y = x - half_px * math.cos(turn), y - half_px * math.sin(turn)
        if kind == "rectangle":
            angle = float(rng.choice([0, math.pi / 2]) + rng.normal(0, 0.05))
    elif chance(rng, 0.5):
        angle = float(rng.integers(4) * math.pi / 2 + rng.normal(0, 0.05))
    return Edge(
        kind=kind,
        x_px=centre_x,
        y_px=centre_y,
        half_length_px=half_px,
        half_width_px=float(half_px * stretch),
        corner_px=float(half_px * stretch * rng.uniform(0.02, 0.7)),
        angle_rad=float(angle),
        wave_px=wave_px,
        wave_cell_px=log_uniform(rng, 25, 150),
        wave_seed=draw_seed(rng),
        rough_px=rough_px,
        rough_cell_px=log_uniform(rng, 3, 15),
        rough_seed=draw_seed(rng),
        cusps=_sample_cusps(rng, centre_x, centre_y, half_px) if kind == "ellipse" else (),
        bias=float(rng.uniform(0, 0.9)) if chance(rng, 0.4) else 0.0,
        bias_angle_rad=float(rng.uniform(0, 2 * math.pi)),
        profile=profile,
    )


def sample_drop_edge(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Edge, ...]:
    """Draw the rim of a drop, from small ones wholly in view to nearly straight ones."""
    half = log_uniform(rng, 0.2, 3.5) * max(shape)
    wave = min(log_uniform(rng, 0.3, 14), 0.15 * half) if chance(rng, 0.6) else 0.0
    rough = float(rng.uniform(0.2, 1.2)) if chance(rng, 0.25) else 0.0
    profile = sample_drop_profile(rng)
    return (_sample_edge(rng, shape, "ellipse", half, profile, wave_px=wave, rough_px=rough),)


def sample_wall(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Edge, ...]:
    """Draw a round, square or straight wall of a well or a plate."""
    kinds: tuple[Literal["line", "ellipse", "rectangle"], ...] = ("line", "ellipse", "rectangle")
    kind = kinds[int(rng.choice(3, p=[0.35, 0.4, 0.25]))]
    half = log_uniform(rng, 0.35, 3.0) * max(shape)
    wave = float(rng.uniform(0.3, 4)) if chance(rng, 0.3) else 0.0
    rough = log_uniform(rng, 0.2, 4) if chance(rng, 0.35) else 0.0
    profile = sample_wall_profile(rng)
    return (_sample_edge(rng, shape, kind, half, profile, wave_px=wave, rough_px=rough),)


def sample_cover(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Edge, ...]:
    """Draw something opaque or bright that covers a part of the frame."""
    dark = chance(rng, 0.7)
    profile = EdgeProfile(
        outside=log_uniform(rng, 0.02, 0.2) if dark else float(rng.uniform(1.5, 3.0)),
        step_px=log_uniform(rng, 0.6, 25),
        lines=_sample_lines(rng, log_uniform(rng, 0.8, 5), int(rng.integers(0, 2))),
    )
    rough = log_uniform(rng, 0.2, 3) if chance(rng, 0.4) else 0.0
    wave = float(rng.uniform(0, 6)) if chance(rng, 0.4) else 0.0
    half = log_uniform(rng, 0.4, 2) * max(shape)
    kind: Literal["line", "ellipse"] = "line" if chance(rng, 0.7) else "ellipse"
    return (_sample_edge(rng, shape, kind, half, profile, wave_px=wave, rough_px=rough),)


def sample_pillars(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Edge, ...]:
    """Draw posts or slots of a microstructured stage: small like shapes in a row."""
    kind: Literal["ellipse", "rectangle"] = "ellipse" if chance(rng, 0.4) else "rectangle"
    half = log_uniform(rng, 0.03, 0.2) * max(shape)
    outside = log_uniform(rng, 0.4, 1.6)
    profile = EdgeProfile(
        outside=1.0,
        step_px=1.0,
        lines=_sample_lines(rng, log_uniform(rng, 0.7, 3), int(rng.integers(1, 4))),
        shade_amount=float(rng.uniform(0.1, 0.8)) if chance(rng, 0.5) else 0.0,
        shade_length_px=half * outside,
        shade_power=float(rng.uniform(0.3, 1.5)),
    )
    first = _sample_edge(rng, shape, kind, half, profile, wave_px=0.0, rough_px=0.0)
    first = replace(first, cusps=(), corner_px=first.half_width_px * rng.uniform(0.25, 1.0))
    pitch = half * rng.uniform(2.4, 4.5)
    step = (pitch * math.cos(first.angle_rad), pitch * math.sin(first.angle_rad))
    count = int(rng.integers(2, 7))
    return tuple(
        replace(first, x_px=first.x_px + k * step[0], y_px=first.y_px + k * step[1])
        for k in range(count)
    )
