"""Poses and stretches that give crystals the rectangles asked for.

Bischoff et al. 2022 (doi 10.1007/s00216-022-04101-8) turn and stretch a body until its projected
smallest rectangle is near the one drawn, equations 5 to 8. Their camera is in perspective; ours is
telecentric, the limit of theirs for a camera far away. There the common scale and the turn about
the optical axis act on the rectangle exactly as on the body, so two of the three unknowns of
equation 8 have a closed form, and a search along a line is left: for the stretch that gives the
ratio.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from crystalgauge.scenes.outlines import convex_hull, rival_area, smallest_box
from crystalgauge.scenes.rectangles import ANGLE_TOLERANCE_RAD

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from crystalgauge.scenes.library import HabitLibrary
    from crystalgauge.scenes.rectangles import Rectangles

TRIALS = 12
"""Bodies and poses tried for a rectangle."""

LARGEST_TILT_RAD = math.pi / 3  # of the long axis out of the image plane, paper below equation 6

RATIO_ACCURACY = 0.02
"""The search ends at a tenth of what equation 6 allows: histograms stay flat to their ends."""

EVALUATIONS = 24
JUMP = 1e-4
"""A bracket of the stretch this narrow (relative) holds a jump of the ratio and no solution."""

CLEAR_LEAD = 1.002
"""The next rectangle must be larger by this factor, or rounding would choose between them."""


class Poses(NamedTuple):
    """Bodies with their sizes, stretches and turns; names and units as in `scene.Population`.

    Attributes
    ----------
    shape
        ``(N,)`` rows of the library.
    size_px
        ``(N,)`` largest extents before the stretch.
    stretch
        ``(N, 3)`` 1 along x, the same factor along y and z.
    rotation
        ``(N, 3, 3)`` first about x, then y, then z.
    found
        ``(N,)`` whether one of the bodies tried has the rectangle.
    """

    shape: NDArray[np.int32]
    size_px: NDArray[np.float64]
    stretch: NDArray[np.float64]
    rotation: NDArray[np.float64]
    found: NDArray[np.bool_]


def fit_poses(
    rng: np.random.Generator, library: HabitLibrary, wanted: Rectangles, *, trials: int = TRIALS
) -> Poses:
    """Find a body and its pose for every rectangle.

    Parameters
    ----------
    rng
        Draws bodies, spins about their long axes from U[0, 2 pi] and tilts of these axes out of
        the image plane from U[-pi/3, pi/3].
    library
        Bodies along x with about equal extents in y and z.
    wanted
        N rectangles.
    trials
        Bodies tried for each, at least 1.

    Notes
    -----
    A body is passed over for another one when the ratio jumps past the wanted one, which happens
    near squares, where the smallest rectangle changes its edge; and when a rectangle along another
    edge is as small, as around a symmetric bipyramid: its angle would be a matter of rounding.
    Both choose among poses, not among rectangles, so the statistics of these stay as drawn.
    """
    count = len(wanted.ratio)
    rows = rng.integers(0, len(library), (count, trials))
    spin = rng.uniform(0, 2 * np.pi, (count, trials))
    tilt = rng.uniform(-LARGEST_TILT_RAD, LARGEST_TILT_RAD, (count, trials))
    fits = _fit_all(library.vertices, library.vertex_count, rows, spin, tilt, *wanted)
    trial, scale, stretch, turn = fits.T
    chosen = np.maximum(trial, 0).astype(np.int64)
    line = np.arange(count)
    return Poses(
        rows[line, chosen].astype(np.int32),
        scale * stretch,
        np.column_stack([np.ones(count), 1 / stretch, 1 / stretch]),
        rotations(spin[line, chosen], tilt[line, chosen], turn),
        trial >= 0,
    )


def rotations(
    spin: NDArray[np.float64], tilt: NDArray[np.float64], turn: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the ``(N, 3, 3)`` products ``Rz(turn) Ry(tilt) Rx(spin)`` of equation 5.

    Parameters
    ----------
    spin, tilt, turn
        ``(N,)`` angles in rad.
    """
    cx, sx, cy, sy = np.cos(spin), np.sin(spin), np.cos(tilt), np.sin(tilt)
    cz, sz = np.cos(turn), np.sin(turn)
    entries = [
        [cz * cy, cz * sy * sx - sz * cx, cz * sy * cx + sz * sx],
        [sz * cy, sz * sy * sx + cz * cx, sz * sy * cx - cz * sx],
        [-sy, cy * sx, cy * cx],
    ]
    return np.array(entries).transpose(2, 0, 1)


@njit(cache=True, nogil=True)
def _fit_all(  # type: ignore[no-untyped-def]
    vertices, vertex_count, rows, spin, tilt, ratio, area, angle
):
    """Return ``(N, 4)`` the trial that fits or -1, scale, stretch along x and turn about z."""
    fits = np.zeros((len(ratio), 4))
    points = np.empty((vertices.shape[1], 2))
    hull = np.empty((vertices.shape[1] + 2, 2))
    box = np.zeros(5)
    for i in range(len(ratio)):
        fits[i, 0], fits[i, 1], fits[i, 2] = -1, 1.0, 1.0
        for trial in range(rows.shape[1]):
            row = rows[i, trial]
            body = vertices[row, : vertex_count[row]]
            stretch, corners = _fit_stretch(
                body, spin[i, trial], tilt[i, trial], ratio[i], points, hull, box
            )
            if stretch == 0.0:
                continue
            least = box[2] * box[3]
            if rival_area(hull[:corners], box[4], ANGLE_TOLERANCE_RAD) > CLEAR_LEAD * least:
                fits[i, 0], fits[i, 1] = trial, math.sqrt(area[i] / least)
                fits[i, 2], fits[i, 3] = stretch, angle[i] - box[4]
                break
    return fits


@njit(cache=True, nogil=True)
def _fit_stretch(body, spin, tilt, ratio, points, hull, box):  # type: ignore[no-untyped-def]
    """Return the stretch along x that gives the ratio, or 0, and the corners of its outline.

    The ratio of a body that is longer than wide grows with its stretch, about in proportion:
    steps in logarithms, kept inside the bracket once there is one.
    """
    guess = _first_guess(body, ratio)
    low, high = -np.inf, np.inf  # bracket of the stretch's logarithm
    low_miss, high_miss = 0.0, 0.0
    for step in range(EVALUATIONS):
        corners = _project(body, spin, tilt, math.exp(guess), points, hull)
        smallest_box(hull[:corners], box)
        if abs(box[2] / box[3] - ratio) < RATIO_ACCURACY:
            return math.exp(guess), corners
        miss = math.log(box[2] / box[3])
        if abs(box[4]) > math.pi / 4:  # wider than long
            miss = -miss
        miss -= math.log(ratio)
        if miss < 0.0:
            low, low_miss = guess, miss
        else:
            high, high_miss = guess, miss
        if math.isinf(high - low):
            guess -= 1.2 * miss
        elif high - low < JUMP:
            break
        else:
            share = low_miss / (low_miss - high_miss)
            share = 0.5 if step % 3 == 2 else min(max(share, 0.05), 0.95)
            guess = low + share * (high - low)
    return 0.0, 0


@njit(cache=True, nogil=True)
def _first_guess(body, ratio):  # type: ignore[no-untyped-def]
    """Return the logarithm of sx / sy of equation 7 for a body of any extents."""
    length = body[:, 0].max() - body[:, 0].min()
    across = body[:, 1].max() - body[:, 1].min() + body[:, 2].max() - body[:, 2].min()
    return math.log(ratio * across / (2 * length))


@njit(cache=True, nogil=True)
def _project(body, spin, tilt, stretch, points, hull):  # type: ignore[no-untyped-def]
    """Write the outline of a body stretched along x, turned about x and y and seen along z."""
    cx, sx, cy, sy = math.cos(spin), math.sin(spin), math.cos(tilt), math.sin(tilt)
    for k in range(len(body)):
        x, y, z = stretch * body[k, 0], body[k, 1], body[k, 2]
        points[k, 0] = cy * x + sy * (sx * y + cx * z)
        points[k, 1] = cx * y - sx * z
    return convex_hull(points[: len(body)], hull)
