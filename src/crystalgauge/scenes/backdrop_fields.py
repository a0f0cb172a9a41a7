"""Parts of a backdrop that fill the frame: light, shade, texture, films, fringes and grids."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from crystalgauge.scenes.backdrop_ranges import chance, draw_seed, log_uniform, point_in

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Illumination:
    """The lamp: a slope across the frame, a bright or dark spot, slow waves.

    Parameters
    ----------
    slope_x, slope_y
        Relative change of brightness across the frame's width and height.
    spot_x_px, spot_y_px, spot_radius_px, spot_amount
        A Gaussian spot and its relative brightness.
    wave_amount, wave_cell_px, seed
        Relative deviation and lattice spacing of slow value noise, and its seed.
    """

    slope_x: float
    slope_y: float
    spot_x_px: float
    spot_y_px: float
    spot_radius_px: float
    spot_amount: float
    wave_amount: float
    wave_cell_px: float
    seed: int


@dataclass(frozen=True)
class Patch:
    """Where a texture lies: the places where slow value noise exceeds a threshold.

    Parameters
    ----------
    cell_px
        Lattice spacing of the noise.
    threshold
        In standard deviations: -3 is everywhere, 0 half of the frame.
    softness
        Width of the transition in standard deviations.
    seed
        Seed of the noise.
    """

    cell_px: float
    threshold: float
    softness: float
    seed: int


@dataclass(frozen=True)
class Region:
    """A burnt-out or near-black part of the frame.

    Parameters
    ----------
    level
        Transmittance there.
    patch
        Where it is.
    """

    level: float
    patch: Patch


@dataclass(frozen=True)
class Texture:
    """Fine grains of precipitate, a rough surface or a skin seen from above.

    Parameters
    ----------
    amount
        Relative deviation of the transmittance.
    cell_px
        Lattice spacing of the grains.
    octaves
        Octaves of the value noise.
    relief
        0 shows the noise itself, 1 its slope along ``angle_rad`` as oblique light does.
    angle_rad
        Direction of the light.
    skew
        Positive makes few dark grains on a bright ground, negative the opposite.
    seed
        Seed of the noise.
    patch
        Where it lies.
    """

    amount: float
    cell_px: float
    octaves: int
    relief: float
    angle_rad: float
    skew: float
    seed: int
    patch: Patch


@dataclass(frozen=True)
class Sand:
    """A dense layer of grains too small and too crowded to be told apart.

    Parameters
    ----------
    cell_px
        Distance of neighbouring grains.
    depth
        Relative darkness of the seams between grains.
    sparkle
        Relative spread of the grains' brightness.
    seed
        Seed of the grains.
    patch
        Where they lie.
    """

    cell_px: float
    depth: float
    sparkle: float
    seed: int
    patch: Patch


@dataclass(frozen=True)
class Folds:
    """Wrinkles of a skin: a slow height field with creases along some of its level lines.

    Parameters
    ----------
    amount
        Relative strength of a crease; positive is bright.
    relief
        Relative brightness of slopes that face the light, as a standard deviation.
    cell_px
        Lattice spacing of the field across and along the wrinkles.
    angle_rad
        Direction across the wrinkles.
    levels
        Values of the field at which creases run, in standard deviations.
    width_px
        Half width of a crease.
    odd
        0 is a line of one brightness, 1 a dark line beside a bright one.
    seed
        Seed of the field.
    patch
        Where the skin lies.
    """

    amount: float
    relief: float
    cell_px: tuple[float, float]
    angle_rad: float
    levels: tuple[float, ...]
    width_px: float
    odd: float
    seed: int
    patch: Patch


@dataclass(frozen=True)
class Fringes:
    """Interference waves, straight or around a centre.

    Parameters
    ----------
    amount
        Relative amplitude.
    period_px
        Distance of neighbouring fringes; for Newton's rings the radius of the first.
    x_px, y_px
        Centre, or a point on a straight crest.
    angle_rad
        Direction across straight fringes; None for rings.
    warp_px, warp_cell_px, seed
        Deviation and lattice spacing of the noise that bends them, and its seed.
    patch
        Where they show.
    """

    amount: float
    period_px: float
    x_px: float
    y_px: float
    angle_rad: float | None
    warp_px: float
    warp_cell_px: float
    seed: int
    patch: Patch


@dataclass(frozen=True)
class Grid:
    """Parallel lines or bars, once or crossed: a ruled slide, a mesh, a watermark, a bar code.

    Parameters
    ----------
    amount
        Relative strength; positive is dark.
    period_px
        Distance of the lines.
    width_px
        Width of a line.
    softness_px
        Width of its edges.
    angle_rad
        Direction across the lines.
    crossed
        Whether a second set runs across the first.
    irregular
        0 is periodic, 1 gives every line its own width, as in a bar code.
    phase_px
        Offset of the first line.
    seed
        Seed of the widths.
    """

    amount: float
    period_px: float
    width_px: float
    softness_px: float
    angle_rad: float
    crossed: bool
    irregular: float
    phase_px: float
    seed: int


@dataclass(frozen=True)
class Veil:
    """Haze: what was painted before shows with less contrast.

    Parameters
    ----------
    strength
        0 to 1, share of the contrast that is lost.
    level
        Brightness of the haze.
    patch
        Where it lies.
    """

    strength: float
    level: float
    patch: Patch


def sample_illumination(
    rng: np.random.Generator, shape: tuple[int, int], *, calm: bool
) -> Illumination:
    """Draw the lamp; a calm one is nearly even."""
    scale = 0.25 if calm else 1.0
    x, y = point_in(rng, shape)
    spot = rng.uniform(-0.25, 0.6) if chance(rng, 0.3) else 0.0
    wave = log_uniform(rng, 0.01, 0.1) if chance(rng, 0.45) else 0.0
    return Illumination(
        slope_x=float(rng.normal(0, 0.12) * scale),
        slope_y=float(rng.normal(0, 0.12) * scale),
        spot_x_px=x,
        spot_y_px=y,
        spot_radius_px=float(max(shape) * rng.uniform(0.15, 0.6)),
        spot_amount=float(spot * scale),
        wave_amount=float(wave * scale),
        wave_cell_px=log_uniform(rng, 45, 200),
        seed=draw_seed(rng),
    )


def sample_patch(
    rng: np.random.Generator,
    *,
    whole: float = 0.3,
    threshold: tuple[float, float] = (-1.2, 1.2),
    softness: tuple[float, float] = (0.1, 1.5),
) -> Patch:
    """Draw where a texture lies: everywhere with probability ``whole``, else in places."""
    level = -6.0 if chance(rng, whole) else rng.uniform(*threshold)
    return Patch(
        cell_px=log_uniform(rng, 30, 160),
        threshold=float(level),
        softness=log_uniform(rng, *softness),
        seed=draw_seed(rng),
    )


def sample_region(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Region, ...]:
    """Draw one part of the frame that is nearly black or burnt out."""
    dark = chance(rng, 0.65)
    level = log_uniform(rng, 0.02, 0.3) if dark else rng.uniform(1.4, 3.0)
    patch = Patch(
        cell_px=float(max(shape) * rng.uniform(0.15, 0.5)),
        threshold=float(rng.uniform(0.0, 1.3)),
        softness=log_uniform(rng, 0.06, 1.0),
        seed=draw_seed(rng),
    )
    return (Region(level=float(level), patch=patch),)


def sample_texture(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Texture, ...]:
    """Draw a granular texture, faint to strong, fine to coarse."""
    return (
        Texture(
            amount=log_uniform(rng, 0.015, 0.22),
            cell_px=log_uniform(rng, 1.0, 6.0),
            octaves=int(rng.integers(1, 4)),
            relief=float(chance(rng, 0.4)),
            angle_rad=float(rng.uniform(0, 2 * math.pi)),
            skew=float(rng.uniform(-0.2, 0.45)) if chance(rng, 0.6) else 0.0,
            seed=draw_seed(rng),
            patch=sample_patch(rng),
        ),
    )


def sample_sand(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Sand, ...]:
    """Draw a dense layer of grains two to five px wide."""
    return (
        Sand(
            cell_px=log_uniform(rng, 1.8, 5.0),
            depth=float(rng.uniform(0.1, 0.7)),
            sparkle=float(rng.uniform(0.02, 0.3)),
            seed=draw_seed(rng),
            patch=sample_patch(rng, whole=0.35, threshold=(-0.8, 0.9)),
        ),
    )


def sample_folds(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Folds, ...]:
    """Draw a wrinkled skin."""
    cell = log_uniform(rng, 20, 110)
    stretch = log_uniform(rng, 1, 3)
    count = int(rng.integers(0, 4))
    return (
        Folds(
            amount=log_uniform(rng, 0.05, 0.6) * float(rng.choice([-1, 1])),
            relief=log_uniform(rng, 0.01, 0.15) if count == 0 or chance(rng, 0.6) else 0.0,
            cell_px=(cell / stretch, cell * stretch),
            angle_rad=float(rng.uniform(0, math.pi)),
            levels=tuple(float(v) for v in rng.normal(0, 0.8, count)),
            width_px=log_uniform(rng, 0.7, 4.0),
            odd=float(rng.uniform(0, 1)),
            seed=draw_seed(rng),
            patch=sample_patch(rng, whole=0.25, softness=(0.5, 2.5)),
        ),
    )


def sample_fringes(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Fringes, ...]:
    """Draw interference waves."""
    x, y = point_in(rng, shape, 0.3 * max(shape))
    return (
        Fringes(
            amount=log_uniform(rng, 0.01, 0.15),
            period_px=log_uniform(rng, 6, 60),
            x_px=x,
            y_px=y,
            angle_rad=float(rng.uniform(0, math.pi)) if chance(rng, 0.6) else None,
            warp_px=float(rng.uniform(0, 12)),
            warp_cell_px=log_uniform(rng, 40, 150),
            seed=draw_seed(rng),
            patch=sample_patch(rng, whole=0.5, softness=(0.5, 2.0)),
        ),
    )


def sample_grid(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Grid, ...]:
    """Draw a ruled grid, a mesh, a faint watermark or bars."""
    bars = chance(rng, 0.3)
    period = log_uniform(rng, 10, 90)
    width = period * rng.uniform(0.2, 0.6) if bars else min(log_uniform(rng, 0.8, 6), 0.4 * period)
    aligned = chance(rng, 0.6)
    strength = log_uniform(rng, 0.02, 0.8) if chance(rng, 0.5) else rng.uniform(0.02, 0.12)
    return (
        Grid(
            amount=float(strength * rng.choice([1, 1, -0.6])),
            period_px=period,
            width_px=float(width),
            softness_px=log_uniform(rng, 0.5, 3.0),
            angle_rad=float(
                rng.normal(0, 0.03) + rng.choice([0, math.pi / 2])
                if aligned
                else rng.uniform(0, math.pi)
            ),
            crossed=not bars and chance(rng, 0.6),
            irregular=float(rng.uniform(0.4, 1.0)) if bars else 0.0,
            phase_px=float(rng.uniform(0, period)),
            seed=draw_seed(rng),
        ),
    )


def sample_veil(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[Veil, ...]:
    """Draw a haze over what lies below."""
    return (
        Veil(
            strength=float(rng.uniform(0.2, 0.8)),
            level=float(rng.uniform(0.7, 1.2)),
            patch=sample_patch(rng, whole=0.4, threshold=(-0.5, 0.7), softness=(0.5, 2.0)),
        ),
    )
