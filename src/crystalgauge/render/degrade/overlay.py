"""Noise layers blended into a picture: aggregate, thin films and skins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numba import njit

from crystalgauge.render.degrade.noise_layer import Kind, NoiseLayer, paint_layer

if TYPE_CHECKING:
    from numpy.typing import NDArray

PAPER_CONTRAST = 5.0
"""c of the paper's training and of its augmented validation set (after eq. 12)."""


@dataclass(frozen=True)
class Overlay:
    """A layer, the layer that makes it come and go, and its contrast.

    Parameters
    ----------
    layer
        l, what is blended in.
    transparency
        l', a second layer of the same kind.
    contrast
        c, at least 0.
    """

    layer: NoiseLayer
    transparency: NoiseLayer
    contrast: float

    @classmethod
    def sample(
        cls, rng: np.random.Generator, shape: tuple[int, int], strength: float, kind: Kind
    ) -> Overlay:
        """Draw two layers of a kind; the strength is c."""
        layer = NoiseLayer.sample(rng, shape, kind)
        return cls(layer, NoiseLayer.sample(rng, shape, kind), strength)


def layer_weight(
    layer: NDArray[np.float32],
    transparency: NDArray[np.float32],
    contrast: float,
    deviation: float,
) -> NDArray[np.float32]:
    """Return the weight of a noise layer, ``w_l = c sigma_b l' 2^(1 - 2 l)``.

    synthetic-pcs, eq. 12: dark parts of the layer weigh up to twice, bright ones down to half.

    Parameters
    ----------
    layer
        l, ``(H, W)`` in 0 to 1.
    transparency
        l', ``(H, W)`` in 0 to 1.
    contrast
        c.
    deviation
        sigma_b, standard deviation of the picture that is blended into.
    """
    weight = np.empty_like(layer)
    _write_weight(weight, layer, transparency, np.float32(contrast * deviation))
    return weight


def blend(
    picture: NDArray[np.float32], layer: NDArray[np.float32], weight: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return ``A(b, l, w_l) = (w_b b + w_l l) / (w_b + w_l)`` with w_b = 1 (synthetic-pcs, eq. 11).

    Parameters
    ----------
    picture
        b, ``(H, W)`` grey.
    layer
        l, ``(H, W)`` grey.
    weight
        w_l, ``(H, W)``, at least 0.
    """
    blended = np.empty_like(picture)
    _write_blend(blended, picture, layer, weight)
    return blended


def lay_over(picture: NDArray[np.float32], overlay: Overlay) -> NDArray[np.float32]:
    """Blend a noise layer into a picture (synthetic-pcs, eqs. 10 to 12).

    Parameters
    ----------
    picture
        ``(H, W)`` grey, full scale 1. A constant picture has no signal to compare the layer with
        (sigma_b = 0) and stays as it is.
    overlay
        What to blend in.
    """
    shape = (picture.shape[0], picture.shape[1])
    deviation = float(cv2.meanStdDev(picture)[1][0, 0])
    layer = paint_layer(overlay.layer, shape)
    transparency = paint_layer(overlay.transparency, shape)
    weight = layer_weight(layer, transparency, overlay.contrast, deviation)
    return blend(picture, layer, weight)


@njit(cache=True, nogil=True)
def _write_weight(out, layer, transparency, scale):  # type: ignore[no-untyped-def]
    rate = np.float32(-2 * math.log(2))
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            z = rate * (layer[y, x] - np.float32(0.5))
            # e^z for |z| <= 0.7 by its series: 2e-6 exact and five times as fast
            power = np.float32(1 / 5040)
            power = power * z + np.float32(1 / 720)
            power = power * z + np.float32(1 / 120)
            power = power * z + np.float32(1 / 24)
            power = power * z + np.float32(1 / 6)
            power = power * z + np.float32(0.5)
            power = power * z + np.float32(1)
            power = power * z + np.float32(1)
            out[y, x] = scale * transparency[y, x] * power


@njit(cache=True, nogil=True)
def _write_blend(out, picture, layer, weight):  # type: ignore[no-untyped-def]
    one = np.float32(1)
    for y in range(out.shape[0]):
        for x in range(out.shape[1]):
            w = weight[y, x]
            out[y, x] = (picture[y, x] + w * layer[y, x]) / (one + w)
