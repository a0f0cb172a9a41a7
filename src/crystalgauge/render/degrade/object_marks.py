"""Single crystals made brighter or darker than their surroundings, or faintly outlined."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from crystalgauge.render.degrade.strokes import lower_to_segment
from crystalgauge.render.noise import hash_uniform

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.render.degrade.outlines import Outlines


@dataclass(frozen=True)
class ObjectMarks:
    """Which crystals are marked, and how strongly.

    Parameters
    ----------
    share
        Share of crystals that are marked, 0 to 1.
    outlined_share
        Share of the marked that get an outline; the others are brightened or darkened as a whole.
    largest_change
        Grey change, full scale 1; each crystal's is uniform between minus and plus this.
    softness_px
        Distance over which a mark fades at the outline.
    seed
        Of the choices for each crystal.
    """

    share: float
    outlined_share: float
    largest_change: float
    softness_px: float
    seed: int

    @classmethod
    def sample(
        cls, rng: np.random.Generator, shape: tuple[int, int], strength: float
    ) -> ObjectMarks:
        """Draw marks whose largest grey change is the strength."""
        return cls(
            share=float(rng.uniform(0.1, 0.7)),
            outlined_share=float(rng.uniform(0.0, 1.0)),
            largest_change=strength,
            softness_px=float(rng.uniform(0.8, 3.0)),
            seed=int(rng.integers(2**31)),
        )


def mark_objects(
    picture: NDArray[np.float32], marks: ObjectMarks, outlines: Outlines
) -> NDArray[np.float32]:
    """Mark crystals (the object-level augmentations of synthetic-pcs, section Data augmentation).

    Parameters
    ----------
    picture
        ``(H, W)`` grey, full scale 1.
    marks
        Which and how.
    outlines
        Of all crystals, in px of the picture.

    Returns
    -------
    NDArray
        ``(H, W)``; a mark may lead a little out of 0 to 1.
    """
    marked = picture.copy()
    if len(outlines):
        _mark_all(
            marked, outlines.points, outlines.offsets, marks.share, marks.outlined_share,
            marks.largest_change, marks.softness_px, marks.seed,
        )  # fmt: skip
    return marked


@njit(cache=True, nogil=True)
def _mark_all(  # type: ignore[no-untyped-def]
    picture, points, offsets, share, outlined_share, largest, softness, seed
):
    """Mark the crystals that the seed names, in place."""
    for i in range(len(offsets) - 1):
        ring = points[offsets[i] : offsets[i + 1]]
        if len(ring) < 3 or hash_uniform(seed, i, 0) >= share:
            continue
        change = np.float32(largest * (2 * hash_uniform(seed, i, 2) - 1))
        outlined = hash_uniform(seed, i, 1) < outlined_share
        _mark(picture, ring, change, np.float32(softness), outlined)


@njit(cache=True, nogil=True)
def _mark(picture, ring, change, softness, outlined):  # type: ignore[no-untyped-def]
    """Add a change of grey inside or along one outline, in place."""
    height, width = picture.shape
    reach = 2.5 * softness if outlined else softness
    left, top, right, bottom = np.inf, np.inf, -np.inf, -np.inf
    for k in range(len(ring)):
        left, right = min(left, ring[k, 0]), max(right, ring[k, 0])
        top, bottom = min(top, ring[k, 1]), max(bottom, ring[k, 1])
    x0, x1 = max(int(left - reach), 0), min(int(right + reach) + 1, width)
    y0, y1 = max(int(top - reach), 0), min(int(bottom + reach) + 1, height)
    if x0 >= x1 or y0 >= y1:
        return
    far = np.float32(reach * reach)
    gap = np.full((y1 - y0, x1 - x0), far)
    for k in range(len(ring)):
        ax, ay = ring[k, 0] - x0, ring[k, 1] - y0
        following = ring[(k + 1) % len(ring)]
        lower_to_segment(gap, ax, ay, following[0] - x0, following[1] - y0, reach)
    crossings = np.empty(len(ring))
    half = np.float32(0.5)
    for y in range(y0, y1):
        count = 0 if outlined else _crossings(crossings, ring, y + 0.5)
        passed = 0
        for x in range(x0, x1):
            square = gap[y - y0, x - x0]
            if outlined and square >= far:
                continue
            if outlined:
                weight = np.float32(math.exp(-square / (softness * softness)))
            else:
                while passed < count and crossings[passed] <= x + 0.5:
                    passed += 1
                depth = half * math.sqrt(square) / softness
                weight = half + depth if passed % 2 else half - depth
            picture[y, x] += change * weight


@njit(cache=True, nogil=True)
def _crossings(out, ring, y):  # type: ignore[no-untyped-def]
    """Write where a horizontal line crosses a ring, in rising order; return how often."""
    count = 0
    for i in range(len(ring)):
        j = (i + 1) % len(ring)
        ya, yb = ring[i, 1], ring[j, 1]
        if (ya <= y) != (yb <= y):
            x = ring[i, 0] + (y - ya) / (yb - ya) * (ring[j, 0] - ring[i, 0])
            k = count
            while k > 0 and out[k - 1] > x:
                out[k] = out[k - 1]
                k -= 1
            out[k] = x
            count += 1
    return count
