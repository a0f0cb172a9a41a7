"""Pictures with the degradations of synthetic-pcs, and a truth that follows."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import cv2
import numpy as np

from crystalgauge.core import Micrograph
from crystalgauge.datasets.packing import packed_vertices
from crystalgauge.render.degrade import Chance, Degradations, Outlines, degrade, sample_degradations

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.core import Crystals
    from crystalgauge.render.truth import Truth

UPRIGHT = dataclasses.replace(Degradations(), orientation=Chance(0.0))
"""The default degradations; flips and turns are left to the windows of the training."""

PAPER = dataclasses.replace(Degradations.paper(), orientation=Chance(0.0))
"""Those of the paper's augmented validation set, with c = 5 in eq. 12."""

LEAST_LIKENESS = 0.35
"""A crystal whose surroundings resemble the clean picture less is lost in the disturbance."""

MARGIN_PX = 2
"""Pixels around a crystal that show its edge."""


def degrade_picture(
    pixels: NDArray[np.uint8], truth: Truth, rng: np.random.Generator, config: Degradations
) -> tuple[NDArray[np.uint8], Truth]:
    """Degrade a rendered picture; what cannot be made out any more is marked ``ignore``.

    Parameters
    ----------
    pixels
        ``(H, W)`` or ``(H, W, 3)``; colour becomes grey, as the paper's pictures are.
    truth
        Of the picture.
    rng
        Source of the choices.
    config
        How often what; without flips and turns.

    Returns
    -------
    tuple
        ``(H, W)`` uint8, and the truth with the blur added to ``defocus_px`` and a new ``ignore``.
    """
    grey = pixels if pixels.ndim == 2 else np.rint(Micrograph(pixels).grey()).astype(np.uint8)
    crystals = truth.crystals
    points, offsets = packed_vertices(crystals)
    outlines = Outlines(points, offsets)
    drawn = sample_degradations(rng, (grey.shape[0], grey.shape[1]), config)
    degraded = degrade(grey, drawn, outlines)
    softened = drawn.softening.sigma_px if drawn.softening else 0.0
    lost = ~drawn.seen(outlines) | (likeness(grey, degraded, crystals) < LEAST_LIKENESS)
    crystals = crystals.with_columns(
        defocus_px=np.hypot(crystals["defocus_px"], softened), ignore=crystals["ignore"] | lost
    )
    return degraded, dataclasses.replace(truth, crystals=crystals)


def likeness(
    clean: NDArray[np.uint8], degraded: NDArray[np.uint8], crystals: Crystals
) -> NDArray[np.float64]:
    """Return how far each crystal's surroundings still look as they did.

    Parameters
    ----------
    clean, degraded
        ``(H, W)`` pictures.
    crystals
        Outlines in px.

    Returns
    -------
    NDArray
        ``(N,)`` absolute correlation coefficients of the two pictures over the bounds of each
        outline, 0 where either is constant or the outline lies outside. If the disturbance is
        independent of the crystal, the square is the crystal's share of the variance.
    """
    height, width = clean.shape
    low = np.floor(crystals.bounds[:, :2]).astype(int) - MARGIN_PX
    high = np.ceil(crystals.bounds[:, 2:]).astype(int) + MARGIN_PX
    x0, y0 = np.clip(low.T, 0, [[width], [height]])
    x1, y1 = np.clip(high.T, 0, [[width], [height]])
    a, b = clean.astype(np.float64), degraded.astype(np.float64)
    sums = [cv2.integral(values, sdepth=cv2.CV_64F) for values in (a, b, a * a, b * b, a * b)]
    sa, sb, saa, sbb, sab = (s[y1, x1] - s[y0, x1] - s[y1, x0] + s[y0, x0] for s in sums)
    count = np.maximum((x1 - x0) * (y1 - y0), 1)
    variance_a, variance_b = saa - sa**2 / count, sbb - sb**2 / count
    both = np.sqrt(np.maximum(variance_a, 0) * np.maximum(variance_b, 0))
    covariance = np.abs(sab - sa * sb / count)
    return np.where(both > 1e-6, covariance / np.maximum(both, 1e-6), 0.0)
