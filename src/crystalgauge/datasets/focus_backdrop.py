"""Edges of what lies about the crystals: dust, fibres, bubbles, walls, and how soft they are.

The backdrop of a scene is painted with soft borders of its own. A border's softness is measured in
the painting, before any blur and without noise: an edge of height h whose steepest slope is g is
that of a Gaussian of ``sigma = h / (sqrt(2 pi) g)``. Softness and blur then add as variances.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.datasets.focus_content import disc_blur
from crystalgauge.render.backdrop import paint_backdrop
from crystalgauge.render.camera import blur, noise_level
from crystalgauge.render.truth import TONE_LEVELS, tone_curve
from crystalgauge.scenes.backdrop import Backdrop
from crystalgauge.scenes.backdrop_fields import Illumination
from crystalgauge.scenes.backdrop_marks import DeadBorder, Lettering, Ruler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.camera import Camera

NO_THINGS = (Illumination, Lettering, Ruler, DeadBorder)
"""Light, and marks made behind the lens: no defocus reaches them."""

SPEAKING_PX = 4.0
"""An edge is as visible as a crystal of this width and of its contrast."""

UNEVEN_PER_PX = 0.005
"""Grey by which uneven light may change over each px of an edge's blur: less is not seen."""

DOUBTFUL_PX, WIDEST_PX = 6.0, 15.0
"""Softer borders than the first may be uneven light, softer ones than the second are."""

_SMOOTHED_PX = 0.6
_PROBE_VARIANCE = _SMOOTHED_PX**2 + 1 / 3  # of the smoothing and of the central difference
_LEAST_SLOPE = 0.002  # grey per px, full scale 1
_FLAT = 0.1  # of the steepest slope: an edge ends where it is flatter
_REACH = 30


@dataclass(frozen=True, eq=False)
class BackdropEdges:
    """Points on the edges of a backdrop.

    Parameters
    ----------
    points
        ``(M, 2)`` x right and y down in px, pixel centres at integers + 0.5.
    blur_px
        ``(M,)`` standard deviation of softness, defocus and point spread together.
    strength
        ``(M,)`` contrast in units of what can just be seen.
    """

    points: NDArray[np.float32]
    blur_px: NDArray[np.float32]
    strength: NDArray[np.float32]


def defocused_backdrop(
    backdrop: Backdrop, shape: tuple[int, int], sigma_px: float
) -> NDArray[np.float32]:
    """Paint a backdrop whose things lie out of focus; light and marks stay as they are.

    Parameters
    ----------
    backdrop
        Its parts.
    shape
        Height and width in px.
    sigma_px
        Standard deviation of the defocus along one axis.

    Returns
    -------
    ndarray
        ``(H, W)`` float32 transmittance.
    """
    if sigma_px <= 0:
        return paint_backdrop(backdrop, shape)
    things, rest = (
        Backdrop(tuple(e for e in backdrop.elements if isinstance(e, NO_THINGS) != wanted))
        for wanted in (True, False)
    )
    return disc_blur(paint_backdrop(things, shape), sigma_px) * paint_backdrop(rest, shape)


def backdrop_edges(
    sharp: NDArray[np.float32],
    seen: NDArray[np.float32],
    crystals: NDArray[np.float32],
    camera: Camera,
    defocus_px: float,
    unsure: float,
) -> BackdropEdges:
    """Find the edges of a backdrop, their blur and how well each is seen.

    Parameters
    ----------
    sharp
        ``(H, W)`` transmittance of the backdrop in focus.
    seen
        The same out of focus.
    crystals
        ``(H, W)`` transmittance of the crystals, which take contrast from what lies behind them.
    camera
        What adds its point spread and noise.
    defocus_px
        Standard deviation of the defocus between `sharp` and `seen`.
    unsure
        Strength of edges that may or may not count.
    """
    tone = tone_curve(camera)
    grey = np.interp(sharp, TONE_LEVELS, tone).astype(np.float32)
    points, softness, height = measured_edges(grey)
    x, y = points.T.astype(int) if len(points) else np.empty((2, 0), int)
    light = blur(seen, camera.psf_sigma_px)
    spread = math.hypot(defocus_px, camera.psf_sigma_px)
    total = np.hypot(softness, spread)
    left = contrast_left(np.interp(light, TONE_LEVELS, tone).astype(np.float32), x, y, total)
    contrast = np.minimum(height, left)
    noise = np.interp(light[y, x], TONE_LEVELS, noise_level(camera, TONE_LEVELS))
    strength = contrast * crystals[y, x].clip(0, 1)
    strength /= 0.012 + UNEVEN_PER_PX * total + 0.98 * noise / math.sqrt(SPEAKING_PX)
    strength = np.where(softness > DOUBTFUL_PX, np.minimum(strength, unsure), strength)
    return BackdropEdges(points, total.astype(np.float32), strength.astype(np.float32))


def measured_edges(
    grey: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float64], NDArray[np.float64]]:
    """Measure the edges of a picture without noise.

    Parameters
    ----------
    grey
        ``(H, W)`` float32, full scale 1.

    Returns
    -------
    tuple
        ``(M, 2)`` points where the slope is steepest, every other one along an edge; ``(M,)``
        standard deviations of the Gaussian edges of the same height and slope, px, at most
        `WIDEST_PX`, overstated by up to 0.5 px where the crest lies between two pixels; ``(M,)``
        heights from foot to top.
    """
    smooth = blur(grey, _SMOOTHED_PX)
    slope_y, slope_x = (np.gradient(smooth, axis=axis) for axis in (0, 1))
    slope = np.hypot(slope_x, slope_y).astype(np.float32)
    inner = np.zeros(slope.shape, bool)
    inner[2:-2, 2:-2] = slope[2:-2, 2:-2] > _LEAST_SLOPE
    y, x = np.nonzero(inner)
    steepest = slope[y, x]
    normal = np.stack([slope_x[y, x], slope_y[y, x]]) / np.maximum(steepest, 1e-12)
    ahead, behind = (_sampled(slope, x + s * normal[0], y + s * normal[1]) for s in (1, -1))
    crest = np.flatnonzero((steepest >= ahead) & (steepest > behind))[::2]
    y, x, steepest, normal = y[crest], x[crest], steepest[crest], normal[:, crest]
    sides = np.abs([_climb(smooth, x, y, s * normal, steepest) for s in (1, -1)])  # (2, M)
    height = sides.sum(0)
    # where edges cross, one side ends early
    width = 2 * sides.max(0) / (math.sqrt(2 * math.pi) * np.maximum(steepest, 1e-12))
    softness = np.sqrt(np.maximum(width**2 - _PROBE_VARIANCE, 0))
    kept = softness <= WIDEST_PX
    points = np.stack([x, y], axis=1)[kept].astype(np.float32) + 0.5
    return points, softness[kept], height[kept]


def contrast_left(
    grey: NDArray[np.float32],
    x: NDArray[np.intp],
    y: NDArray[np.intp],
    blur_px: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return the height of the steps that are as steep as what is left about points after a blur.

    ``h = 1.5 sqrt(2 pi) sigma max |grad (G - G_3)|`` within sigma, where G_3 is the picture blurred
    by another sqrt(8) sigma: a step of height h gives h (two thirds of it at a blur of 1 px, where
    the pixels count), a ramp of light nothing.

    Parameters
    ----------
    grey
        ``(H, W)`` the blurred picture without noise.
    x, y
        ``(M,)`` pixels.
    blur_px
        ``(M,)`` blur sigma of the edges there; taken to the nearest power of the root of 2.
    """
    octave = np.round(2 * np.log2(np.maximum(blur_px, 0.5))).astype(int)
    left = np.zeros(len(x))
    for each in np.unique(octave):
        sigma = 2.0 ** (each / 2)
        slopes = np.gradient(grey - blur(grey, math.sqrt(8) * sigma))
        reach = 2 * math.ceil(sigma) + 1
        steepest = cv2.dilate(np.hypot(*slopes).astype(np.float32), np.ones((reach, reach)))
        here = octave == each
        left[here] = 1.5 * math.sqrt(2 * math.pi) * sigma * steepest[y[here], x[here]]
    return left


def _climb(
    picture: NDArray[np.float32],
    x: NDArray[np.intp],
    y: NDArray[np.intp],
    normal: NDArray[np.floating],
    steepest: NDArray[np.floating],
) -> NDArray[np.float64]:
    """Return by how much a picture changes from points along a direction until it is flat."""
    total = np.zeros(len(x))
    sign = np.zeros(len(x))
    climbing = np.ones(len(x), bool)
    last = picture[y, x].astype(np.float64)
    for step in range(1, _REACH + 1):
        value = _sampled(picture, x + step * normal[0], y + step * normal[1]).astype(np.float64)
        change = value - last
        sign = np.where(step == 1, np.sign(change), sign)
        climbing &= change * sign > _FLAT * steepest
        if not climbing.any():
            break
        total += np.where(climbing, change, 0.0)
        last = value
    return total


def _sampled(
    picture: NDArray[np.float32], x: NDArray[np.floating], y: NDArray[np.floating]
) -> NDArray[np.float32]:
    """Return a picture between its pixels; beyond the frame it goes on as its border."""
    if not len(x):
        return np.empty(0, np.float32)
    # cv2 wants two dimensions of fewer than 32768 each
    columns = 256
    pad = -len(x) % columns
    to_x, to_y = (np.pad(v, (0, pad)).reshape(-1, columns).astype(np.float32) for v in (x, y))
    values = cv2.remap(picture, to_x, to_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(values, np.float32).ravel()[: len(x)]
