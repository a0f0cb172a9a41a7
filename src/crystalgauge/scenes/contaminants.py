"""Things in a drop that are not crystals: bubbles, droplets, cells, spherulites, clumps."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.scenes.backdrop_ranges import chance, draw_seed, log_uniform, point_in

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class DiscProfile:
    """Transmittance of a round thing as a function of radius over its own radius.

    Parameters
    ----------
    body
        Level inside.
    ring_inner, ring_outer, ring_softness
        A ring between two relative radii, and the relative width of its borders.
    ring_amount
        Its relative strength; positive is dark.
    core_amount, core_width
        A Gaussian spot in the middle, bright where positive, and its relative width.
    halo_amount, halo_width
        A line just outside the radius, bright where positive.
    ripple_amount, ripple_period
        Concentric fringes inside.
    """

    body: float
    ring_inner: float
    ring_outer: float
    ring_softness: float
    ring_amount: float
    core_amount: float
    core_width: float
    halo_amount: float
    halo_width: float
    ripple_amount: float = 0.0
    ripple_period: float = 0.3


@dataclass(frozen=True)
class Discs:
    """Round things of one kind.

    Parameters
    ----------
    places
        x, y and radius in px, stretch (long over short axis, at least 1), its direction in rad, and
        relative strength of each.
    profile
        What they look like.
    lean_x, lean_y
        Shift of the profile's core in radii, as in oblique light.
    wobble, wobble_cell_px
        How far value noise distorts the outline in radii, and its lattice spacing.
    grain, grain_cell_px
        Texture inside: relative deviation and lattice spacing.
    seed
        Seed of the noise.
    """

    places: tuple[tuple[float, float, float, float, float, float], ...]
    profile: DiscProfile
    lean_x: float = 0.0
    lean_y: float = 0.0
    wobble: float = 0.0
    wobble_cell_px: float = 20.0
    grain: float = 0.0
    grain_cell_px: float = 3.0
    seed: int = 0


@dataclass(frozen=True)
class Spherulite:
    """A ball, fan or sheaf of unresolved needles.

    Parameters
    ----------
    x_px, y_px
        Centre.
    radius_px
        Mean radius.
    depth
        Optical density of the middle; negative shines.
    fibres
        Number of fibres around the full turn.
    contrast
        0 to 1, share of the density that varies from fibre to fibre.
    raggedness
        Relative spread of the fibres' length.
    fade
        Power by which the density falls towards the rim: small is a sharp rim.
    core
        Additional density of the compact middle.
    open_rad
        Half opening of the fan; pi or more is a full ball.
    direction_rad
        Direction of the fan.
    double
        Whether a second fan lies opposite, as in a sheaf.
    seed
        Seed of the fibres.
    """

    x_px: float
    y_px: float
    radius_px: float
    depth: float
    fibres: int
    contrast: float
    raggedness: float
    fade: float
    core: float
    open_rad: float
    direction_rad: float
    double: bool
    seed: int


@dataclass(frozen=True)
class Clump:
    """An amorphous heap of precipitate.

    Parameters
    ----------
    x_px, y_px
        Centre.
    radius_px
        Where it ends about.
    density
        Optical density where it is thickest.
    lumps
        0 is a smooth heap, 1 one that falls apart into lumps.
    cell_px
        Lattice spacing of the lumps.
    seed
        Seed of the lumps.
    """

    x_px: float
    y_px: float
    radius_px: float
    density: float
    lumps: float
    cell_px: float
    seed: int


def _scatter(
    rng: np.random.Generator,
    shape: tuple[int, int],
    radii: Sequence[float],
    *,
    grouped: bool,
    round_within: float,
    strengths: tuple[float, float] = (0.7, 1.0),
) -> tuple[tuple[float, float, float, float, float, float], ...]:
    """Draw places for round things: alone, or about a common centre."""
    count, size = len(radii), np.asarray(radii)
    spread = float(size.mean()) * math.sqrt(count) * rng.uniform(0.9, 2.0)
    if grouped:
        x, y = (rng.normal(c, spread, count) for c in point_in(rng, shape))
    else:
        x, y = (rng.uniform(-0.5 * size, n + 0.5 * size) for n in (shape[1], shape[0]))
    stretch = 1 + rng.random(count) * round_within
    turn, strength = rng.uniform(0, math.pi, count), rng.uniform(*strengths, count)
    table = np.stack([x, y, size, stretch, turn, strength], axis=1)
    return tuple((a, b, c, d, e, f) for a, b, c, d, e, f in table.tolist())


def sample_bubbles(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Discs, ...]:
    """Draw gas bubbles: a thick black ring and a bright middle, in focus or far from it."""
    largest = log_uniform(rng, 6, 70)
    radii = [largest * rng.uniform(0.3, 1.0) for _ in range(int(rng.geometric(0.3)))][:14]
    blurred = log_uniform(rng, 0.02, 0.3)
    profile = DiscProfile(
        body=float(rng.uniform(0.8, 1.1)),
        ring_inner=float(rng.uniform(0.45, 0.9)),
        ring_outer=1.0,
        ring_softness=blurred,
        ring_amount=float(rng.uniform(0.55, 1.0)),
        core_amount=float(rng.uniform(0, 0.7)) if chance(rng, 0.7) else 0.0,
        core_width=float(rng.uniform(0.15, 0.5)),
        halo_amount=float(rng.uniform(0, 0.35)),
        halo_width=max(blurred * 0.7, 0.03),
        ripple_amount=float(rng.uniform(0.05, 0.3)) if chance(rng, 0.25) else 0.0,
        ripple_period=float(rng.uniform(0.1, 0.3)),
    )
    places = _scatter(rng, shape, radii, grouped=chance(rng, 0.3), round_within=0.1)
    lean = rng.normal(0, 0.12, 2)
    return (Discs(places, profile, lean_x=float(lean[0]), lean_y=float(lean[1])),)


def sample_droplets(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Discs, ...]:
    """Draw oil or a second liquid phase: many smooth round lenses of like size."""
    mean = log_uniform(rng, 1.8, 16)
    crowd = log_uniform(rng, 0.01, 0.35)
    count = int(np.clip(crowd * shape[0] * shape[1] / (math.pi * mean**2), 2, 500))
    radii = mean * np.exp(rng.normal(0, rng.uniform(0.05, 0.5), count)).clip(0.3, 3)
    soft = log_uniform(rng, 0.05, 0.4)
    profile = DiscProfile(
        body=float(rng.uniform(0.85, 1.15)),
        ring_inner=float(rng.uniform(0.55, 0.9)),
        ring_outer=1.0,
        ring_softness=soft,
        ring_amount=float(rng.uniform(0.1, 0.8) if chance(rng, 0.75) else rng.uniform(-0.5, -0.1)),
        core_amount=float(rng.uniform(-0.3, 0.7)) if chance(rng, 0.7) else 0.0,
        core_width=float(rng.uniform(0.15, 0.6)),
        halo_amount=float(rng.uniform(-0.2, 0.35)),
        halo_width=float(max(soft * 0.7, 0.05)),
    )
    lean = rng.normal(0, 0.2, 2)
    places = _scatter(
        rng,
        shape,
        list(radii),
        grouped=chance(rng, 0.3),
        round_within=0.1,
        strengths=(rng.uniform(0.2, 0.9), 1.0),
    )
    return (Discs(places, profile, lean_x=float(lean[0]), lean_y=float(lean[1])),)


def sample_cells(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Discs, ...]:
    """Draw cells or spheroids: round textured bodies with granules, often in groups."""
    mean = log_uniform(rng, 6, 60)
    count = int(np.clip(rng.geometric(0.15), 1, max(2, 4000 / mean**2 * 4)))
    radii = list(mean * np.exp(rng.normal(0, 0.2, count)))
    places = _scatter(rng, shape, radii, grouped=chance(rng, 0.6), round_within=0.35)
    profile = DiscProfile(
        body=float(rng.uniform(0.45, 1.08)),
        ring_inner=float(rng.uniform(0.75, 0.95)),
        ring_outer=float(rng.uniform(0.98, 1.05)),
        ring_softness=log_uniform(rng, 0.04, 0.25),
        ring_amount=float(rng.uniform(-0.3, 0.6)),
        core_amount=float(rng.uniform(-0.4, 0.3)) if chance(rng, 0.5) else 0.0,
        core_width=float(rng.uniform(0.2, 0.5)),
        halo_amount=float(rng.uniform(-0.1, 0.4)),
        halo_width=float(rng.uniform(0.05, 0.2)),
    )
    bodies = Discs(
        places,
        profile,
        lean_x=float(rng.normal(0, 0.2)),
        lean_y=float(rng.normal(0, 0.2)),
        wobble=float(rng.uniform(0.0, 0.22)),
        wobble_cell_px=float(mean * rng.uniform(0.4, 1.2)),
        grain=float(rng.uniform(0.02, 0.25)),
        grain_cell_px=log_uniform(rng, 1.5, 6),
        seed=draw_seed(rng),
    )
    return (bodies, *_sample_granules(rng, places))


def _sample_granules(
    rng: np.random.Generator, cells: tuple[tuple[float, float, float, float, float, float], ...]
) -> tuple[Discs, ...]:
    """Draw small dark or bright grains inside cells, or none."""
    if chance(rng, 0.4):
        return ()
    places = []
    per_cell = int(rng.integers(2, 14))
    size = log_uniform(rng, 0.05, 0.16)
    for x, y, radius, *_ in cells[:30]:
        for _ in range(per_cell):
            turn, away = rng.uniform(0, 2 * math.pi), radius * 0.8 * math.sqrt(rng.random())
            places.append(
                (
                    float(x + away * math.cos(turn)),
                    float(y + away * math.sin(turn)),
                    float(max(radius * size * rng.uniform(0.5, 1.5), 0.8)),
                    1.0,
                    0.0,
                    float(rng.uniform(0.3, 1)),
                )
            )
    level = float(rng.uniform(0.4, 1.4))
    return (Discs(tuple(places), DiscProfile(level, 0.5, 1.0, 0.4, 0.0, 0.0, 0.3, 0.0, 0.2)),)


def sample_sensor_dirt(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Discs, ...]:
    """Draw dirt on the sensor or the condenser: faint spots and rings far out of focus."""
    radii = [log_uniform(rng, 3, 40) for _ in range(int(rng.integers(1, 12)))]
    hollow = chance(rng, 0.3)
    profile = DiscProfile(
        body=1.0 if hollow else float(rng.uniform(0.7, 0.97)),
        ring_inner=float(rng.uniform(0.6, 0.85)),
        ring_outer=1.0,
        ring_softness=float(rng.uniform(0.3, 0.6)),
        ring_amount=float(rng.uniform(0.03, 0.25)) if hollow else 0.0,
        core_amount=0.0,
        core_width=0.3,
        halo_amount=0.0,
        halo_width=0.2,
    )
    return (Discs(_scatter(rng, shape, radii, grouped=False, round_within=0.2), profile),)


def sample_spherulites(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Spherulite, ...]:
    """Draw balls, fans or sheaves of needles too fine to be told apart."""
    largest = log_uniform(rng, 8, 75)
    form = int(rng.choice(3, p=[0.6, 0.2, 0.2]))
    depth = rng.uniform(0.4, 2.5) if chance(rng, 0.8) else rng.uniform(-0.6, -0.2)
    contrast, fade = rng.uniform(0.15, 0.8), log_uniform(rng, 0.25, 1.8)
    raggedness, pitch = rng.uniform(0.02, 0.25), rng.uniform(0.8, 2.3)
    balls = []
    for _ in range(min(int(rng.geometric(0.35)), 8)):
        x, y = point_in(rng, shape)
        radius = largest * rng.uniform(0.4, 1.0)
        balls.append(
            Spherulite(
                x_px=x,
                y_px=y,
                radius_px=float(radius),
                depth=float(depth * rng.uniform(0.7, 1.2)),
                fibres=max(12, int(2 * math.pi * radius / pitch)),
                contrast=float(contrast),
                raggedness=float(raggedness),
                fade=float(fade),
                core=float(rng.uniform(0, 1.5)) if depth > 0 else 0.0,
                open_rad=4.0 if form == 0 else float(rng.uniform(0.25, 1.2)),
                direction_rad=float(rng.uniform(0, 2 * math.pi)),
                double=form == 2,
                seed=draw_seed(rng),
            )
        )
    return tuple(balls)


def sample_clumps(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Clump, ...]:
    """Draw heaps of amorphous precipitate."""
    largest, density = log_uniform(rng, 8, 90), log_uniform(rng, 0.25, 2.5)
    lumps, cell = rng.uniform(0.3, 1.0), log_uniform(rng, 4, 16)
    clumps = []
    for _ in range(min(int(rng.geometric(0.35)), 7)):
        x, y = point_in(rng, shape)
        clumps.append(
            Clump(
                x_px=x,
                y_px=y,
                radius_px=float(largest * rng.uniform(0.3, 1.0)),
                density=float(density * rng.uniform(0.6, 1.2)),
                lumps=float(lumps),
                cell_px=cell,
                seed=draw_seed(rng),
            )
        )
    return tuple(clumps)
