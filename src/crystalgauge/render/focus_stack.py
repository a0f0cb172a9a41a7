"""From a stack's scene to its planes."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from crystalgauge.render.noise import value_noise
from crystalgauge.render.renderer import render
from crystalgauge.render.widefield import blur_by
from crystalgauge.scenes.zstack import CrystalStack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from crystalgauge.scenes.zstack import FocusStack, NucleiStack

MARGIN_PX = 24
"""Drawn around the field, so that light that leaves one side does not come in at the other."""

EDGE_PX = 1.0
"""Width over which a nucleus's rim falls off."""

CHROMATIN, CHROMATIN_PX = 0.25, 4.0
"""Relative spread and grain of the stain within a nucleus."""

GREY_OFFSET, ELECTRONS_PER_GREY, LARGEST_GREY = 100.0, 2.0, 4095
"""A camera of 12 bits."""


def render_planes(stack: FocusStack, planes: Sequence[int] | None = None) -> NDArray[Any]:
    """Take a stack's pictures; the same stack gives the same bytes.

    Parameters
    ----------
    stack
        What is seen.
    planes
        Their numbers; all by default. A plane does not depend on which others are taken.

    Returns
    -------
    NDArray
        ``(P, H, W)``: uint16 of nuclei, uint8 of crystals.
    """
    planes = range(stack.series.planes) if planes is None else planes
    if isinstance(stack, CrystalStack):
        return np.stack([render(stack.at_plane(plane))[0].pixels for plane in planes])
    light = emission(stack)
    return np.stack([_expose(seen_light(stack, plane, light), stack, plane) for plane in planes])


def emission(stack: NucleiStack) -> dict[float, NDArray[np.float32]]:
    """Return the light of the nuclei by their height, with a margin around the field.

    Parameters
    ----------
    stack
        What shines.

    Returns
    -------
    dict
        By height above the focal plane in µm, ``(H + 2 m, W + 2 m)`` light, m as `MARGIN_PX`.
    """
    height, width = stack.shape
    shape = (height + 2 * MARGIN_PX, width + 2 * MARGIN_PX)
    texture = 1 + CHROMATIN * value_noise(shape, CHROMATIN_PX, stack.seed, octaves=2)
    np.maximum(texture, 0.1, out=texture)
    layers: dict[float, NDArray[np.float32]] = {}
    for row in range(len(stack.nuclei)):
        depth = float(stack.nuclei.depth_um[row])
        layer = layers.setdefault(depth, np.zeros(shape, np.float32))
        _paint(layer, stack, row)
    return {depth: layer * texture for depth, layer in layers.items()}


def seen_light(
    stack: NucleiStack, plane: int, light: dict[float, NDArray[np.float32]] | None = None
) -> NDArray[np.float64]:
    """Return ``(H, W)`` light that arrives when a plane is in focus, without noise.

    Parameters
    ----------
    stack
        What shines.
    plane
        Number of the plane.
    light
        As from `emission`, where it is known already.
    """
    offset_um = stack.series.offset_um(plane)
    layers = emission(stack) if light is None else light
    total = sum(
        blur_by(layer, stack.microscope, depth - offset_um) for depth, layer in layers.items()
    )
    inside = np.asarray(total)[MARGIN_PX:-MARGIN_PX, MARGIN_PX:-MARGIN_PX]
    return np.maximum(inside, 0.0) + stack.background


def _paint(layer: NDArray[np.float32], stack: NucleiStack, row: int) -> None:
    """Add a nucleus, an ellipse with a soft rim that is brighter in the middle."""
    nuclei = stack.nuclei
    x0, y0 = nuclei.centre_px[row] + MARGIN_PX
    a, b = nuclei.semi_axes_px[row]
    reach = math.ceil(a + 3 * EDGE_PX)
    top, left = max(int(y0) - reach, 0), max(int(x0) - reach, 0)
    window = layer[top : int(y0) + reach + 1, left : int(x0) + reach + 1]
    y = np.arange(window.shape[0])[:, None] + top + 0.5 - y0
    x = np.arange(window.shape[1]) + left + 0.5 - x0
    cos, sin = math.cos(nuclei.angle_rad[row]), math.sin(nuclei.angle_rad[row])
    radius = np.hypot((x * cos + y * sin) / a, (y * cos - x * sin) / b)
    inside = np.clip(0.5 - (radius - 1) * math.sqrt(a * b) / EDGE_PX, 0, 1)
    window += (nuclei.brightness[row] * inside * (1 - 0.3 * radius**2)).astype(np.float32)


def _expose(light: NDArray[np.float64], stack: NucleiStack, plane: int) -> NDArray[np.uint16]:
    """Take the picture: shot noise, read noise, 12 bits."""
    rng = np.random.default_rng((stack.seed, plane))
    electrons = rng.poisson(light * stack.electrons) + rng.normal(0, stack.read_noise, light.shape)
    grey = np.rint(GREY_OFFSET + electrons / ELECTRONS_PER_GREY)
    return np.clip(grey, 0, LARGEST_GREY).astype(np.uint16)
