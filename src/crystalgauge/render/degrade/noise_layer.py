"""Layers: averages of equalised textures of several scales."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numba import njit

from crystalgauge.render.degrade.equalise import add_equalised
from crystalgauge.render.degrade.perlin import PerlinTexture, perlin_noise
from crystalgauge.render.degrade.plane_waves import PlaneWave, add_equalised_wave

if TYPE_CHECKING:
    from numpy.typing import NDArray

Kind = Literal["perlin", "waves"]

FINEST_PX = 4.0
"""Smallest scale k ("a few pixels"); the largest is the picture's diagonal."""

MOST_TEXTURES = 10
"""Upper end of N ~ U{1, 10} (synthetic-pcs, before eq. 10)."""

# A texture is computed on a coarser grid where that has so many samples per scale and per side:
# interpolation then errs by 3 % of the amplitude at most. Equalised waves have sharp crests.
_SAMPLES_PER_SCALE = {PerlinTexture: 8, PlaneWave: 16}
_SAMPLES_PER_SIDE = 64


@dataclass(frozen=True)
class NoiseLayer:
    """A layer L of one kind of texture.

    Parameters
    ----------
    textures
        At least one.
    """

    textures: tuple[PerlinTexture, ...] | tuple[PlaneWave, ...]

    @classmethod
    def sample(cls, rng: np.random.Generator, shape: tuple[int, int], kind: Kind) -> NoiseLayer:
        """Draw the number of textures uniformly, their scales log-uniformly.

        Parameters
        ----------
        rng
            Source of the choices.
        shape
            Height and width of the picture in px.
        kind
            Perlin noise for aggregate, plane waves for thin films and skins.
        """
        count = int(rng.integers(1, MOST_TEXTURES + 1))
        coarsest = max(math.hypot(*shape), FINEST_PX)
        scales = np.exp(rng.uniform(math.log(FINEST_PX), math.log(coarsest), count)).tolist()
        if kind == "perlin":
            seeds = rng.integers(2**31, size=count).tolist()
            return cls(tuple(PerlinTexture(k, s) for k, s in zip(scales, seeds, strict=True)))
        turns = rng.uniform(0, 2 * math.pi, (count, 2)).tolist()
        return cls(tuple(PlaneWave(k, *turn) for k, turn in zip(scales, turns, strict=True)))


def paint_layer(layer: NoiseLayer, shape: tuple[int, int]) -> NDArray[np.float32]:
    """Return a layer ``L = sum_i H[N(k_i)] / N`` (synthetic-pcs, eq. 10).

    Parameters
    ----------
    layer
        What it is made of.
    shape
        Height and width in px.

    Returns
    -------
    NDArray
        ``(H, W)`` within 0 and 1, mean 1/2.
    """
    gain = 1 / len(layer.textures)
    totals = {1: np.zeros(shape, np.float32)}
    for texture in layer.textures:
        step = _step_px(texture, shape)
        size = _grid(shape, step)
        total = totals.setdefault(step, np.zeros(size, np.float32))
        if isinstance(texture, PlaneWave):
            add_equalised_wave(total, texture, gain, step_px=step)
        else:
            add_equalised(total, perlin_noise(texture, size, step_px=step), gain)
    step = max(totals)
    while step > 1:
        coarse, step = totals[step], step // 2
        _add_doubled(totals.setdefault(step, np.zeros(_grid(shape, step), np.float32)), coarse)
    return totals[1]


def _step_px(texture: PerlinTexture | PlaneWave, shape: tuple[int, int]) -> int:
    """Return the distance, a power of two, of the samples that a texture needs."""
    wanted = _SAMPLES_PER_SCALE[type(texture)]
    most = min(texture.scale_px / wanted, min(shape) / _SAMPLES_PER_SIDE)
    return 2 ** int(math.log2(max(most, 1.0)))


def _grid(shape: tuple[int, int], step: int) -> tuple[int, int]:
    """Return how many samples at this distance span a picture."""
    return -(-(shape[0] - 1) // step) + 1, -(-(shape[1] - 1) // step) + 1


@njit(cache=True, nogil=True)
def _add_doubled(fine, coarse):  # type: ignore[no-untyped-def]
    """Add a grid, linearly interpolated, to one of half its spacing."""
    height, width = fine.shape
    half = np.float32(0.5)
    line = np.empty(coarse.shape[1], np.float32)
    for y in range(height):
        below = min(y // 2 + y % 2, coarse.shape[0] - 1)
        for j in range(coarse.shape[1]):
            line[j] = half * (coarse[y // 2, j] + coarse[below, j])
        for j in range(width // 2):
            fine[y, 2 * j] += line[j]
            fine[y, 2 * j + 1] += half * (line[j] + line[j + 1])
        if width % 2:
            fine[y, width - 1] += line[width // 2]
